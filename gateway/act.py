"""Who does something, when, and in which request: handed to every service, so that rules read no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from connectors.model import PsuContext
from gateway.clock import brussels_date
from gateway.identity.rights import Permission, Principal, system


@dataclass(frozen=True, slots=True)
class Act:
    """One request, command or job."""

    principal: Principal
    now: datetime
    """The office's moment: real time plus the offset of an office in test mode."""
    real_now: datetime
    """Real time, for what must not be moved: sessions, second factors, token life."""
    request_id: str | None = None
    psu: PsuContext | None = None
    """The person's true address, when a person is present."""

    @property
    def office_id(self) -> UUID:
        """The office in whose name this happens."""
        return self.principal.office_id

    @property
    def today(self) -> date:
        """Calendar day in Brussels of `now`."""
        return brussels_date(self.now)

    def require(self, permission: Permission, client_id: UUID | None = None) -> None:
        """As `Principal.require`."""
        self.principal.require(permission, client_id)

    def require_fresh_second_factor(self) -> None:
        """As `Principal.require_fresh_second_factor`, against real time."""
        self.principal.require_fresh_second_factor(self.real_now)


def system_act(office_id: UUID, *, now: datetime, real_now: datetime) -> Act:
    """What a job does on its own account."""
    return Act(principal=system(office_id), now=now, real_now=real_now)
