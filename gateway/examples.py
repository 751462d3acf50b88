"""Examples for the description: one office's invented data, with valid check digits, that fit their schemas (API-09).

An example is made from the schema, so that it cannot drift from it: the name of a field chooses the value, the schema
decides whether it fits. A test validates every example of the document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

VALUES: Final[Mapping[str, Any]] = {
    "name": "Bakkerij Voorbeeld BV",
    "sent_name": "Bakkerij Voorbeeld BV",
    "first_name": "An",
    "last_name": "Voorbeeld",
    "email": "an.voorbeeld@example.be",
    "password": "correct horse battery",
    "code": "123456",
    "phone": "+3225550100",
    "iban": "BE34103071423390",
    "counterparty_iban": "BE12310291417792",
    "bic": "NICABEBB",
    "bics": ["NICABEBB"],
    "enterprise_number": "0477472701",
    "external_id": "client-0042",
    "dossier_code": "A1",
    "financial_year_end": "12-31",
    "alias": "Zichtrekening",
    "currency": "EUR",
    "amount": "1250.00",
    "text": "Factuur 2026-118",
    "reference": "+++291/4177/76370+++",
    "source_reference": "2026-118",
    "language": "nl",
    "bank_id": "crelan",
    "bank_name": "Crelan",
    "return_url": "https://portal.example.be/banks",
    "lei": "529900T8BM49AURSDO55",
    "authorisation_url": "https://sluis.example.be/link/3q2-7w",
    "renewal_url": "https://sluis.example.be/renewal/off_01jd.3q2-7w",
    "token": "sluis_test_3q2-7wAAvB",
    "prefix": "sluis_test_3q2-",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "file_name": "Bakkerij_2026_001.cod",
    "street": "Kerkstraat",
    "building_number": "12",
    "postal_code": "9000",
    "post_code": "9000",
    "town": "Gent",
    "country": "BE",
    "type": "/docs/errors#not_found",
    "title": "There is nothing here under this id",
    "request_id": "01a222ea-cd71-76e7-94d4-52a3949e6a7c",
    "pointer": "/items/0/amount",
    "url": "https://portal.example.be/hooks",
    "purpose": "SUPP",
    "kind": "unstructured",
    "status": "created",
    "detail": "There is nothing here under this id",
    "hint": "Check the id.",
    "issuer": "BBA",
    "next_cursor": None,
    "number": 1,
    "year": 2026,
    "labels": ["kantoor"],
    "scopes": ["coda", "accounts"],
    "booked_balance": "yes",
    "pending": "yes",
    "proof": "simulated",
    "route": "direct",
    "user_hint": "Houd uw kaartlezer klaar.",
    "version": 1,
    "position": 1,
    "entries": 1,
    "done": 1200,
    "total": 5000,
    "mac": "9f86d081884c7d65",
}
"""By name of a field; used where it fits the schema."""
_BY_FORMAT: Final[Mapping[str, str]] = {
    "date": "2026-11-21",
    "date-time": "2026-11-21T08:15:00Z",
    "email": "an.voorbeeld@example.be",
    "uri": "https://portal.example.be/",
    "binary": "",
    "password": "correct horse battery",
    "uuid": "019aa72f-0000-7000-8000-000000000001",
}
_DEPTH_MAX: Final = 8


class ExampleMissing(Exception):
    """No value that fits; give one in `VALUES` or with `examples=` on the field."""


class Examples:
    """Makes examples for one document."""

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self.schemas = schemas

    def of(self, schema: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
        """A value of this schema for a field of this name; raises `ExampleMissing`."""
        if "$ref" in schema:
            return self.of(self.schemas[schema["$ref"].rpartition("/")[2]], name, depth)
        if schema.get("examples"):
            return schema["examples"][0]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return VALUES[name] if VALUES.get(name) in schema["enum"] else schema["enum"][0]
        for combined in ("anyOf", "oneOf", "allOf"):
            if combined in schema:
                return self._chosen(schema[combined], name, depth)
        return self._plain(schema, name, depth)

    def _chosen(self, choices: list[Mapping[str, Any]], name: str, depth: int) -> Any:
        filled = [choice for choice in choices if choice.get("type") != "null"]
        if depth >= _DEPTH_MAX and len(filled) < len(choices):
            return None
        if name in VALUES and VALUES[name] is None and len(filled) < len(choices):
            return None
        return self.of(filled[0], name, depth)

    def _plain(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next(one for one in kind if one != "null")
        given = VALUES["iban"] if name.endswith("iban") else VALUES.get(name)
        made: Any = given
        match kind:
            case "object":
                made = self._object(schema, depth)
            case "array" if not isinstance(given, list):
                inner = name.removesuffix("s")
                count = 0 if depth >= _DEPTH_MAX else max(1, schema.get("minItems", 1))
                made = [self.of(schema.get("items", {}), inner, depth + 1) for _ in range(count)]
            case "string":
                made = self._text(schema, given, name)
            case "integer" | "number":
                made = _number(schema, given)
            case "boolean":
                made = bool(schema.get("default")) or name.startswith("is_")
            case "null":
                made = None
            case None:
                made = {} if given is None else given
        return made

    def _object(self, schema: Mapping[str, Any], depth: int) -> Any:
        properties = schema.get("properties")
        if properties is None:
            return {}
        required = set(schema.get("required", ()))
        return {
            field: self.of(inner, field, depth + 1)
            for field, inner in properties.items()
            if field in required or depth < 3
        }

    def _text(self, schema: Mapping[str, Any], given: Any, name: str) -> str:
        if schema.get("format") in _BY_FORMAT:
            return _BY_FORMAT[schema["format"]]
        candidates = [given] if isinstance(given, str) else []
        candidates += [schema["default"]] if isinstance(schema.get("default"), str) else []
        candidates += ["Voorbeeld", "voorbeeld", "EUR", "BE", "1", "12-31", "2026", "A" * schema.get("minLength", 1)]
        candidates += [VALUES["sha256"], "0477472701", "BE34103071423390", "2026-118", "sluis.example.be", "coda"]
        for candidate in candidates:
            if _fits(schema, candidate):
                return str(candidate)
        raise ExampleMissing(f"{name}: {schema}")


def _fits(schema: Mapping[str, Any], text: str) -> bool:
    pattern = schema.get("pattern")
    return schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)) and (
        pattern is None or re.search(pattern, text) is not None
    )


def _number(schema: Mapping[str, Any], given: Any) -> int:
    low, high = int(schema.get("minimum", 0)), schema.get("maximum")
    wanted = given if isinstance(given, int) and not isinstance(given, bool) else max(low, 1)
    return int(wanted if wanted >= low and (high is None or wanted <= high) else low)
