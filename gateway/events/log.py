"""Writing the event log: in the unit of work of the change, with a position from the office's head row.

The head row is locked last, before the commit, as the audit chain does: positions follow commits, so that a reader that
saw a position has seen every smaller one, and no late commit is skipped (design §3, Order).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, update
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.audit.log import AuditLog, Change
from gateway.crypto import KeyRing
from gateway.database import UNIT_OFFICE, before_commit
from gateway.events import catalogue
from gateway.events.models import Event
from gateway.ids import new_id
from gateway.offices.models import Office, OfficeHead

PENDING: Final = "sluis_events_pending"

Written = Callable[[Session, Sequence[Event]], None]
"""Told of the events of a unit of work before it commits."""


@dataclass(frozen=True, slots=True)
class _Pending:
    id: UUID
    act: Act
    type: str
    object_kind: str
    object_id: UUID
    client_id: UUID | None
    data: Mapping[str, Any]


class EventLog:
    """Adds events of the unit of work's office; without state of its own."""

    def __init__(self, on_written: Written | None = None) -> None:
        self._on_written = on_written

    def record(
        self,
        session: Session,
        act: Act,
        event_type: str,
        object_kind: str,
        object_id: UUID,
        *,
        client_id: UUID | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Note an event; it is written with the unit of work's commit, or not at all. Returns its id.

        `data` holds ids, states and counts; a value that could be a name or a text raises `TypeError`.
        """
        assert session.info[UNIT_OFFICE] == act.office_id, "an event belongs to the office of the unit of work"
        assert catalogue.TYPE.fullmatch(event_type), event_type
        assert event_type.partition(".")[0] in catalogue.READERS, f"nobody may read {event_type}"
        plain = {name: catalogue.plain(value) for name, value in (data or {}).items()}
        event = _Pending(new_id(), act, event_type, object_kind, object_id, client_id, plain)
        session.info.setdefault(PENDING, []).append(event)
        before_commit(session, PENDING, self._write)
        return event.id

    def _write(self, session: Session) -> None:
        office_id = session.info[UNIT_OFFICE]
        pending: list[_Pending] = session.info.pop(PENDING)
        office = session.get_one(Office, office_id)
        # The office first, then the head, as the audit chain does.
        held = select(Office.id).where(Office.id == office_id).with_for_update(read=True, key_share=True).cte("held")
        taken = (
            update(OfficeHead)
            .where(col(OfficeHead.office_id) == held.c.id)
            .values(event_position=col(OfficeHead.event_position) + len(pending))
            .returning(col(OfficeHead.event_position))
            .execution_options(synchronize_session=False)
        )
        last: int = session.connection().execute(taken).scalar_one()
        events = [
            Event(
                id=item.id,
                office_id=office_id,
                position=last - len(pending) + offset,
                type=item.type,
                subject=item.type.partition(".")[0],
                object_kind=item.object_kind,
                object_id=item.object_id,
                client_id=item.client_id,
                mode=office.mode,
                occurred_at=item.act.now,
                recorded_at=item.act.real_now,
                data=dict(item.data),
            )
            for offset, item in enumerate(pending, start=1)
        ]
        session.connection().execute(insert(Event), [event.model_dump() for event in events])
        if self._on_written is not None:
            self._on_written(session, events)


class HeardAuditLog(AuditLog):
    """The audit chain, heard by the event log: an act of a subject of events is an event too."""

    def __init__(self, keys: KeyRing, events: EventLog) -> None:
        super().__init__(keys)
        self._events = events

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
        **more: Any,
    ) -> UUID:
        """As `AuditLog.record`, and the events that the catalogue makes of the act."""
        entry_id = super().record(
            session, act, action, object_kind, object_id, client_id=client_id, changes=changes, **more
        )
        data = catalogue.data_of(action, changes or {})
        for event_type in catalogue.types_of(action):
            self._events.record(session, act, event_type, object_kind, object_id, client_id=client_id, data=data)
        return entry_id
