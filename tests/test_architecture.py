"""The arrows of the house: who imports whom, which third parties each library uses, no circles, no floats."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("coda", "sepa", "connectors", "gateway")

ALLOWED = {
    "coda": set(),
    "sepa": {"lxml", "schwifty", "stdnum", "segno"},
    "connectors": {
        "httpx2", "tenacity", "authlib", "joserfc", "cryptography", "schwifty", "stdnum", "pydantic"
    },
    "connectors.simulator": {
        "starlette", "uvicorn", "jinja2", "schwifty", "stdnum", "pydantic", "cryptography"
    },
}  # fmt: skip


def modules(package: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text())


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""


def room(module: str) -> str:
    return "connectors.simulator" if module.startswith("connectors.simulator") else module.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("package", ["coda", "sepa", "connectors"])
def test_a_library_imports_nothing_else_of_ours_and_only_its_third_parties(package: str) -> None:
    for module, tree in modules(package):
        for imported in imports(tree):
            top = imported.split(".")[0]
            if top in sys.stdlib_module_names or top == package:
                continue
            assert top not in OURS, f"{module} imports {imported}"
            assert top in ALLOWED[room(module)], f"{module} imports {imported}"


def test_the_simulator_is_imported_by_the_demo_only() -> None:
    for package in OURS:
        for module, tree in modules(package):
            if room(module) == "connectors.simulator" or module.startswith("gateway.demo"):
                continue
            assert not any(name.startswith("connectors.simulator") for name in imports(tree)), module


def test_one_module_alone_speaks_http_to_the_outside() -> None:
    users = [m for p in OURS for m, tree in modules(p) if any(n.split(".")[0] == "httpx2" for n in imports(tree))]
    assert users == ["connectors.http"]


def test_no_import_circle_exists() -> None:
    arrows: dict[str, set[str]] = defaultdict(set)
    known = {module for package in OURS for module, _ in modules(package)}
    for package in OURS:
        for module, tree in modules(package):
            for node in tree.body:
                if isinstance(node, ast.ImportFrom) and node.module:
                    for alias in node.names:
                        full = f"{node.module}.{alias.name}"
                        arrows[module].add(full if full in known else node.module)
                elif isinstance(node, ast.Import):
                    arrows[module].update(alias.name for alias in node.names)
    state: dict[str, int] = {}

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert state.get(module) != 1, f"circle: {' -> '.join((*path[path.index(module) :], module))}"
        if state.get(module) == 2:
            return
        state[module] = 1
        for target in sorted(arrows[module] & known - {module}):
            walk(target, (*path, module))
        state[module] = 2

    for module in sorted(known):
        walk(module, ())


def test_no_float_is_made_in_the_product() -> None:
    for package in OURS:
        for module, tree in modules(package):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
                    raise AssertionError(f"{module}:{node.lineno} makes a float")


def test_sessions_of_the_database_are_opened_in_one_module() -> None:
    """There, what is locked is read anew (`_read_what_is_locked`); a session made elsewhere might turn that off."""
    for module, tree in modules("gateway"):
        if module == "gateway.database" or module.startswith("gateway.migrations"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                assert name not in {"Session", "sessionmaker", "scoped_session"}, f"{module}:{node.lineno}"
                asked = {keyword.arg for keyword in node.keywords}
                assert "autoflush" not in asked, f"{module}:{node.lineno}"
            elif isinstance(node, ast.Attribute):
                # Without flushing, reading a locked row anew would undo what the unit of work changed on it.
                assert node.attr != "no_autoflush", f"{module}:{node.lineno}"


def test_a_locked_row_is_read_anew_and_nobody_asks_otherwise() -> None:
    """`with_for_update` alone hands out the object as it was before the lock; the database module adds the reading."""
    source = (ROOT / "gateway" / "database.py").read_text()
    assert "populate_existing=True" in source
    for module, tree in modules("gateway"):
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "populate_existing":
                assert isinstance(node.value, ast.Constant), module
                assert node.value.value is True, f"{module}:{node.value.lineno}"


def test_each_error_code_belongs_to_one_class() -> None:
    """API-02: a code means one thing, with one status, one title and one hint."""
    owners: dict[str, list[str]] = defaultdict(list)
    for module, tree in modules("gateway"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            for part in node.body:
                if (
                    isinstance(part, ast.Assign)
                    and isinstance(part.targets[0], ast.Name)
                    and part.targets[0].id == "code"
                    and isinstance(part.value, ast.Constant)
                ):
                    owners[part.value.value].append(f"{module}.{node.name}")
    assert len(owners) > 100
    assert {code: names for code, names in owners.items() if len(names) > 1} == {}
