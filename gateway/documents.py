"""Documents made from the code, so that they cannot drift: `python -m gateway.documents [--check]`.

`docs/errors.md` lists every error code, `docs/banks.md` every bank; `openapi/gateway.yaml` is the API's description. A
test runs the check.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

import gateway
from connectors import listing
from connectors.errors import ConnectorError, Fault
from gateway.app import create_app
from gateway.bank_trouble import NEXT, TEXTS
from gateway.errors import GatewayError
from gateway.field_faults import HINT as FIELD_HINT
from gateway.field_faults import SENTENCES as FIELD_SENTENCES
from sepa.findings import CATALOGUE

ROOT: Final = Path(__file__).parents[1]

_HEAD: Final = """# Error codes

Made by `python -m gateway.documents`; do not edit. Every failure is `application/problem+json` (RFC 9457) with `code`,
`title`, `detail`, `hint`, `request_id` and, for input, all faulty fields under `errors`. Codes never change; title,
detail and hint follow `Accept-Language` (nl, fr, en, de).

## Problems

| code | status | what it means | what to do |
|---|---|---|---|
"""
_FIELDS: Final = """
## Faulty fields

Codes under `errors` of a problem, each with the JSON Pointer of its field. Besides these an entry may carry the code of
the problem itself or of another problem above, such as `client_not_found`.

| code | what it means | what to do |
|---|---|---|
"""
_BANKS: Final = """
## Bank trouble

Made from the connectors' errors; the status says who must act: 409 the account holder, 429 wait, 502 the bank,
503 the operator. `bank_fault` names one of seven kinds, and `detail` says what happens next.

| kind | what happens next | codes |
|---|---|---|
"""
_BANK_CODES: Final = """
| code | what it means | what to do |
|---|---|---|
"""
_FINDINGS: Final = """
## Findings on payments

Each finding names its field, what was found and what was expected. A `blocked` one stops that payment only; a `warning`
passes once a person has accepted it.

| code | severity | what it means | what to do |
|---|---|---|---|
"""


def error_kinds() -> list[type[GatewayError]]:
    """Every documented error class of the gateway, once per code."""
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if not module.name.startswith(("gateway.migrations.", "gateway.__main__")):
            importlib.import_module(module.name)
    found: dict[str, type[GatewayError]] = {}
    # In a fixed order: which module was imported first must not choose between two classes of one code.
    for kind in sorted(_below(GatewayError), key=lambda kind: (kind.__module__, kind.__qualname__), reverse=True):
        if kind.__module__ != "gateway.bank_trouble" and kind.__module__.startswith("gateway."):
            found.setdefault(kind.code, kind)
    return [found[code] for code in sorted(found)]


def connector_codes() -> set[str]:
    """Codes of every connector error."""
    return {kind.code for kind in _below(ConnectorError)} | {ConnectorError.code}


def codes_of(fault: Fault) -> list[str]:
    """Codes of the connector errors of one kind."""
    kinds: list[type[ConnectorError]] = [ConnectorError, *_below(ConnectorError)]
    return sorted({kind.code for kind in kinds if kind.fault is fault})


def field_codes() -> dict[str, tuple[str, str]]:
    """Code of a faulty field to its sentence and what to do: of the shapes, and those that subjects write themselves.

    The latter are read from the code, `FieldFault(pointer, "code", "sentence", "hint")`; codes of problems have their
    own table.
    """
    found = {code: (sentence, FIELD_HINT) for code, sentence in FIELD_SENTENCES.items()}
    problems = {kind.code for kind in error_kinds()}
    for path in sorted(ROOT.glob("gateway/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "FieldFault":
                texts = [_constant(argument) for argument in node.args[1:4]]
                if texts and texts[0] is not None and texts[0] not in problems:
                    sentence, hint = (*texts[1:], None, None)[:2]
                    found.setdefault(texts[0], (sentence or "See `detail`.", hint or FIELD_HINT))
    return found


def errors_page() -> str:
    """The text of `docs/errors.md`."""
    lines = [_HEAD]
    lines += [_row(kind.code, str(kind.http_status), kind.title, kind.hint) for kind in error_kinds()]
    lines.append(_FIELDS)
    lines += [_row(code, sentence, hint) for code, (sentence, hint) in sorted(field_codes().items())]
    lines.append(_BANKS)
    lines += [
        _row(fault.value, text, ", ".join(f"`{code}`" for code in codes_of(fault))) for fault, text in NEXT.items()
    ]
    lines.append(_BANK_CODES)
    lines += [_row(code, *TEXTS[code]) for code in sorted(TEXTS)]
    lines.append(_FINDINGS)
    lines += [_row(code, text.severity, text.text, text.hint) for code, text in sorted(CATALOGUE.items())]
    return "".join(lines)


def openapi_page() -> str:
    """The text of `openapi/gateway.yaml`."""
    app = create_app(_NoInstallation())  # type: ignore[arg-type]  # describing needs no installation
    return yaml.safe_dump(app.openapi(), sort_keys=False, allow_unicode=True, width=120)


def documents() -> dict[Path, str]:
    """Path below the root, and text, of every generated document."""
    return {
        Path("docs/banks.md"): listing.page(),
        Path("docs/errors.md"): errors_page(),
        Path("openapi/gateway.yaml"): openapi_page(),
    }


class _NoInstallation:
    """Stands where an installation would; any use is a defect."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"describing the API must not need {name}")


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    # By name: the order of import must not decide which of two classes with one code is described.
    for child in sorted(kind.__subclasses__(), key=lambda child: (child.__module__, child.__qualname__)):
        yield child
        yield from _below(child)


def _constant(argument: ast.expr) -> str | None:
    """The text of a literal, also one marked for translation."""
    if isinstance(argument, ast.Call) and argument.args:
        argument = argument.args[0]
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def _row(code: str, *cells: str) -> str:
    return f"| `{code}` | " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"


def main() -> int:
    """Write the documents, or with `--check` say which are out of date."""
    is_check = "--check" in sys.argv[1:]
    stale = [path for path, text in documents().items() if not _is_written(ROOT / path, text, is_check=is_check)]
    for path in stale:
        sys.stderr.write(f"{path} is out of date; run python -m gateway.documents\n")
    return 1 if stale else 0


def _is_written(path: Path, text: str, *, is_check: bool) -> bool:
    if path.exists() and path.read_text() == text:
        return True
    if is_check:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return True


if __name__ == "__main__":
    raise SystemExit(main())
