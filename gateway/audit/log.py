"""Writing and verifying the audit chain (SEC-09).

An entry's HMAC covers its position, all its columns, the digests of its values and the HMAC before it, so that a
changed, removed, inserted or reordered entry is found. Entries of a unit of work are written at its very end, when
the office's head row is locked: locked last, it is held for the shortest time and orders commits.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.audit.chain import Head, canonical_json, digest, genesis, is_signed, leaf, link
from gateway.audit.models import AuditCheckpoint, AuditEntry, AuditValue
from gateway.crypto import KeyRing
from gateway.database import UNIT_OFFICE, before_commit
from gateway.ids import new_id
from gateway.offices.models import Office, OfficeHead

PENDING: Final = "sluis_audit_pending"
SOURCE: Final = "source_address"
"""Field of the network address an act came from: a value like others, so that it can be erased (SEC-11)."""
SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Change:
    """Old and new value of one field; None for "was not" and "is no more"."""

    old: Any = None
    new: Any = None


@dataclass(frozen=True, slots=True)
class _Pending:
    id: UUID
    act: Act
    action: str
    object_kind: str
    object_id: UUID
    client_id: UUID | None
    second_factor: str | None
    changes: Mapping[str, Change] = field(default_factory=dict)


class AuditLog:
    """Adds entries to the chain of the unit of work's office."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def record(
        self,
        session: Session,
        act: Act,
        action: str,
        object_kind: str,
        object_id: UUID,
        *,
        client_id: UUID | None = None,
        changes: Mapping[str, Change] | None = None,
        second_factor: str | None = None,
    ) -> UUID:
        """Note an act; it is written with the unit of work's commit, or not at all. Returns the entry's id.

        `changes` may hold str, int, bool, None, Decimal, date, datetime, UUID and lists or dicts of them.
        """
        changes = dict(changes or {})
        if act.source is not None:
            changes[SOURCE] = Change(None, act.source)
        entry = _Pending(new_id(), act, action, object_kind, object_id, client_id, second_factor, changes)
        assert session.info[UNIT_OFFICE] == act.office_id, "an act belongs to the office of the unit of work"
        session.info.setdefault(PENDING, []).append(entry)
        before_commit(session, PENDING, self._write)
        return entry.id

    def _write(self, session: Session) -> None:
        office_id = session.info[UNIT_OFFICE]
        # The office first, as its foreign key will in a moment: whoever changes the office's row holds that and then
        # waits for the head, and one that held the head and waited for the office would wait for ever.
        query = select(OfficeHead).join(Office).where(OfficeHead.office_id == office_id)
        locked = query.suffix_with("FOR KEY SHARE OF office FOR UPDATE OF office_head")
        head = session.exec(locked.execution_options(populate_existing=True)).one()
        entries: list[AuditEntry] = []
        values: list[AuditValue] = []
        for pending in session.info.pop(PENDING, []):
            entry, of_entry = self._entry(office_id, pending, head)
            head.audit_position, head.audit_hash = entry.position, entry.mac
            entries.append(entry)
            values.extend(of_entry)
        # Values point at entries: two rounds, however many acts the unit of work holds.
        session.add_all([head, *entries])
        session.flush()
        session.add_all(values)
        session.flush()

    def _entry(self, office_id: UUID, pending: _Pending, head: OfficeHead) -> tuple[AuditEntry, list[AuditValue]]:
        values = []
        digests: dict[str, Any] = {}
        for name, change in sorted(pending.changes.items()):
            old, new, salt = _plain(change.old), _plain(change.new), os.urandom(SALT_BYTES)
            digests[name] = {"old": digest(old, salt), "new": digest(new, salt)}
            values.append(
                AuditValue(
                    id=new_id(),
                    office_id=office_id,
                    entry_id=pending.id,
                    field=name,
                    salt=salt,
                    old_value=old,
                    new_value=new,
                )
            )
        entry = AuditEntry(
            id=pending.id,
            office_id=office_id,
            position=head.audit_position + 1,
            occurred_at=pending.act.now,
            actor_kind=pending.act.principal.kind,
            actor_id=pending.act.principal.id,
            action=pending.action,
            object_kind=pending.object_kind,
            object_id=pending.object_id,
            client_id=pending.client_id,
            request_id=pending.act.request_id,
            second_factor=pending.second_factor,
            via_id=pending.act.principal.via_id,
            digests=digests,
            previous_mac=head.audit_hash,
            mac=b"",
        )
        entry.mac = self._keys.audit_mac(canonical(entry))
        return entry, values

    def walk(self, office_id: UUID, *, after: AuditCheckpoint | None = None, mac: bytes = b"") -> ChainWalk:
        """A walk along the chain, from its beginning or from a checkpoint with the HMAC of its entry."""
        if after is None:
            return ChainWalk(self._keys, 0, b"", genesis(office_id))
        return ChainWalk(self._keys, after.position, mac, after.link_hash)

    def is_whole(self, entry: AuditEntry) -> bool:
        """Whether an entry by itself is as it was written."""
        return self._keys.audit_mac(canonical(entry)) == entry.mac

    def is_own(self, checkpoint: AuditCheckpoint) -> bool:
        """Whether the checkpoint carries our signature."""
        return is_signed(self._keys.public_key, checkpoint.signature, head_of(checkpoint).signed_bytes())


