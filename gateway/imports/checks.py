"""Judging the rows of a file: each cell, each key against the whole file, each row against the office (OFF-13, OFF-14).

Pure: what the office has is handed in. An empty cell, like a column that is not in the file, leaves a value as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from connectors import registry
from gateway.imports import values
from gateway.imports.columns import key_of
from gateway.imports.faults import CellFault
from gateway.imports.models import RowKind
from gateway.imports.present import PROFILE_FIELDS, Lists, Present, PresentClient
from gateway.imports.tables import Cell, Header, Row
from gateway.imports.values import READERS, Faulty
from gateway.offices.models import ClientState
from gateway.profiles.models import KnownAccount

FIRST_ACCOUNT_FIELDS: Final = ("next_coda_number", "last_balance")
DEFAULT_YEAR_END: Final = "12-31"


@dataclass(frozen=True, slots=True)
class Typed:
    """The cells of one row, by field; `refused` are those whose text is not kept, with the code of their fault."""

    number: int
    cells: Mapping[str, str]
    refused: Mapping[str, str] = field(default_factory=dict)
    refused_elsewhere: Mapping[str, str] = field(default_factory=dict)
    """The same for columns that are passed over, by column letter or name."""


@dataclass(slots=True)
class Judged:
    """One row, judged."""

    typed: Typed
    wish: dict[str, Any] = field(default_factory=dict)
    """Values by field, as JSON; `accounts` is a list."""
    faults: list[CellFault] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    """Field, old and new value, of a client that exists; for a new one, what it gets."""
    warnings: list[str] = field(default_factory=list)
    client_id: UUID | None = None

    @property
    def kind(self) -> RowKind:
        """How it is sorted."""
        if self.faults:
            return RowKind.INVALID
        return RowKind.EXISTING if self.client_id is not None else RowKind.NEW


class Columns:
    """Where each field stands in the file, for naming cells."""

    def __init__(self, headers: Iterable[Header]) -> None:
        self.of_field = {header.field: (header.letter, header.text) for header in headers if header.field}

    def fault(self, name: str, code: str, **parameters: Any) -> CellFault:
        """A fault of the cell of this field; a column that is missing is named by its field."""
        letter, text = self.of_field.get(name, (None, name))
        return CellFault(name, letter, text, code, parameters)


def typed_rows(headers: Sequence[Header], rows: Iterable[Row]) -> list[Typed]:
    """The rows of a table by field."""
    by_index = {header.index: header for header in headers}
    made = []
    for row in rows:
        cells: dict[str, str] = {}
        refused: dict[str, str] = {}
        elsewhere: dict[str, str] = {}
        for index, cell in row.cells.items():
            header = by_index.get(index)
            if header is not None and header.field is not None:
                _sort(cell, header.field, cells, refused)
            elif cell.fault == "national_number_refused":
                elsewhere[_column_name(header, index)] = cell.fault
        made.append(Typed(row.number, cells, refused, elsewhere))
    return made


def _sort(cell: Cell, name: str, cells: dict[str, str], refused: dict[str, str]) -> None:
    if cell.fault is None:
        cells[name] = cell.text
    else:
        refused[name] = cell.fault


def _column_name(header: Header | None, index: int) -> str:
    return str(index) if header is None else header.letter or header.text


def read_rows(rows: Iterable[Typed], columns: Columns, lists: Lists) -> list[Judged]:
    """Each cell by itself; keys and accounts are compared with the rest by `judge`."""
    return [_read(row, columns, lists) for row in rows]


def keys_of(judged: Iterable[Judged]) -> dict[str, list[str]]:
    """What `present.load` needs to be asked for."""
    numbers: list[str] = []
    external_ids: list[str] = []
    ibans: list[str] = []
    for row in judged:
        if "enterprise_number" in row.wish:
            numbers.append(row.wish["enterprise_number"])
        if "external_id" in row.wish:
            external_ids.append(row.wish["external_id"])
        ibans.extend(account["iban"] for account in row.wish.get("accounts", ()))
    return {"numbers": numbers, "external_ids": external_ids, "ibans": ibans}


def judge(rows: Sequence[Judged], columns: Columns, present: Present) -> None:
    """Compare keys and account numbers within the file, and every row with what the office has."""
    _find_twins(rows, columns)
    _find_shared_accounts(rows, columns)
    for row in rows:
        _compare(row, columns, present)


def _read(row: Typed, columns: Columns, lists: Lists) -> Judged:
    judged = Judged(row)
    for name, code in row.refused.items():
        judged.faults.append(columns.fault(name, code, max=values.NAME_MAX if code == "too_long" else None))
    for name, code in row.refused_elsewhere.items():
        judged.faults.append(CellFault("", name, name, code))
    for name, text in row.cells.items():
        try:
            judged.wish.update(_value(name, text, lists))
        except Faulty as fault:
            judged.faults.append(columns.fault(name, fault.code, **fault.parameters))
    _gather_accounts(judged, columns)
    _require_sense(judged, columns)
    return judged


def _value(name: str, text: str, lists: Lists) -> dict[str, Any]:
    kind, _, _number = name.rpartition("_")
    if kind == "iban":
        return {name: values.iban(text)}
    if kind == "bank":
        return {name: values.bank(text, lists.banks)}
    if name == "responsible_email":
        address = values.email(text)
        if address not in lists.people:
            raise Faulty("responsible_unknown")
        return {name: address, "responsible_id": str(lists.people[address])}
    if name == "group":
        group = lists.groups.get(key_of(values.text(text)))
        if group is None:
            raise Faulty("group_unknown")
        return {name: values.text(text), "group_id": str(group)}
    return {name: READERS[name](text)}


def _gather_accounts(judged: Judged, columns: Columns) -> None:
    """`iban_n` and `bank_n` become one list; a bank that is not named is the one whose code stands in the number."""
    wish, accounts = judged.wish, []
    faulty = {fault.field for fault in judged.faults}
    seen: set[str] = set()
    numbers = sorted({int(name.rpartition("_")[2]) for name in wish if name.rpartition("_")[0] in ("iban", "bank")})
    for number in numbers:
        iban, bank = wish.pop(f"iban_{number}", None), wish.pop(f"bank_{number}", None)
        if iban is None:
            if f"iban_{number}" not in faulty:
                judged.faults.append(columns.fault(f"bank_{number}", "bank_without_iban"))
            continue
        if iban in seen:
            judged.faults.append(columns.fault(f"iban_{number}", "iban_twice", row=judged.typed.number))
            continue
        seen.add(iban)
        if bank is None:
            found = registry.bank_for_iban(iban)
            bank = {"bank_id": found[0].bank_id if len(found) == 1 else None, "bic": None}
        accounts.append({"field": f"iban_{number}", "iban": iban, **bank})
    if accounts:
        wish["accounts"] = accounts


def _require_sense(judged: Judged, columns: Columns) -> None:
    wish, cells = judged.wish, judged.typed.cells
    faulty = {fault.field for fault in judged.faults}
    if not faulty & {"enterprise_number", "external_id"} and not wish.keys() & {"enterprise_number", "external_id"}:
        judged.faults.append(columns.fault("enterprise_number", "key_missing"))
    if not any(name.startswith("iban_") for name in (*cells, *judged.typed.refused)):
        judged.faults.extend(
            columns.fault(name, "account_needed") for name in ("statements_from", *FIRST_ACCOUNT_FIELDS) if name in wish
        )
    elif "iban_1" not in cells and "iban_1" not in judged.typed.refused:
        judged.faults.extend(columns.fault(name, "account_needed") for name in FIRST_ACCOUNT_FIELDS if name in wish)
    if wish.get("delivery") == "email" and "destination" in wish:
        try:
            wish["destination"] = values.email(wish["destination"])
        except Faulty as fault:
            judged.faults.append(columns.fault("destination", fault.code))


def _key(wish: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "enterprise_number" in wish:
        return ("number", wish["enterprise_number"], wish.get("dossier_code", ""))
    return ("external", wish["external_id"]) if "external_id" in wish else None


def _find_twins(rows: Sequence[Judged], columns: Columns) -> None:
    by_key: dict[tuple[str, ...], list[Judged]] = {}
    by_external: dict[str, list[Judged]] = {}
    for row in rows:
        key = _key(row.wish)
        if key is not None:
            by_key.setdefault(key, []).append(row)
        if "external_id" in row.wish:
            by_external.setdefault(row.wish["external_id"], []).append(row)
    told: set[int] = set()
    for name, groups in (("enterprise_number", by_key), ("external_id", by_external)):
        for twins in groups.values():
            if len(twins) < 2:
                continue
            for index, row in enumerate(twins):
                other = twins[1 if index == 0 else 0].typed.number
                at = name if name in row.wish else "external_id"
                if id(row) not in told:
                    row.faults.append(columns.fault(at, "key_twice", row=other))
                told.add(id(row))


def _find_shared_accounts(rows: Sequence[Judged], columns: Columns) -> None:
    first: dict[str, Judged] = {}
    for row in rows:
        for account in row.wish.get("accounts", ()):
            holder = first.setdefault(account["iban"], row)
            if holder is not row and _key(holder.wish) != _key(row.wish):
                row.faults.append(columns.fault(account["field"], "iban_twice", row=holder.typed.number))


def _compare(row: Judged, columns: Columns, present: Present) -> None:
    wish = row.wish
    found = _find(wish, present)
    row.client_id = None if found is None else found.client.id
    if "external_id" in wish and present.by_external_id.get(wish["external_id"], row.client_id) != row.client_id:
        row.faults.append(columns.fault("external_id", "external_id_taken"))
    for account in wish.get("accounts", ()):
        owner = present.owners.get(account["iban"])
        if owner is not None and owner != row.client_id:
            row.faults.append(columns.fault(account["field"], "iban_of_other_client"))
    if found is None:
        if "name" not in wish and not any(fault.field == "name" for fault in row.faults):
            row.faults.append(columns.fault("name", "name_missing"))
    elif found.client.state in (ClientState.CLOSED, ClientState.SUSPENDED):
        name = "enterprise_number" if "enterprise_number" in wish else "external_id"
        row.faults.append(columns.fault(name, f"client_{found.client.state.value}"))
    row.changes = changes_of(wish, found, present)
    row.warnings = _warnings(wish, found, present)


def _find(wish: Mapping[str, Any], present: Present) -> PresentClient | None:
    if "enterprise_number" in wish:
        client_id = present.by_number.get((wish["enterprise_number"], wish.get("dossier_code", "")))
    else:
        client_id = present.by_external_id.get(wish.get("external_id", ""))
    return None if client_id is None else present.clients[client_id]


def changes_of(wish: Mapping[str, Any], found: PresentClient | None, present: Present) -> list[dict[str, Any]]:
    """Every field that would get another value, with the old one (None: was empty)."""
    changes: list[dict[str, Any]] = []

    def note(name: str, old: Any, new: Any) -> None:
        if old != new:
            changes.append({"field": name, "old": old, "new": new})

    client = None if found is None else found.client
    profile = None if found is None else found.profile
    for name in ("enterprise_number", "dossier_code", "external_id", "name", "language", "financial_year_end"):
        if name in wish:
            note(name, None if client is None else getattr(client, name), wish[name])
    for name in PROFILE_FIELDS:
        if name in wish:
            note(name, None if profile is None else getattr(profile, name), wish[name])
    if "labels" in wish:
        note("labels", [] if profile is None else list(profile.labels), wish["labels"])
    if "responsible_id" in wish:
        note(
            "responsible_email",
            present.email_of(profile.responsible_id) if profile else None,
            wish["responsible_email"],
        )
    if "group_id" in wish and (found is None or UUID(wish["group_id"]) not in found.groups):
        note("group", None, wish["group"])
    _account_changes(wish, {} if found is None else found.accounts, note)
    return changes


def _account_changes(
    wish: Mapping[str, Any], known: Mapping[str, KnownAccount], note: Callable[[str, Any, Any], None]
) -> None:
    accounts = wish.get("accounts", ())
    for account in accounts:
        there = known.get(account["iban"])
        if there is None:
            note(account["field"], None, account["iban"])
        bank = account["bank_id"] or account["bic"]
        if bank is not None:
            note(account["field"].replace("iban", "bank"), there and (there.bank_id or there.bic), bank)
    if "statements_from" in wish:
        wanted = wish["statements_from"]
        days = [there and there.statements_from for there in (known.get(account["iban"]) for account in accounts)]
        shown = [found_day and found_day.isoformat() for found_day in days]
        note("statements_from", next((found_day for found_day in shown if found_day != wanted), wanted), wanted)
    there = known.get(accounts[0]["iban"]) if accounts else None
    if "next_coda_number" in wish:
        note("next_coda_number", there and there.next_coda_number, wish["next_coda_number"])
    if "last_balance" in wish:
        old = None if there is None or there.last_balance is None else values.amount_text(there.last_balance)
        note("last_balance", old, wish["last_balance"])


def _warnings(wish: Mapping[str, Any], found: PresentClient | None, present: Present) -> list[str]:
    profile = None if found is None else found.profile
    warnings = []
    destination = wish.get("destination") or (profile.destination if profile else None)
    delivery = wish.get("delivery") or (profile.delivery if profile else None)
    if delivery not in ("download", "agent", "manual") and not destination:
        warnings.append("destination_missing")
    if "destination" in wish and (profile is None or profile.destination != wish["destination"]):
        warnings.append("destination_unconfirmed")
    if "contact_email" in wish and (profile is None or profile.contact_email != wish["contact_email"]):
        warnings.append("contact_unconfirmed")
    if any(account["iban"] in present.connected for account in wish.get("accounts", ())):
        warnings.append("account_connected")
    return warnings
