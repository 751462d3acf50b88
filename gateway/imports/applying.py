"""Writing rows to clients, and taking that back: bulk statements, the same few however many rows.

What was written is kept with the row, table by table with old and new value, so that an undo restores exactly that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Uuid, delete, insert, text, tuple_, update
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.addresses.models import AddressChange
from gateway.addresses.repository import AddressRepository
from gateway.addresses.states import AddressKind
from gateway.addresses.waiting import CONTACT_ADDRESSES, MOMENTS, let_wait
from gateway.approvals.models import ApprovalRule, ApprovalSettings, ApproverGroup
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.client_groups.models import ClientGroupClient
from gateway.ids import new_id
from gateway.imports.checks import DEFAULT_YEAR_END, FIRST_ACCOUNT_FIELDS, Judged
from gateway.imports.present import PROFILE_FIELDS, Present, PresentClient, among
from gateway.offices.copying import copy_template, present_template
from gateway.offices.models import AccessGrant, Client, ClientSettings, ClientState
from gateway.offices.template import Template
from gateway.profiles.models import ClientProfile, KnownAccount
from gateway.profiles.records import CONFIRMED, CONTACT_FIELDS, DELIVERY_FIELDS

CLIENT_FIELDS: Final = ("external_id", "name", "language", "financial_year_end")
ACCOUNT_FIELDS: Final = ("bank_id", "bic", "statements_from", "next_coda_number", "last_balance")

Fields = dict[str, tuple[Any, Any]]
"""Old and new value by column."""


@dataclass(slots=True)
class Written:
    """What one row changes."""

    client_id: UUID
    is_new: bool
    client: Fields = field(default_factory=dict)
    profile: Fields = field(default_factory=dict)
    accounts: dict[UUID, Fields] = field(default_factory=dict)
    """Known accounts that were there, by id."""
    new_accounts: list[dict[str, Any]] = field(default_factory=list)
    group_id: UUID | None = None
    """A group into which the client is put."""

    def stored(self) -> dict[str, Any]:
        """As kept with the row."""
        return {
            "is_new": self.is_new,
            "client": {name: [_json(old), _json(new)] for name, (old, new) in self.client.items()},
            "profile": {name: [_json(old), _json(new)] for name, (old, new) in self.profile.items()},
            "accounts": {
                str(account_id): {name: [_json(old), _json(new)] for name, (old, new) in fields.items()}
                for account_id, fields in self.accounts.items()
            },
            "new_accounts": [str(account["id"]) for account in self.new_accounts],
            "group_id": _json(self.group_id),
        }

    @property
    def is_empty(self) -> bool:
        """Nothing differs."""
        return not (self.is_new or self.client or self.profile or self.accounts or self.new_accounts or self.group_id)


def write(
    gateway: Gateway, session: Session, act: Act, rows: Sequence[Judged], office: Present, *, import_id: UUID
) -> list[Written]:
    """Create and change the clients of valid rows; one result per row."""
    written = [_plan(act, row, office, import_id) for row in rows]
    connection = session.connection()
    new = [(row, done) for row, done in zip(rows, written, strict=True) if done.is_new]
    template, template_version = present_template(session, act.office_id)
    if new:
        connection.execute(insert(Client), [_client_row(act, row, done, office, template) for row, done in new])
        connection.execute(insert(AccessGrant), [_grant_row(act, done.client_id) for _row, done in new])
        for _row, done in new:
            # What the file leaves open begins as the template says; a destination waits for its confirmation.
            given = {name for name, (_old, value) in done.profile.items() if value not in (None, [])}
            done.profile |= {name: (None, value) for name, value in template.delivery.items() if name not in given}
    changed = [done for done in written if not done.is_new and done.client]
    if changed:
        session.execute(
            update(Client),
            [
                _whole(office.clients[done.client_id].client, done.client, ("id", *CLIENT_FIELDS, "version"))
                for done in changed
            ],
        )
    _write_profiles(session, act, written, office)
    waiting = [
        (done.client_id, kind)
        for done in written
        for kind in _changed_kinds(done.profile, office.clients[done.client_id].profile if not done.is_new else None)
    ]
    let_wait(session, act, waiting, import_id=import_id)
    accounts = [account for done in written for account in done.new_accounts]
    if accounts:
        connection.execute(insert(KnownAccount), accounts)
    grouped = [
        {"id": new_id(), "office_id": act.office_id, "group_id": done.group_id, "client_id": done.client_id}
        for done in written
        if done.group_id is not None
    ]
    if grouped:
        connection.execute(insert(ClientGroupClient), grouped)
    copy_template(gateway, session, act, [done.client_id for _row, done in new], (template, template_version))
    known = {account.id: account for found in office.clients.values() for account in found.accounts.values()}
    _update_accounts(session, known, {account_id: new for done in written for account_id, new in done.accounts.items()})
    for row, done in zip(rows, written, strict=True):
        if not done.is_empty:
            _record(gateway, session, act, done, row)
    return written


def _plan(act: Act, row: Judged, office: Present, import_id: UUID) -> Written:
    wish = row.wish
    found = None if row.client_id is None else office.clients[row.client_id]
    client_id = new_id() if found is None else found.client.id
    done = Written(client_id, found is None)
    if found is not None:
        done.client = {
            name: (getattr(found.client, name), wish[name])
            for name in CLIENT_FIELDS
            if name in wish and getattr(found.client, name) != wish[name]
        }
    if "group_id" in wish and (found is None or UUID(wish["group_id"]) not in found.groups):
        done.group_id = UUID(wish["group_id"])
    done.profile = _profile_changes(wish, None if found is None else found.profile)
    known = {} if found is None else found.accounts
    for index, account in enumerate(wish.get("accounts", ())):
        values = _account_values(wish, account, is_first=account["field"] == "iban_1")
        there = known.get(account["iban"])
        if there is None:
            done.new_accounts.append(
                {
                    "id": new_id(),
                    "office_id": act.office_id,
                    "client_id": client_id,
                    "iban": account["iban"],
                    "position": len(known) + index + 1,
                    "created_at": act.now,
                    "import_id": import_id,
                    **dict.fromkeys(ACCOUNT_FIELDS),
                    **values,
                }
            )
            continue
        differing = {
            name: (getattr(there, name), value) for name, value in values.items() if getattr(there, name) != value
        }
        if differing:
            done.accounts[there.id] = differing
    return done


def _profile_changes(wish: Mapping[str, Any], profile: ClientProfile | None) -> Fields:
    wanted = {name: wish[name] for name in PROFILE_FIELDS if name in wish}
    if "labels" in wish:
        wanted["labels"] = wish["labels"]
    if "responsible_id" in wish:
        wanted["responsible_id"] = UUID(wish["responsible_id"])
    changes: Fields = {}
    for name, value in wanted.items():
        old = _EMPTY.get(name) if profile is None else getattr(profile, name)
        if old != value:
            changes[name] = (old, value)
    # A changed address waits for its confirmation again (DEL-13).
    for fields, moment in CONFIRMED:
        confirmed = None if profile is None else getattr(profile, moment)
        if confirmed is not None and fields & changes.keys():
            changes[moment] = (confirmed, None)
    return changes


def _changed_kinds(changes: Fields, profile: ClientProfile | None) -> list[AddressKind]:
    """The kinds of addresses that another person must confirm after these changes."""

    def after(name: str) -> Any:
        return changes[name][1] if name in changes else getattr(profile, name, None)

    return [
        kind
        for kind, fields, addresses in (
            (AddressKind.CONTACT, CONTACT_FIELDS, CONTACT_ADDRESSES),
            (AddressKind.DESTINATION, DELIVERY_FIELDS, ("destination",)),
        )
        if fields & changes.keys() and any(after(name) for name in addresses)
    ]


_EMPTY: Final[Mapping[str, Any]] = {"labels": [], "send_invitation": False}


def _account_values(wish: Mapping[str, Any], account: Mapping[str, Any], *, is_first: bool) -> dict[str, Any]:
    values: dict[str, Any] = {name: account[name] for name in ("bank_id", "bic") if account[name] is not None}
    if "statements_from" in wish:
        values["statements_from"] = date.fromisoformat(wish["statements_from"])
    for name in FIRST_ACCOUNT_FIELDS if is_first else ():
        if name in wish:
            values[name] = Decimal(wish[name]) if name == "last_balance" else wish[name]
    return values


def _client_row(act: Act, row: Judged, done: Written, office: Present, template: Template) -> dict[str, Any]:
    wish = row.wish
    return {
        "id": done.client_id,
        "office_id": act.office_id,
        "enterprise_number": wish.get("enterprise_number"),
        "dossier_code": wish.get("dossier_code", ""),
        "external_id": wish.get("external_id"),
        "name": wish["name"],
        "language": wish.get("language", office.language),
        # Somebody of the client is to be invited: it becomes active when it comes in, or with its bank permission.
        "state": ClientState.PENDING if wish.get("send_invitation") else ClientState.ACTIVE,
        "financial_year_end": wish.get("financial_year_end", DEFAULT_YEAR_END),
        "created_at": act.now,
        "version": 1,
        **template.switches,
    }


def _grant_row(act: Act, client_id: UUID) -> dict[str, Any]:
    return {
        "id": new_id(),
        "office_id": act.office_id,
        "client_id": client_id,
        "from_date": act.today,
        "until_date": None,
        "created_at": act.now,
    }


def _whole(found: Any, changes: Fields, columns: Sequence[str]) -> dict[str, Any]:
    """Every one of the columns, so that rows with different changes go in one statement."""
    values = {name: getattr(found, name) for name in columns} | {name: new for name, (_old, new) in changes.items()}
    if "version" in values:
        values["version"] += 1
    return values


_PROFILE_COLUMNS: Final = (
    *PROFILE_FIELDS, "labels", "responsible_id", "contact_confirmed_at", "destination_confirmed_at",
)  # fmt: skip


def _write_profiles(session: Session, act: Act, written: Sequence[Written], office: Present) -> None:
    fresh, changed = [], []
    for done in written:
        if not done.profile:
            continue
        found: PresentClient | None = office.clients.get(done.client_id)
        if found is None or found.profile is None:
            values = {name: _EMPTY.get(name) for name in _PROFILE_COLUMNS} | {
                name: new for name, (_old, new) in done.profile.items()
            }
            fresh.append({"client_id": done.client_id, "office_id": act.office_id, "updated_at": act.now, **values})
        else:
            changed.append(
                {**_whole(found.profile, done.profile, ("client_id", *_PROFILE_COLUMNS)), "updated_at": act.now}
            )
    if fresh:
        session.connection().execute(insert(ClientProfile), fresh)
    if changed:
        session.execute(update(ClientProfile), changed)


def _update_accounts(session: Session, known: Mapping[UUID, KnownAccount], changes: Mapping[UUID, Fields]) -> None:
    rows = [
        _whole(known[account_id], fields, ("id", *ACCOUNT_FIELDS)) for account_id, fields in sorted(changes.items())
    ]
    if rows:
        session.execute(update(KnownAccount), rows)


def _record(gateway: Gateway, session: Session, act: Act, done: Written, row: Judged) -> None:
    changes = {name: Change(old, new) for fields in (done.client, done.profile) for name, (old, new) in fields.items()}
    # Account numbers stay out of the log; how many were touched is enough to look for them.
    accounts = len(done.new_accounts) + len(done.accounts)
    if done.is_new:
        # One value for the whole client: thousands come at once.
        given = {name: change.new for name, change in changes.items()} | {
            "name": row.wish["name"],
            "enterprise_number": row.wish.get("enterprise_number"),
            "known_accounts": accounts,
        }
        changes = {"client": Change(None, given)}
    elif accounts:
        changes["known_accounts"] = Change(None, accounts)
    if done.group_id is not None:
        changes["group"] = Change(None, done.group_id)
    gateway.audit.record(
        session,
        act,
        "client.created" if done.is_new else "client.changed",
        "client",
        done.client_id,
        client_id=done.client_id,
        changes=changes,
    )


# Taking back ------------------------------------------------------------------------------------------------------


def take_back(
    gateway: Gateway, session: Session, act: Act, rows: Sequence[tuple[UUID, Mapping[str, Any]]]
) -> dict[UUID, str]:
    """Remove clients that rows created and restore those they changed; `rows` are client ids with what was written.

    Only for clients that nothing hinders (see `hindrances`). Returns those that were changed since, with the reason.
    """
    office_id = act.office_id
    created = [client_id for client_id, stored in rows if stored["is_new"]]
    changed = [(client_id, stored) for client_id, stored in rows if not stored["is_new"]]
    kept = _restore(gateway, session, act, changed)
    new_accounts = [
        UUID(account_id)
        for client_id, stored in changed
        if client_id not in kept
        for account_id in stored["new_accounts"]
    ]
    connection = session.connection()
    if new_accounts:
        connection.execute(
            delete(KnownAccount).where(
                col(KnownAccount.office_id) == office_id, among(KnownAccount.id, new_accounts, Uuid)
            )
        )
    joined = {
        (client_id, UUID(stored["group_id"]))
        for client_id, stored in changed
        if client_id not in kept and stored["group_id"] is not None
    }
    if joined:
        connection.execute(
            delete(ClientGroupClient).where(
                col(ClientGroupClient.office_id) == office_id,
                tuple_(col(ClientGroupClient.client_id), col(ClientGroupClient.group_id)).in_(joined),
            )
        )
    if created:
        there = set(
            session.exec(select(Client.id).where(Client.office_id == office_id, among(Client.id, created, Uuid)))
        )
        connection.execute(text("SELECT forget_copied_rules(:clients)"), {"clients": created})
        for table in (
            AddressChange, KnownAccount, ClientProfile, ClientGroupClient, AccessGrant,
            ApprovalRule, ApproverGroup, ApprovalSettings, ClientSettings,
        ):  # fmt: skip
            connection.execute(
                delete(table).where(
                    col(table.office_id) == office_id,
                    among(table.client_id, created, Uuid),
                )
            )
        connection.execute(delete(Client).where(col(Client.office_id) == office_id, among(Client.id, created, Uuid)))
        for client_id in created:
            if client_id in there:
                gateway.audit.record(session, act, "client.removed", "client", client_id, client_id=client_id)
    return kept


def _restore(
    gateway: Gateway, session: Session, act: Act, rows: Sequence[tuple[UUID, Mapping[str, Any]]]
) -> dict[UUID, str]:
    rows = [(client_id, stored) for client_id, stored in rows if _has_changes(stored)]
    if not rows:
        return {}
    ids = [client_id for client_id, _stored in rows]
    clients = _by_id(session, Client, act.office_id, "id", ids)
    profiles = _by_id(session, ClientProfile, act.office_id, "client_id", ids)
    account_ids = [UUID(account_id) for _client_id, stored in rows for account_id in stored["accounts"]]
    accounts = _by_id(session, KnownAccount, act.office_id, "id", account_ids)
    kept: dict[UUID, str] = {}
    client_rows, profile_rows = [], []
    account_changes: dict[UUID, Fields] = {}
    for client_id, stored in rows:
        found, profile = clients.get(client_id), profiles.get(client_id)
        if (
            found is None
            or not _is_as_written(found, stored["client"])
            or not _is_as_written(profile, stored["profile"])
            or not all(_is_as_written(accounts.get(UUID(key)), fields) for key, fields in stored["accounts"].items())
        ):
            kept[client_id] = "changed_since"
            continue
        if stored["client"]:
            client_rows.append(_whole(found, _inverse(stored["client"]), ("id", *CLIENT_FIELDS, "version")))
        if stored["profile"]:
            restored = _whole(profile, _inverse(stored["profile"]), ("client_id", *_PROFILE_COLUMNS))
            profile_rows.append({**restored, "updated_at": act.now})
        for key, fields in stored["accounts"].items():
            account_changes[UUID(key)] = _inverse(fields)
        gateway.audit.record(
            session,
            act,
            "client.restored",
            "client",
            client_id,
            client_id=client_id,
            changes={
                name: Change(new, old) for table in ("client", "profile") for name, (old, new) in stored[table].items()
            },
        )
    if client_rows:
        session.execute(update(Client), client_rows)
    if profile_rows:
        session.execute(update(ClientProfile), profile_rows)
    _update_accounts(session, accounts, account_changes)
    _restore_waiting(session, act, rows, kept, profile_rows)
    return kept


def _restore_waiting(
    session: Session,
    act: Act,
    rows: Sequence[tuple[UUID, Mapping[str, Any]]],
    kept: Mapping[UUID, str],
    profile_rows: Sequence[Mapping[str, Any]],
) -> None:
    """What the import set waits no longer; an address before it that nobody had confirmed waits again."""
    profiles = {row["client_id"]: row for row in profile_rows}
    waiting = []
    for client_id, stored in rows:
        if client_id in kept:
            continue
        for kind, fields, addresses in (
            (AddressKind.CONTACT, CONTACT_FIELDS, CONTACT_ADDRESSES),
            (AddressKind.DESTINATION, DELIVERY_FIELDS, ("destination",)),
        ):
            if not fields & stored["profile"].keys():
                continue
            AddressRepository(session).replace(act.office_id, [client_id], kind=kind, now=act.now)
            profile = profiles[client_id]
            if profile[MOMENTS[kind]] is None and any(profile[name] for name in addresses):
                waiting.append((client_id, kind))
    let_wait(session, act, waiting)


def _has_changes(stored: Mapping[str, Any]) -> bool:
    return any(stored[name] for name in ("client", "profile", "accounts", "new_accounts", "group_id"))


def _by_id(session: Session, table: Any, office_id: UUID, key: str, ids: Sequence[UUID]) -> dict[UUID, Any]:
    query = select(table).where(table.office_id == office_id, among(getattr(table, key), list(ids), Uuid))
    return {getattr(found, key): found for found in session.exec(query.execution_options(populate_existing=True))}


def _is_as_written(found: Any, fields: Mapping[str, Sequence[Any]]) -> bool:
    if not fields:
        return True
    return found is not None and all(_json(getattr(found, name)) == new for name, (_old, new) in fields.items())


def _inverse(fields: Mapping[str, Sequence[Any]]) -> Fields:
    return {name: (None, _python(name, old)) for name, (old, _new) in fields.items()}


def _json(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return format(value.quantize(Decimal("0.001")), "f")
        case UUID():
            return str(value)
        case _:
            return value


def _python(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "statements_from":
        return date.fromisoformat(value)
    if name == "last_balance":
        return Decimal(value)
    if name == "responsible_id":
        return UUID(value)
    if name.endswith("_at"):
        return datetime.fromisoformat(value)
    return value
