"""Mail about a permission that ended by somebody else's hand: to the contact and to the office, once (CON-14)."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.addresses.waiting import confirmed_contact
from gateway.assembly import Gateway
from gateway.consents.models import Consent
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole
from gateway.ids import encode
from gateway.notices.outbox import queue_mail
from gateway.offices.models import Client
from gateway.profiles.models import ClientProfile
from gateway.web.formats import day


def tell_stopped(gateway: Gateway, session: Session, act: Act, consent: Consent) -> None:
    """Tell whoever did not do it; an event tells the portal. Asked again, it is told already."""
    client = session.get_one(Client, consent.client_id)
    profile = session.get(ClientProfile, client.id)
    known = {
        "client": client.name,
        "bank": gateway.banks.profile(consent.bank_id).name,
        "day": day(act.today),
    }
    contact = confirmed_contact(profile)
    if contact is not None:
        queue_mail(
            session, gateway, act.office_id, to=contact, language=client.language, template="consent_stopped",
            parameters=known, key=f"consent-stopped:{consent.id}:contact",
        )  # fmt: skip
    for user_id in sorted(_people_of_office(session, act.office_id, profile)):
        user = IdentityRepository(session).user(user_id)
        assert user is not None, "a role is a person's"
        queue_mail(
            session, gateway, act.office_id, to=user.email, language=user.language, template="consent_stopped_office",
            parameters=known | {"url": f"{gateway.settings.base_url}/clients/{encode('client', client.id)}"},
            key=f"consent-stopped:{consent.id}:{user_id}",
        )  # fmt: skip


def _people_of_office(session: Session, office_id: UUID, profile: ClientProfile | None) -> set[UUID]:
    """Who looks after the client; the admins where nobody does, or no longer."""
    people = IdentityRepository(session)
    of_office = {membership.user_id for membership, _ in people.members(office_id) if membership.client_id is None}
    if profile is not None and profile.responsible_id in of_office:
        return {profile.responsible_id}
    return people.holders(office_id, OfficeRole.ADMIN)
