"""Inviting people: who may, with which roles, and the link that goes out (OFF-07, SEC-13, SEC-14).

The answer never says whether somebody with this address exists: an existing person is linked to the new roles after
signing in, a new one sets a password and a second factor. Roles that move money or rights wait for a second person,
and their first enrolment needs a six-digit code that the inviter hands over by another channel.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, GatewayError, InputError
from gateway.identity.models import User
from gateway.identity.people import check_role, require_role_right
from gateway.identity.rights import GUARDED_ROLES, Permission
from gateway.ids import encode, new_id
from gateway.notices.outbox import queue_mail
from gateway.offices.models import Office
from gateway.pagination import PageRequest, Sort
from gateway.payments.queries import within
from gateway.people.errors import InvitationNotFound, InvitationOver
from gateway.people.models import Invitation
from gateway.people.service import role_word
from gateway.people.states import TRANSITIONS, InvitationState
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService

PATH: Final = "/invitations/"
LINK_PURPOSE: Final = "invitation"
CODE_PURPOSE: Final = "invitation-code"
TRIES_MAX: Final = 5
"""Wrong codes in all, not per sitting."""
EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,180}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class InvitationWish:
    """Who is invited to what."""

    email: str
    first_name: str
    last_name: str
    language: str
    roles: Sequence[str]
    client_id: UUID | None = None
    salaries: bool = False
    from_date: date | None = None
    until_date: date | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """The invitation, the code to hand over (shown this once), and the proposal it waits for."""

    invitation: Invitation
    code: str | None = None
    proposal: Proposal | None = None


class InvitationService:
    """The office's and the client administrator's side."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def invite(self, act: Act, wish: InvitationWish) -> Invited:
        """Offer roles by mail; raises `InputError`, `RightsError`, `PersonRequired`, `SecondFactorRequired`."""
        act.require_fresh_second_factor()
        self._check(wish)
        roles = sorted(set(wish.roles))
        is_guarded = any(role_word(role) in GUARDED_ROLES for role in roles)
        invitation = Invitation(
            id=new_id(), office_id=act.office_id, client_id=wish.client_id, email=wish.email.strip().lower(),
            first_name=wish.first_name, last_name=wish.last_name, language=wish.language, roles=roles,
            salaries=wish.salaries, from_date=wish.from_date, until_date=wish.until_date,
            state=InvitationState.PROPOSED, inviter_id=act.principal.id, created_at=act.real_now,
        )  # fmt: skip
        code = self._new_code(invitation) if is_guarded else None
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_role_right(session, act, wish.client_id)
            session.add(invitation)
            session.flush()
            self._record(session, act, invitation, "invitation.created")
            if not is_guarded:
                send(self.gateway, session, act, invitation)
        if not is_guarded:
            return Invited(invitation)
        try:
            proposal = ProposalService(self.gateway).propose(
                act, "invitation.send", invitation.id, {}, client_id=wish.client_id
            )
        except GatewayError:
            self.end(act, invitation.id)
            raise
        return Invited(self.get(act, invitation.id), code, proposal)

    def resend(self, act: Act, invitation_id: UUID) -> Invited:
        """A new mail with a new link, and a new code where one is needed; the link before ends."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            invitation = self._changeable(session, act, invitation_id)
            # One that was never sent still waits for its second person; one that was taken back needs two again, else
            # the first could undo what the second stopped (APP-12). Wrong codes end the link, not the agreement.
            is_taken_back = invitation.state is InvitationState.ENDED and invitation.tries < TRIES_MAX
            if (
                invitation.state is InvitationState.ACCEPTED
                or invitation.sent_at is None
                or (is_taken_back and invitation.code_hash is not None)
            ):
                raise InvitationOver
            code = self._new_code(invitation) if invitation.code_hash is not None else None
            send(self.gateway, session, act, invitation)
            self._record(session, act, invitation, "invitation.sent_again")
        return Invited(invitation, code)

    def end(self, act: Act, invitation_id: UUID) -> None:
        """Take it back; the link ends at once. Repeated, it changes nothing."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            invitation = self._changeable(session, act, invitation_id)
            if invitation.state is InvitationState.ACCEPTED:
                raise InvitationOver
            if invitation.state is not InvitationState.ENDED:
                step(invitation, InvitationState.ENDED)
                session.add(invitation)
                self._record(session, act, invitation, "invitation.ended")

    def get(self, act: Act, invitation_id: UUID) -> Invitation:
        """One invitation; raises `InvitationNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._visible(session, act, invitation_id)

    def page(self, act: Act, request: PageRequest) -> tuple[list[Invitation], str | None]:
        """Invitations, the newest first."""
        act.require(Permission.USERS_READ)
        order = [Sort(col(Invitation.id), lambda row: str(row.id), UUID, is_descending=True)]
        query = select(Invitation).where(Invitation.office_id == act.office_id)
        visible = act.principal.visible_clients(Permission.USERS_READ)
        if visible is not None:
            shown = within(Invitation.client_id, sorted(visible))
            if Permission.USERS_READ in act.principal.office_permissions:
                shown = shown | col(Invitation.client_id).is_(None)
            query = query.where(shown)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self.gateway.pager.page(session, query, order, request, name=f"invitations:{act.office_id}")

    def _check(self, wish: InvitationWish) -> None:
        faults = []
        email = wish.email.strip()
        if len(email) > 254 or EMAIL.fullmatch(email) is None or ".." in email:
            faults.append(FieldFault("/email", "email_invalid", "This is not an e-mail address."))
        for role in wish.roles:
            check_role(
                role_word(role), wish.client_id, salaries=wish.salaries, from_date=wish.from_date,
                until_date=wish.until_date,
            )  # fmt: skip
        if faults:
            raise InputError(faults=faults)

    def _new_code(self, invitation: Invitation) -> str:
        code = f"{secrets.randbelow(10**6):06d}"
        invitation.code_hash = code_hash(self.gateway, invitation, code)
        return code

    def _changeable(self, session: Session, act: Act, invitation_id: UUID) -> Invitation:
        invitation = self._visible(session, act, invitation_id)
        require_role_right(session, act, invitation.client_id)
        session.refresh(invitation, with_for_update=True)
        return invitation

    def _visible(self, session: Session, act: Act, invitation_id: UUID) -> Invitation:
        invitation = find(session, act.office_id, invitation_id)
        if invitation is None:
            raise InvitationNotFound
        if invitation.client_id is None:
            is_shown = Permission.USERS_READ in act.principal.office_permissions
        else:
            is_shown = act.principal.allows(Permission.USERS_READ, invitation.client_id)
        if not is_shown:
            raise InvitationNotFound
        return invitation

    def _record(self, session: Session, act: Act, invitation: Invitation, action: str) -> None:
        changes = {"roles": Change(None, invitation.roles), "email": Change(None, invitation.email)}
        self.gateway.audit.record(
            session, act, action, "invitation", invitation.id, client_id=invitation.client_id, changes=changes,
            second_factor=act.second_factor,
        )  # fmt: skip


def find(session: Session, office_id: UUID, invitation_id: UUID) -> Invitation | None:
    """By id."""
    query = select(Invitation).where(Invitation.office_id == office_id, Invitation.id == invitation_id)
    return session.exec(query).one_or_none()


def step(invitation: Invitation, wanted: InvitationState) -> None:
    """Along `TRANSITIONS`; raises `InvitationOver`."""
    if invitation.state is not wanted and wanted not in TRANSITIONS[invitation.state]:
        raise InvitationOver
    invitation.state = wanted


def send(gateway: Gateway, session: Session, act: Act, invitation: Invitation) -> None:
    """Write the mail with a new link. The address of the link is the configured one, never that of a request."""
    secret = secrets.token_urlsafe(32)
    life = timedelta(days=gateway.settings.invitation_days)
    step(invitation, InvitationState.OPEN)
    invitation.token_hash = gateway.keys.keyed_hash(LINK_PURPOSE, secret)
    invitation.sent_at, invitation.expires_at, invitation.tries = act.real_now, act.real_now + life, 0
    session.add(invitation)
    session.flush()
    inviter, office = session.get(User, invitation.inviter_id), session.get(Office, invitation.office_id)
    assert inviter is not None, "an inviter exists"
    assert office is not None, "an invitation belongs to an office"
    # The office stands in the link, so that no table of all offices' links is needed to find it.
    url = f"{gateway.settings.base_url.rstrip('/')}{PATH}{encode('office', office.id)}.{secret}"
    queue_mail(
        session, gateway, invitation.office_id, to=invitation.email, language=invitation.language,
        template="invitation",
        parameters={
            "first_name": invitation.first_name, "inviter": f"{inviter.first_name} {inviter.last_name}",
            "url": url, "days": str(gateway.settings.invitation_days),
        },
    )  # fmt: skip


def code_hash(gateway: Gateway, invitation: Invitation, code: str) -> bytes:
    """What is stored of a code; bound to its invitation."""
    return gateway.keys.keyed_hash(CODE_PURPOSE, f"{invitation.id}\0{code}")
