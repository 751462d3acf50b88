"""Writes `models.py` and `operations.py` of the client from the committed description.

`python clients/python/generate.py`; with `--check` nothing is written and the exit code is 1 when one is out of date.
One shape becomes one model, one operation one method; a list with a cursor gets an `iter_…` beside it.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
DESCRIPTION: Final = HERE.parents[1] / "openapi" / "gateway.yaml"
PACKAGE: Final = HERE / "sluis_client"
JSON: Final = "application/json"
WIDTH: Final = 116
LISTS: Final = frozenset({"limit", "cursor"})

_HEADER: Final = '"""{title} Written by generate.py from openapi/gateway.yaml; do not edit."""\n\n'


def class_name(schema: str) -> str:
    """`Page_AccountRead_` becomes `PageAccountRead`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", schema) if part)


_PLAIN: Final = {"string": "str", "integer": "int", "boolean": "bool", "null": "None", "number": "Decimal"}
_FORMATS: Final = {"date": "dt.date", "date-time": "dt.datetime", "binary": "bytes"}


def type_of(schema: dict[str, Any]) -> str:
    """The annotation of a schema; enumerations are open, so that a value added later breaks no reader."""
    kind = schema.get("type")
    if "$ref" in schema:
        return class_name(schema["$ref"].rsplit("/", 1)[1])
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    parts = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if isinstance(kind, list):
        parts = [{**schema, "type": one} for one in kind]
    if parts:
        kinds = dict.fromkeys(type_of(part) for part in parts)
        return " | ".join(sorted(kinds, key=lambda one: one == "None"))
    if kind == "array":
        return f"list[{type_of(schema.get('items', {}))}]"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"dict[str, {type_of(inner) if isinstance(inner, dict) else 'Any'}]"
    return _FORMATS.get(schema.get("format", ""), _PLAIN.get(str(kind), "Any"))


def models(document: dict[str, Any]) -> str:
    """The text of `models.py`."""
    schemas = document["components"]["schemas"]
    parts = []
    for name, schema in sorted(schemas.items(), key=lambda item: class_name(item[0])):
        if schema.get("type") == "object" or "properties" in schema:
            parts.append(_model(class_name(name), schema))
        else:
            parts.append(f"{class_name(name)} = {_alias(schema)}\n{_docstring(_values(schema), '')}")
    aliases = [part for part in parts if not part.startswith("class ")]
    classes = [part for part in parts if part.startswith("class ")]
    text = "\n".join(aliases) + "\n\n" + "\n\n".join(classes)
    return (
        _HEADER.format(title="The shapes of the REST API.")
        + "from __future__ import annotations\n\n"
        + _imports(text)
        + ("from pydantic import Field\n\n" if "= Field(" in text else "")
        + "from sluis_client.shape import Shape\n\n"
        + text
    )


def _imports(text: str) -> str:
    """The standard library's imports that the annotations of a text use."""

    def is_used(name: str) -> bool:
        return re.search(rf"(?:: |\[|\| |= |str, ){name}\b", text) is not None

    lines = [line for name, line in _STANDARD.items() if is_used(name)]
    names = [name for name in ("Any", "Literal") if is_used(name)]
    return "\n".join([*lines, *([f"from typing import {', '.join(names)}"] if names else [])]) + "\n\n"


_STANDARD: Final = {"dt": "import datetime as dt", "Decimal": "from decimal import Decimal"}


def _alias(schema: dict[str, Any]) -> str:
    return "str" if "enum" in schema else type_of(schema)


def _values(schema: dict[str, Any]) -> str:
    values = ", ".join(f"`{value}`" for value in schema.get("enum", ()))
    return " ".join(part for part in (schema.get("description", ""), f"One of {values}." if values else "") if part)


