"""Reminders that permissions end: some days before, each once, and after a standstill only the nearest (CON-10).

Per permission an event, for the portal; per client and day one mail with all its permissions, to the confirmed contact
in its language, with the link that renews them all and a calendar file. What is replaced or stopped holds no longer,
and so is not reminded of. Of clients that are not active, or with nothing switched on that reads accounts, nothing is
said.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.addresses.waiting import confirmed_contact
from gateway.assembly import Gateway
from gateway.clock import BRUSSELS
from gateway.consents.calendar_file import CalendarEntry
from gateway.consents.models import Consent, ConsentReminder
from gateway.consents.renewing import LEAD
from gateway.consents.repository import ConsentRepository
from gateway.consents.sittings import Sittings, SittingView, standing
from gateway.consents.states import ConsentState
from gateway.i18n import _, sentence
from gateway.ids import encode, new_id
from gateway.notices.outbox import queue_mail
from gateway.offices.models import Client, ClientSettings, ClientState
from gateway.offices.repository import ClientRepository, OfficeRepository
from gateway.offices.services import is_read
from gateway.offices.template import CONSENT_REMINDERS
from gateway.profiles.models import ClientProfile
from gateway.web.formats import day

TASK: Final = "remind_of_consents"
STEP_MAX: Final = LEAD
"""The earliest reminder an office can choose: from then on a renewal is possible."""
HOUR: Final = 8
"""In Brussels: nobody is woken by a mail."""

log = logging.getLogger("gateway.consents")


def nearest_step(days_left: int, steps: Collection[int]) -> int | None:
    """The reminder that is due so many days before the end: the last one passed, never an earlier one, or none yet."""
    return min((step for step in steps if days_left <= step), default=None) if days_left >= 0 else None


class Reminders:
    """Looks at every office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def run(self) -> None:
        """All offices, one unit of work per client."""
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        for office_id in offices:
            try:
                self.run_office(office_id)
            except Exception:
                # What is wrong in one office must not keep the others from being reminded.
                log.exception("office not reminded", extra={"office_id": str(office_id)})

    def run_office(self, office_id: UUID) -> int:
        """Reminds of what is due in one office; returns for how many permissions. Harmless to repeat."""
        act = self.gateway.system_act(office_id)
        if act.now.astimezone(BRUSSELS).hour < HOUR:
            return 0
        with self.gateway.database.unit_of_work(office_id) as session:
            clients = self._clients(session, act)
        return sum(self._remind(act, client_id) for client_id in clients)

    def _clients(self, session: Session, act: Act) -> list[UUID]:
        """Active clients with a permission that ends within the longest step there can be."""
        horizon = act.today + STEP_MAX
        ending = set(ConsentRepository(session).clients_ending(act.office_id, act.today, horizon))
        if not ending:
            return []
        services = OfficeRepository(session).services(act.office_id)
        granted = ClientRepository(session).granted(act.office_id, today=act.today)
        return [
            client.id
            for client in session.exec(granted.where(col(Client.id).in_(ending)).order_by(col(Client.id)))
            if client.state == ClientState.ACTIVE and is_read(services, client)
        ]

    def _remind(self, act: Act, client_id: UUID) -> int:
        with self.gateway.database.unit_of_work(act.office_id) as session:
            ConsentRepository(session).open_of_client(act.office_id, client_id)
            client = session.get_one(Client, client_id)
            valid = [one for one, _ in standing(session, act.office_id, client_id) if one.state == ConsentState.VALID]
            steps = _steps(session, act.office_id, client_id)
            reminded = [consent for consent in valid if self._note(session, act, consent, steps)]
            if reminded:
                self._mail(session, act, client, valid)
            return len(reminded)

    def _note(self, session: Session, act: Act, consent: Consent, steps: Collection[int]) -> bool:
        """Write down that it is reminded of now, and tell the portal; False when it was, or need not be."""
        if consent.valid_until is None:
            return False
        days_left = (consent.valid_until - act.today).days
        step = nearest_step(days_left, steps)
        if step is None:
            return False
        statement = (
            insert(ConsentReminder)
            .values(
                id=new_id(),
                office_id=act.office_id,
                consent_id=consent.id,
                valid_until=consent.valid_until,
                days_before=step,
                made_at=act.now,
            )
            .on_conflict_do_nothing(index_elements=["consent_id", "valid_until", "days_before"])
            .returning(col(ConsentReminder.id))
        )
        if session.execute(statement).one_or_none() is None:
            return False
        self.gateway.events.record(
            session, act, "consent.expiring", "consent", consent.id, client_id=consent.client_id,
            data={"days_left": days_left, "valid_until": consent.valid_until.isoformat()},
        )  # fmt: skip
        return True

    def _mail(self, session: Session, act: Act, client: Client, valid: Sequence[Consent]) -> None:
        contact = confirmed_contact(session.get(ClientProfile, client.id))
        if contact is None:
            return
        asked = Sittings(self.gateway).open_in(session, act, client.id)
        first = min(one.valid_until for one in valid if one.valid_until is not None)
        queue_mail(
            session, self.gateway, act.office_id, to=contact, language=client.language, template="consents_end",
            parameters={
                "client": client.name,
                "day": day(first),
                "permissions": "\n".join(
                    f"- {self.gateway.banks.profile(one.bank_id).name}: {day(one.valid_until)}" for one in valid
                ),
                "url": asked.url,
                "calendar_url": f"{asked.url}/calendar.ics",
                "active_url": f"{asked.url}/active",
            },
            key=f"consents-end:{client.id}:{act.today.isoformat()}",
        )  # fmt: skip


def calendar_entries(view: SittingView, *, host: str) -> list[CalendarEntry]:
    """The last day of each permission that holds, in the client's language."""
    return [
        CalendarEntry(
            uid=f"{encode('consent', item.consent_id)}@{host}",
            day=item.valid_until,
            summary=sentence(view.language, _("Bank permission at {bank} ends"), {"bank": item.bank_name}),
            description=sentence(
                view.language,
                _("The permission for {office} to read the accounts of {client} ends. Renew it before this day."),
                {"office": view.office_name, "client": view.client_name},
            ),
        )
        for item in view.active
        if item.valid_until is not None
    ]


def _steps(session: Session, office_id: UUID, client_id: UUID) -> Collection[int]:
    found = session.exec(
        select(ClientSettings).where(ClientSettings.office_id == office_id, ClientSettings.client_id == client_id)
    ).first()
    return found.consent_reminder_days if found is not None else CONSENT_REMINDERS
