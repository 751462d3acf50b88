"""Who does something, when, and in which request: handed to every service, so that rules read no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from connectors.model import PsuContext
from gateway.clock import brussels_date
from gateway.identity.rights import Permission, Principal, system

ASSERTION: Final = "assertion"
"""The second factor of a person whom an application carries: an identity provider says so (SEC-04)."""
SECOND_FACTOR: Final = "second_factor"
DECIDER: Final = "decider"
Check = tuple[str, UUID | None]
"""A permission asked for, or `SECOND_FACTOR` with its decision after a colon; of one client when it names one.

Or `DECIDER` with the proposal on which the person decided."""


@dataclass(frozen=True, slots=True)
class Act:
    """One request, command or job."""

    principal: Principal
    now: datetime
    """The office's moment: real time plus the offset of an office in test mode."""
    real_now: datetime
    """Real time, for what must not be moved: sessions, second factors, token life."""
    request_id: str | None = None
    psu: PsuContext | None = field(default=None, repr=False)
    """The person's true address, when a person is present."""
    checks: list[Check] = field(default_factory=list, compare=False, repr=False)
    """What was asked of this act, so that a replay of its answer is authorised again (SEC-15)."""
    address: str | None = field(default=None, repr=False)
    """Network address of the caller, person or machine, for the audit chain."""

    @property
    def office_id(self) -> UUID:
        """The office in whose name this happens."""
        return self.principal.office_id

    @property
    def source(self) -> str | None:
        """Where it came from, as far as known."""
        return self.address or (self.psu.ip_address if self.psu is not None else None)

    @property
    def today(self) -> date:
        """Calendar day in Brussels of `now`."""
        return brussels_date(self.now)

    @property
    def second_factor(self) -> str | None:
        """How the person gave the second factor, for the audit entry of a decision (SEC-02)."""
        return ASSERTION if self.principal.via_id is not None else self.principal.second_factor_method

    def require(self, permission: Permission, client_id: UUID | None = None) -> None:
        """As `Principal.require`."""
        self._note(permission, client_id)
        self.principal.require(permission, client_id)

    def require_for_office(self, permission: Permission) -> None:
        """As `Principal.require_for_office`."""
        self._note(permission, None)
        self.principal.require_for_office(permission)

    def require_fresh_second_factor(self, *, decision: str | None = None) -> None:
        """As `Principal.require_fresh_second_factor`, against real time."""
        self._note(SECOND_FACTOR if decision is None else f"{SECOND_FACTOR}:{decision}", None)
        self.principal.require_fresh_second_factor(self.real_now, decision=decision)

    def note_decider(self, proposal_id: UUID) -> None:
        """The person was one of those who decide on this proposal; asked again before the answer is repeated."""
        self._note(DECIDER, proposal_id)

    def _note(self, name: str, client_id: UUID | None) -> None:
        if (name, client_id) not in self.checks:
            self.checks.append((name, client_id))


def system_act(office_id: UUID, *, now: datetime, real_now: datetime) -> Act:
    """What a job does on its own account."""
    return Act(principal=system(office_id), now=now, real_now=real_now)
