"""What an operation can refuse and which rights it asks for, read from the code that it reaches.

The description lists for every operation its error codes and permissions (API-09). Lists kept by hand would drift; this
walks from the endpoint through the functions, services and repositories that it names, and collects the errors they
name and the permissions they ask for. It sees names, not flow: the list says what can happen, not when.
"""

from __future__ import annotations

import ast
import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.identity.rights import Permission

_PERSON_ONLY: Final = "require_fresh_second_factor"
_BANK_CALLS: Final = frozenset({"connector"})


@dataclass(slots=True)
class Reached:
    """What was found below one endpoint."""

    errors: set[type[GatewayError]] = field(default_factory=set)
    permissions: set[Permission] = field(default_factory=set)
    needs_person: bool = False
    """Whatever is asked for, a person must ask; not so when only a part of the operation wants one."""
    calls_banks: bool = False


@functools.cache
def reached(endpoint: Callable[..., Any]) -> Reached:
    """Everything below an endpoint."""
    found = Reached()
    seen: set[tuple[_Target, bool]] = set()
    queue: list[tuple[_Target, bool]] = [(_Target(inspect.unwrap(endpoint), None), False)]
    while queue:
        one, is_conditional = queue.pop()
        if (one, is_conditional) in seen:
            continue
        seen.add((one, is_conditional))
        step = _step(one.function, one.owner)  # type: ignore[arg-type]  # functions and classes can be hashed
        found.errors |= step.found.errors
        found.permissions |= step.found.permissions
        found.needs_person |= step.found.needs_person and not is_conditional
        found.calls_banks |= step.found.calls_banks
        queue.extend((target, is_conditional or below) for target, below in step.targets)
    return found


@dataclass(frozen=True, slots=True)
class _Target:
    """A function of ours, and the class it was reached through."""

    function: Any
    owner: type[Any] | None


@dataclass(slots=True)
class _Step:
    found: Reached
    targets: list[tuple[_Target, bool]]
    """What the function names, and whether only under a condition."""


@functools.cache
def _step(function: Any, owner: type[Any] | None) -> _Step:
    found = Reached()
    tree = _trees(function.__code__.co_filename).get(function.__code__.co_firstlineno)
    targets = [] if tree is None else list(_Function(function, tree, owner, found).targets())
    return _Step(found, targets)


@functools.cache
def _trees(path: str) -> dict[int, ast.AST]:
    """The functions of a file by their first line, decorators included."""
    trees: dict[int, ast.AST] = {}
    for node in ast.walk(ast.parse(Path(path).read_text())):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
            trees.setdefault(first, node)
    return trees


_NOT_CALLING: Final = frozenset({"SYSTEM", "runs_installation"})


class _Function:
    """One function of ours, its names resolved as far as its annotations and assignments tell."""

    def __init__(self, function: Any, tree: ast.AST, owner: type[Any] | None, found: Reached) -> None:
        self.found = found
        self.names = function.__globals__
        self.nodes = list(ast.walk(tree))
        self.types: dict[str, Any] = {}
        for name, hint in _hints(function).items():
            self.types[name] = _class_in(hint)
        if owner is not None:
            self.types["self"] = self.types["cls"] = owner

    def targets(self) -> Iterator[tuple[_Target, bool]]:
        """The functions of ours that this one names; errors and permissions are noted on the way."""
        conditional = {
            id(below)
            for node in self.nodes
            if isinstance(node, ast.If | ast.IfExp) and not _asks_for_system(node.test)
            for branch in (*_listed(node.body), *_listed(node.orelse))
            for below in ast.walk(branch)
        }
        caught = {
            id(name)
            for node in self.nodes
            if isinstance(node, ast.ExceptHandler) and node.type is not None
            for name in ast.walk(node.type)
        }
        for node in self.nodes:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.types.setdefault(node.targets[0].id, self._type_of(node.value))
        # `permission in held` looks; it does not ask.
        caught |= {id(name) for node in self.nodes if isinstance(node, ast.Compare) for name in ast.walk(node)}
        for node in self.nodes:
            if id(node) in caught or not isinstance(node, ast.Name | ast.Attribute):
                continue
            if isinstance(node, ast.Attribute):
                self.found.needs_person |= node.attr == _PERSON_ONLY and id(node) not in conditional
                self.found.calls_banks |= node.attr in _BANK_CALLS
            value, owner = self._resolve(node)
            match value:
                case Permission():
                    self.found.permissions.add(value)
                case type() if issubclass(value, GatewayError):
                    self.found.errors.add(value)
                case types.FunctionType() if _is_ours(value):
                    yield _Target(value, owner), id(node) in conditional

    def _resolve(self, node: ast.expr) -> tuple[Any, type[Any] | None]:
        if isinstance(node, ast.Name):
            return self.names.get(node.id), None
        if not isinstance(node, ast.Attribute):
            return None, None
        if isinstance(node.value, ast.Name) and node.value.id not in self.types:
            base = self.names.get(node.value.id)
            if isinstance(base, types.ModuleType):
                return getattr(base, node.attr, None), None
            if isinstance(base, type):
                member = inspect.getattr_static(base, node.attr, None)
                return _plain(member) if not isinstance(member, Permission) else member, base
        owner = self._type_of(node.value)
        if isinstance(owner, type):
            return _plain(inspect.getattr_static(owner, node.attr, None)), owner
        return None, None

    def _type_of(self, node: ast.expr) -> Any:
        """The class of a value, when a call of it, an annotation or an assignment tells."""
        match node:
            case ast.Name(id=name):
                return self.types.get(name)
            case ast.Call(func=function):
                value, _owner = self._resolve(function)
                if isinstance(value, type):
                    return value
                return _class_in(_hints(value).get("return")) if isinstance(value, types.FunctionType) else None
            case ast.Attribute(value=base, attr=name):
                owner = self._type_of(base)
                return _class_in(_hints(owner).get(name)) if isinstance(owner, type) else None
        return None


def _asks_for_system(test: ast.expr) -> bool:
    """Whether a condition is about the service or its operator, who call no operation: for callers it is none."""
    return any(isinstance(node, ast.Attribute) and node.attr in _NOT_CALLING for node in ast.walk(test))


def _listed(branch: Any) -> list[Any]:
    return branch if isinstance(branch, list) else [branch]


def _plain(member: Any) -> Any:
    if isinstance(member, staticmethod | classmethod):
        return member.__func__
    return member.fget if isinstance(member, property) else member


def _is_ours(function: types.FunctionType) -> bool:
    return function.__module__.startswith("gateway.")


@functools.cache
def _hints(thing: Any) -> dict[str, Any]:
    if not getattr(thing, "__module__", "").startswith("gateway."):
        return {}
    try:
        return typing.get_type_hints(thing)
    except (NameError, TypeError, AttributeError, RecursionError):
        # Types that only exist while checking, or that name themselves: nothing is known of them here.
        return {}


def _class_in(hint: Any) -> Any:
    """The one class of ours in a type; `X | None` and `tuple[X, …]` give X."""
    if isinstance(hint, type):
        return hint if getattr(hint, "__module__", "").startswith("gateway.") else None
    for part in typing.get_args(hint):
        found = _class_in(part)
        if found is not None:
            return found
    return None
