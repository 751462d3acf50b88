"""Puts one installation together: settings, keys, database, audit, banks. Built once per process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act, system_act
from gateway.audit.log import AuditLog
from gateway.banks.directory import BankDirectory
from gateway.clock import real_now
from gateway.crypto import KeyRing
from gateway.database import Database
from gateway.events.log import EventLog, HeardAuditLog
from gateway.identity.rights import Principal
from gateway.offices.models import Office
from gateway.pagination import Pager
from gateway.settings import Settings
from gateway.webhooks.fanout import fan_out


@dataclass(frozen=True, slots=True)
class Gateway:
    """What every service is given. No service keeps state of its own."""

    settings: Settings
    keys: KeyRing
    database: Database
    audit: AuditLog
    events: EventLog
    pager: Pager
    banks: BankDirectory
    real_now: Callable[[], datetime] = real_now
    live_offices: set[UUID] = field(default_factory=set, repr=False, compare=False)
    """Offices known to be in live mode. That never changes, so each request need not ask again."""

    def act(self, principal: Principal, **more: object) -> Act:
        """An act of `principal` now, on the clock of its office."""
        moment = self.real_now()
        return Act(principal=principal, now=moment + self.clock_offset(principal.office_id), real_now=moment, **more)  # type: ignore[arg-type]  # request_id and psu, as Act declares them

    def system_act(self, office_id: UUID, *, session: Session | None = None) -> Act:
        """An act of the service itself, in a job; within a unit of work with its session."""
        moment = self.real_now()
        return system_act(office_id, now=moment + self.clock_offset(office_id, session=session), real_now=moment)

    def clock_offset(self, office_id: UUID, *, session: Session | None = None) -> timedelta:
        """Zero in live mode, whatever the row says. Within a unit of work it is read with its session."""
        if office_id in self.live_offices:
            return timedelta(0)
        if session is not None:
            office = session.get(Office, office_id)
        else:
            with self.database.lookup() as own:
                office = own.get(Office, office_id)
        if office is None or office.mode != "test":
            if office is not None:
                self.live_offices.add(office_id)
            return timedelta(0)
        return timedelta(seconds=office.clock_offset_seconds)


def build(settings: Settings, database: Database, keys: KeyRing) -> Gateway:
    """Join the parts; opens nothing and calls nobody."""
    events = EventLog(fan_out)
    return Gateway(
        settings=settings,
        keys=keys,
        database=database,
        audit=HeardAuditLog(keys, events),
        events=events,
        pager=Pager(keys.seal_key),
        banks=BankDirectory(settings),
    )