class ChainWalk:
    """Steps from entry to entry in order of position; `fault` names the first broken or missing one."""

    def __init__(self, keys: KeyRing, position: int, mac: bytes, reached: bytes) -> None:
        self._keys = keys
        self.position = position
        self.mac = mac
        self.link = reached
        self.fault: str | None = None

    def step(self, entry: AuditEntry) -> bool:
        """Take the next entry; False, and `fault` says why, when it is not the one that follows."""
        if entry.position != self.position + 1:
            self.fault = f"entry {self.position + 1} is missing"
            return False
        data = canonical(entry)
        if entry.previous_mac != self.mac or self._keys.audit_mac(data) != entry.mac:
            self.fault = f"entry {entry.position} was changed"
            return False
        self.position, self.mac = entry.position, entry.mac
        self.link = link(self.link, leaf(data, entry.mac))
        return True


def verify(session: Session, log: AuditLog, office_id: UUID) -> str | None:
    """Check the whole chain of the unit of work's office, its signed heads and every value kept; None when it holds."""
    # The head first: entries written while we read lie beyond it.
    head = session.exec(select(OfficeHead).where(OfficeHead.office_id == office_id)).one()
    position, mac = head.audit_position, head.audit_hash
    made = session.exec(select(AuditCheckpoint).where(AuditCheckpoint.office_id == office_id))
    checkpoints = {checkpoint.position: checkpoint for checkpoint in made}
    walk = log.walk(office_id)
    query = select(AuditEntry).where(AuditEntry.office_id == office_id).order_by(col(AuditEntry.position))
    with session.exec(query.execution_options(yield_per=1000)) as entries:
        for entry in entries:
            if not walk.step(entry):
                return walk.fault
            checkpoint = checkpoints.pop(entry.position, None)
            if checkpoint is not None and not (log.is_own(checkpoint) and checkpoint.link_hash == walk.link):
                return f"entry {entry.position} is not the one that was signed"
            if entry.position == position and entry.mac != mac:
                return f"the head of the chain is not entry {position}"
    if walk.position < position or any(signed > walk.position for signed in checkpoints):
        return f"entries after {walk.position} are missing"
    return changed_value(session, office_id)


def changed_value(session: Session, office_id: UUID, *, after: int = 0, until: int | None = None) -> str | None:
    """A value that is not the one its entry was written for; one that was erased is no fault (SEC-11).

    Of the entries behind the position `after`, up to `until` when it is given.
    """
    query = (
        select(AuditValue, AuditEntry)
        .join(AuditEntry, col(AuditEntry.id) == AuditValue.entry_id)
        .where(AuditValue.office_id == office_id, AuditEntry.office_id == office_id, col(AuditEntry.position) > after)
        .where(*(() if until is None else (col(AuditEntry.position) <= until,)))
        .order_by(col(AuditEntry.position), col(AuditValue.field))
        .execution_options(yield_per=1000)
    )
    with session.exec(query) as rows:
        for value, entry in rows:
            digests = {"old": digest(value.old_value, value.salt), "new": digest(value.new_value, value.salt)}
            if entry.digests.get(value.field) != digests:
                return f"the value of {value.field} in entry {entry.position} was changed"
    return None


def canonical(entry: AuditEntry) -> bytes:
    """The bytes an entry's HMAC covers: sorted JSON of every column but the HMAC itself."""
    return canonical_json(entry_document(entry))


def entry_document(entry: AuditEntry) -> dict[str, Any]:
    """Every column but the HMAC itself, as it is hashed and as it stands in a bundle."""
    document: dict[str, Any] = {
        "version": 1,
        "id": str(entry.id),
        "office_id": str(entry.office_id),
        "position": entry.position,
        # Whatever clock the act came with: stored and read back it is UTC.
        "occurred_at": entry.occurred_at.astimezone(UTC).isoformat(),
        "actor_kind": str(entry.actor_kind),
        "actor_id": str(entry.actor_id),
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": str(entry.object_id),
        "client_id": str(entry.client_id) if entry.client_id else None,
        "request_id": entry.request_id,
        "second_factor": entry.second_factor,
        "digests": entry.digests,
        "previous_mac": entry.previous_mac.hex(),
    }
    if entry.via_id is not None:
        # Version 2 names the application; entries without one are as they were before there were applications.
        document |= {"version": 2, "via_id": str(entry.via_id)}
    return document


def head_of(checkpoint: AuditCheckpoint) -> Head:
    """A checkpoint as it was signed."""
    return Head(
        office_id=checkpoint.office_id,
        position=checkpoint.position,
        link=checkpoint.link_hash,
        made_at=checkpoint.made_at,
        key=checkpoint.key_fingerprint,
    )


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value if not isinstance(value, str) else str(value)
        case Decimal() | UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
        case _:
            raise TypeError(f"an audit value cannot be a {type(value).__name__}")
