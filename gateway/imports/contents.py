"""What a row says, sealed with the installation's key: personal data that nobody reads in the database (OFF-12)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from gateway.crypto import KeyRing
from gateway.imports.checks import Columns, Judged, Typed
from gateway.imports.models import ClientImport, ClientImportRow
from gateway.imports.tables import Header

TABLE: Final = "client_import_row"


def seal(keys: KeyRing, office_id: UUID, row_id: UUID, content: dict[str, Any]) -> bytes:
    """Encrypt, bound to office and row."""
    plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return keys.encrypt(plain, office_id=office_id, table=TABLE, row_id=row_id)


def opened(keys: KeyRing, row: ClientImportRow) -> dict[str, Any]:
    """The content of a row."""
    content: dict[str, Any] = json.loads(
        keys.decrypt(row.content_cipher, office_id=row.office_id, table=TABLE, row_id=row.id)
    )
    return content


def content_of(judged: Judged) -> dict[str, Any]:
    """A judged row as it is stored."""
    return {
        "cells": dict(judged.typed.cells),
        "refused": dict(judged.typed.refused),
        "elsewhere": dict(judged.typed.refused_elsewhere),
        "name": judged.wish.get("name"),
        "faults": [fault.stored() for fault in judged.faults],
        "changes": judged.changes,
        "warnings": judged.warnings,
    }


def typed_of(number: int, content: dict[str, Any]) -> Typed:
    """The cells of a stored row."""
    return Typed(number, content["cells"], content["refused"], content["elsewhere"])


def stored_columns(headers: Sequence[Header]) -> list[dict[str, Any]]:
    """The columns of a file as kept with the import."""
    return [{"letter": header.letter, "header": header.text, "field": header.field} for header in headers]


def columns_of(client_import: ClientImport) -> Columns:
    """Where each field stood."""
    return Columns(
        Header(index, stored["letter"], stored["header"], stored["field"])
        for index, stored in enumerate(client_import.columns)
    )