def _model(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = [f"class {name}(Shape):", _docstring(schema.get("description", name), "    ")]
    properties = schema.get("properties", {})
    for field, described in sorted(properties.items(), key=lambda item: item[0] not in required):
        kind = type_of(described)
        if field not in required and "None" not in kind.split(" | "):
            kind += " | None"
        safe = f"{field}_" if keyword.iskeyword(field) or field in _TAKEN else field
        alias = f'alias="{field}"' if safe != field else ""
        if field in required:
            lines.append(f"    {safe}: {kind}" + (f" = Field({alias})" if alias else ""))
        else:
            lines.append(f"    {safe}: {kind} = " + (f"Field(default=None, {alias})" if alias else "None"))
        if described.get("description"):
            lines.append(_docstring(described["description"], "    "))
    return "\n".join(line for line in lines if line) + "\n"


_TAKEN: Final = frozenset({"json", "copy", "schema", "validate", "etag"})


def _docstring(text: str, indent: str) -> str:
    text = " ".join(text.split()).replace("\\", "\\\\")
    if not text:
        return ""
    if len(indent) + len(text) + 6 <= WIDTH + 4:
        return f'{indent}"""{text}"""'
    wrapped = textwrap.wrap(text, WIDTH - len(indent))
    return "\n".join([f'{indent}"""{wrapped[0]}', *(indent + line for line in wrapped[1:]), f'{indent}"""'])


def operations(document: dict[str, Any]) -> str:
    """The text of `operations.py`."""
    methods = [
        _method(path, verb, operation)
        for path, described in document["paths"].items()
        for verb, operation in described.items()
        if path.startswith("/v1/") and _is_plain(operation)
    ]
    return (
        _HEADER.format(title="One method for each operation of the REST API.")
        + "from __future__ import annotations\n\nimport datetime as dt\n"
        + "from collections.abc import Iterator, Mapping\nfrom typing import Any\n\n"
        + "from sluis_client import models\nfrom sluis_client.transport import Transport\n\n\n"
        + "class Operations(Transport):\n"
        + '    """The operations, by their operationId. Each raises `Problem` for what the service refuses."""\n\n'
        + "\n".join(methods)
    )


def _is_plain(operation: dict[str, Any]) -> bool:
    """An operation whose body, if any, is JSON."""
    body = operation.get("requestBody")
    return body is None or JSON in body["content"]


def _method(path: str, verb: str, operation: dict[str, Any]) -> str:
    name, parameters = operation["operationId"], operation.get("parameters", [])
    in_path = [p["name"] for p in parameters if p["in"] == "path"]
    in_query = [p for p in parameters if p["in"] == "query"]
    in_header = [p for p in parameters if p["in"] == "header" and p["name"].lower() in _HEADERS]
    by_status = _answers_by_status(operation)
    answer, kind = ("", "several") if by_status else _answer(operation)
    is_list = kind == "model" and {"cursor", "limit"} <= {p["name"] for p in in_query} and "Page" in answer
    arguments = [f"{parameter}: str" for parameter in in_path]
    body = operation.get("requestBody")
    if body is not None:
        model = type_of(body["content"][JSON]["schema"])
        model = f"models.{model}" if re.fullmatch(r"\w+", model) and model != "Any" else "Any"
        optional = "" if body.get("required") else " | None = None"
        arguments.append(f"body: {model} | Mapping[str, Any]{optional}")
    keywords = [f"{_argument(p['name'])}: {_query_type(p)}" for p in in_query]
    headers = [f"{_HEADERS[p['name'].lower()]}: str | None = None" for p in in_header]
    if verb == "post":
        headers.append("idempotency_key: str | None = None")
    signature = ["self", *arguments, *(["*"] if keywords or headers else []), *keywords, *headers]

    call = [f'"{verb.upper()}"', f'f"{_filled(path)}"' if in_path else f'"{path}"']
    if in_query:
        call.append("query={" + ", ".join(f'"{p["name"]}": {_argument(p["name"])}' for p in in_query) + "}")
    if body is not None:
        call.append("body=body")
    given = {_header_name(p["name"]): _HEADERS[p["name"].lower()] for p in in_header}
    if given:
        call.append("headers={" + ", ".join(f'"{header}": {value}' for header, value in given.items()) + "}")
    if verb == "post":
        call.append("idempotency_key=idempotency_key")
    made = {
        "model": f"return self._model(models.{answer}, self._call({', '.join(call)}))",
        "json": f"return self._call({', '.join(call)}).json()",
        "file": f"return self._call({', '.join(call)}).content",
        "nothing": f"self._call({', '.join(call)})",
        "several": f"answer = self._call({', '.join(call)})\n        return {_by_status(by_status)}"
        if by_status
        else "",
    }[kind]
    result = {
        "model": f"models.{answer}",
        "json": "Any",
        "file": "bytes",
        "nothing": "None",
        "several": " | ".join(dict.fromkeys(by_status.values())),
    }[kind]
    text = f"    def {name}({', '.join(signature)}) -> {result}:\n"
    text += _docstring(operation.get("description") or operation.get("summary", name), "        ") + "\n"
    text += f"        {made}\n"
    if is_list:
        text += "\n" + _iterator(name, arguments, in_query, answer)
    return text


def _iterator(name: str, arguments: list[str], in_query: list[dict[str, Any]], answer: str) -> str:
    filters = [p for p in in_query if p["name"] not in LISTS]
    keywords = [f"{_argument(p['name'])}: {_query_type(p)}" for p in filters]
    row = answer.removeprefix("Page")
    passed = [argument.split(":")[0] for argument in arguments]
    passed += [f"{_argument(p['name'])}={_argument(p['name'])}" for p in filters]
    signature = ["self", *arguments, "*", *keywords, "page_size: int = 200"]
    return (
        f"    def iter_{name.removeprefix('list_')}({', '.join(signature)}) -> Iterator[models.{row}]:\n"
        f'        """Every row of `{name}`, page after page."""\n'
        f"        cursor: str | None = None\n"
        f"        while True:\n"
        f"            page = self.{name}({', '.join([*passed, 'limit=page_size', 'cursor=cursor'])})\n"
        f"            yield from page.items\n"
        f"            cursor = page.next_cursor\n"
        f"            if cursor is None:\n"
        f"                return\n"
    )


_HEADERS: Final = {"if-match": "if_match", "if-none-match": "if_none_match"}


def _header_name(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _argument(name: str) -> str:
    name = re.sub(r"\W", "_", name)
    return f"{name}_" if keyword.iskeyword(name) else name


def _query_type(parameter: dict[str, Any]) -> str:
    if parameter.get("style") == "deepObject":
        return "Mapping[str, str] | None = None"
    kind = type_of(parameter["schema"])
    kind = re.sub(r"\b([A-Z]\w+)\b", lambda found: found[1] if found[1] in {"None", "Any"} else "str", kind)
    kind = " | ".join(dict.fromkeys(kind.split(" | ")))
    if parameter.get("required"):
        return kind
    return f"{kind if 'None' in kind.split(' | ') else kind + ' | None'} = None"


def _filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", r"{self._segment(\1)}", path)


def _answer(operation: dict[str, Any]) -> tuple[str, str]:
    """Name of the model and kind of the answer: model, json, file or nothing."""
    for status, described in sorted(operation["responses"].items()):
        if not str(status).startswith("2"):
            continue
        content = described.get("content") or {}
        if JSON in content:
            kind = type_of(content[JSON]["schema"])
            return (kind, "model") if re.fullmatch(r"[A-Z]\w+", kind) and kind != "Any" else ("", "json")
        if content:
            return "", "file"
    return "", "nothing"


def _answers_by_status(operation: dict[str, Any]) -> dict[int, str]:
    """Status to model where an operation answers in several shapes, such as the thing or a proposal; else empty."""
    found: dict[int, str] = {}
    for status, described in operation["responses"].items():
        if not str(status).startswith("2"):
            continue
        content = described.get("content") or {}
        kind = type_of(content[JSON]["schema"]) if JSON in content else "None"
        if content and (kind in ("Any", "None") or not re.fullmatch(r"[A-Z]\w+", kind)):
            return {}
        found[int(status)] = kind if kind == "None" else f"models.{kind}"
    return found if len(set(found.values())) > 1 else {}


def _by_status(answers: dict[int, str]) -> str:
    """An expression that reads `answer` in the shape of its status."""
    read = {status: "None" if model == "None" else f"self._model({model}, answer)" for status, model in answers.items()}
    *others, last = sorted(read)
    expression = read[last]
    for status in reversed(others):
        expression = f"{read[status]} if answer.status_code == {status} else {expression}"
    return expression


def main() -> int:
    """Write both files; with `--check` only compare them."""
    document = yaml.safe_load(DESCRIPTION.read_text())
    is_stale = False
    for name, made in (("models.py", models(document)), ("operations.py", operations(document))):
        path = PACKAGE / name
        text = _formatted(made, path)
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            is_stale = True
            sys.stderr.write(f"{path.name} is out of date; run python clients/python/generate.py\n")
    return 1 if is_stale else 0


def _formatted(text: str, path: Path) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", str(path), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    raise SystemExit(main())
