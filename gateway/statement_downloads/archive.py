"""The ZIP of a download: its files as they are read, and at its end a manifest of what was written (STA-22).

The manifest is made from the bytes that went into the archive, so it cannot say anything else. Only what is being
written is in memory, whatever the number of statements.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from gateway.clock import BRUSSELS
from gateway.ids import encode
from gateway.statement_downloads.joined import adapted
from gateway.statement_downloads.selection import Selected, SelectedFile, by_account

MANIFEST: Final = "manifest.json"
ORIGIN: Final = "derived from PSD2"
"""What every file here is; files that the bank made are passed on elsewhere (STA-18)."""
_MODE: Final = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive and the statements in it; `pieces` are its bytes, read once."""

    name: str
    statements: Sequence[Selected]
    pieces: Iterable[bytes]


@dataclass(slots=True)
class _Sink:
    """What the archive wrote and nobody took yet; it cannot be sought in, so sizes stand behind each file."""

    chunks: list[bytes] = field(default_factory=list)

    def write(self, data: Any) -> int:
        self.chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        data = b"".join(self.chunks)
        self.chunks.clear()
        return data


def members(selected: Sequence[Selected], files: Iterable[SelectedFile], *, is_joined: bool) -> Iterator[Member]:
    """A file per statement, or one per account with its statements in number order; `files` come in that order."""
    rows, names = iter(files), set[str]()
    for group in by_account(selected):
        first = group[0]
        if is_joined:
            yield Member(_free(joined_name(first), first, names), group, joined(rows, len(group)))
            continue
        for each in group:
            yield Member(_free(each.file_name, each, names), [each], (next(rows).content,))


def joined(files: Iterator[SelectedFile], count: int) -> Iterator[bytes]:
    """The next `count` files as one physical file, piece by piece."""
    for position in range(1, count + 1):
        yield adapted(next(files).content, is_last=position == count)


def joined_name(statement: Selected) -> str:
    """`IBAN_CURRENCY.cod`."""
    return f"{statement.iban}_{statement.currency}.cod"


def archive(office_name: str, made_at: datetime, parts: Iterable[Member]) -> Iterator[bytes]:
    """The ZIP in pieces, the manifest last."""
    sink, listed = _Sink(), list[dict[str, Any]]()
    with zipfile.ZipFile(sink, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as made:  # type: ignore[call-overload]  # writing needs no more of a stream
        for member in parts:
            digest, size = hashlib.sha256(), 0
            with made.open(_info(member.name, made_at), "w") as target:
                for piece in member.pieces:
                    target.write(piece)
                    digest.update(piece)
                    size += len(piece)
                    yield sink.taken()
            listed.append(_entry(member, digest.hexdigest(), size))
        with made.open(_info(MANIFEST, made_at), "w") as target:
            text = json.dumps(_manifest(office_name, made_at, listed), indent=2, ensure_ascii=False)
            target.write(f"{text}\n".encode())
    yield sink.taken()


def _free(name: str, statement: Selected, names: set[str]) -> str:
    """The name, behind the id of the account where another account of the office has the same number."""
    found = name if name not in names else f"{encode('account', statement.account_id)}_{name}"
    names.add(found)
    return found


def _info(name: str, made_at: datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, made_at.astimezone(BRUSSELS).timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = _MODE
    info.create_system = 3
    return info


def _entry(member: Member, sha256: str, size: int) -> dict[str, Any]:
    first = member.statements[0]
    return {
        "name": member.name,
        "sha256": sha256,
        "size": size,
        "origin": ORIGIN,
        "account_id": encode("account", first.account_id),
        "iban": first.iban,
        "currency": first.currency,
        **_sums(member.statements),
        "statements": [_statement(each) for each in member.statements],
    }


def _statement(each: Selected) -> dict[str, Any]:
    return {
        "id": encode("statement", each.id),
        "year": each.year,
        "number": each.number,
        "closing_date": each.day.isoformat(),
        "state": each.state,
        "proof": each.proof,
        "restarted": each.is_restarted,
        "opening_balance": _amount(each.opening_balance),
        "closing_balance": _amount(each.closing_balance),
        "entries_count": each.entries_count,
        "credit_total": _amount(each.credit_total),
        "debit_total": _amount(each.debit_total),
        "issued_name": each.file_name,
        "issued_sha256": each.sha256,
    }


def _manifest(office_name: str, made_at: datetime, listed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    currencies = sorted({entry["currency"] for entry in listed})
    return {
        "office": office_name,
        "made_at": made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "files_count": len(listed),
        "statements_count": sum(entry["statements_count"] for entry in listed),
        "entries_count": sum(entry["entries_count"] for entry in listed),
        # Currencies are never added up.
        "totals": [
            {
                "currency": currency,
                **{
                    name: _amount(
                        sum((Decimal(entry[name]) for entry in listed if entry["currency"] == currency), Decimal(0))
                    )
                    for name in ("credit_total", "debit_total")
                },
            }
            for currency in currencies
        ],
        "files": list(listed),
    }


def _sums(statements: Sequence[Selected]) -> dict[str, Any]:
    return {
        "statements_count": len(statements),
        "entries_count": sum(each.entries_count for each in statements),
        "credit_total": _amount(sum((each.credit_total for each in statements), Decimal(0))),
        "debit_total": _amount(sum((each.debit_total for each in statements), Decimal(0))),
    }


def _amount(value: Decimal) -> str:
    """Two decimals, three only where the amount has them."""
    cents = value.quantize(Decimal("0.01"))
    return str(cents if cents == value else value.quantize(Decimal("0.001")))
