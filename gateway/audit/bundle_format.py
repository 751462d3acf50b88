"""The ZIP of a bundle: which files, how they are written, always the same bytes for the same content.

`manifest.json` names every other file with size and SHA-256, the signed head of the audit chain and the sums;
`manifest.sig` signs it. The rest are JSON lines, sorted, and the files as they were issued. Nothing here opens a
database: the same names are used by the check.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from gateway.audit.chain import canonical_json

KIND: Final = "sluis audit bundle"
VERSION: Final = 3
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
CHAIN: Final = "chain.jsonl"
HEADS: Final = "heads.jsonl"
VALUES: Final = "values.jsonl"
LISTS: Final = "lists.json"
SAMPLE: Final = "sample.json"
ROWS_2: Final = (
    "accounts", "approval_requests", "approval_settings", "approvals", "booked_debits", "clients", "export_payments",
    "exports", "payments", "people", "returns", "rule_versions", "statements",
)  # fmt: skip
ROWS: Final = (*ROWS_2, "address_changes", "decision_signatures", "move_accounts", "moves", "signing_limits")
ROWS_OF: Final = {2: ROWS_2, VERSION: ROWS}
"""Kinds of rows by version; a bundle that was handed out stays checkable."""
NOT_INCLUDED: Final = ("deputies",)
"""Named in every manifest: what the product does not record yet, so that nobody takes its absence for its emptiness."""
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o100600 << 16


def lines(documents: Iterable[Any]) -> bytes:
    """JSON lines."""
    return b"".join(canonical_json(document) + b"\n" for document in documents)


def rows_file(name: str) -> str:
    """Path of the rows of one kind."""
    return f"rows/{name}.jsonl"


def signed_bytes(manifest: bytes) -> bytes:
    """What the signature of a bundle covers."""
    return b"sluis audit bundle\0" + manifest


def sums(rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Counts of every kind, and what payments and files come to."""
    return {
        "rows": {name: len(found) for name, found in sorted(rows.items())},
        "payments_total": _total(row["amount"] for row in rows["payments"]),
        "booked_debits_total": _total(row["amount"] for row in rows["booked_debits"]),
        "returns_total": _total(row["amount"] for row in rows["returns"]),
        "exports_total": _total(row["total"] for row in rows["exports"]),
        "exported_payments": sum(int(row["payment_count"]) for row in rows["exports"]),
    }


def described(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 by path."""
    return {
        path: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for path, content in sorted(files.items())
    }


def packed(files: Mapping[str, bytes]) -> bytes:
    """The ZIP: sorted, without moments of its own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path, content in sorted(files.items()):
            info = zipfile.ZipInfo(path, _MOMENT)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = _MODE
            info.create_system = 3
            archive.writestr(info, content)
    return buffer.getvalue()


def lists_of(content: bytes) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """The exception lists and the ids of the sample in a bundle of ours."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read(LISTS)), json.loads(archive.read(SAMPLE))["payment_ids"]


def _total(amounts: Iterable[str]) -> str:
    return f"{sum((Decimal(amount) for amount in amounts), Decimal(0)):.2f}"
