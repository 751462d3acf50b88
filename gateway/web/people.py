"""People and roles, invitations, and what waits for a second person (OFF-07, OFF-08, APP-12)."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import FieldFault, GatewayError, InputError
from gateway.identity.rights import ClientRole, OfficeRole, Permission
from gateway.ids import InvitationId, MembershipId, ProposalId, UserId, decode
from gateway.pagination import PageRequest
from gateway.people.invitations import InvitationService, InvitationWish, Invited
from gateway.people.models import Invitation
from gateway.people.second_factor_reset import KIND as RESET
from gateway.people.second_factor_reset import SecondFactorResetService
from gateway.people.service import UserService, UserView
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState
from gateway.web import reading
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

PEOPLE_PER_PAGE: Final = 100
WAITING_MAX: Final = 50
OFFICE: Final = "office"
"""The choice of the office itself in the list of clients."""


@router.get("/people")
def people(request: Request, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None) -> Response:
    """Who works for the office and its clients, who is invited, and what waits."""
    return _page(request, gateway, visit, cursor=cursor)


@router.post("/people/invitations")
def invite(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Send an invitation, or propose it; a code to hand over is shown this once."""
    try:
        role = text_of(form, "role")
        wish = InvitationWish(
            email=text_of(form, "email"),
            first_name=_name(form, "first_name"),
            last_name=_name(form, "last_name"),
            language=text_of(form, "language") if text_of(form, "language") in ("nl", "fr", "en", "de") else "nl",
            roles=[role],
            client_id=_client(form),
            salaries=_salaries(form),
            from_date=_day(form, "from_date"),
            until_date=_day(form, "until_date"),
        )
        invited = InvitationService(gateway).invite(visit.act, wish)
    except InputError as error:
        return _page(request, gateway, visit, error=error, values=dict(form.multi_items()))
    if invited.code is None:
        return see_other(request, "/people#invitations")
    return _page(request, gateway, visit, invited=invited)


@router.post("/people/invitations/{invitation_id}/mails")
def send_again(request: Request, invitation_id: InvitationId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """A new mail with a new link, and a new code where one is needed."""
    invited = InvitationService(gateway).resend(visit.act, invitation_id)
    if invited.code is None:
        return see_other(request, "/people#invitations")
    return _page(request, gateway, visit, invited=invited)


@router.post("/people/invitations/{invitation_id}/end")
def take_back(request: Request, invitation_id: InvitationId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """The link ends at once."""
    InvitationService(gateway).end(visit.act, invitation_id)
    return see_other(request, "/people#invitations")


@router.post("/people/{user_id}/roles")
def give(request: Request, user_id: UserId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """One role more; those that move money or rights wait for a second person."""
    try:
        UserService(gateway).grant(
            visit.act, user_id, text_of(form, "role"), client_id=_client(form), salaries=_salaries(form),
            from_date=_day(form, "from_date"), until_date=_day(form, "until_date"),
        )  # fmt: skip
    except InputError as error:
        return _page(request, gateway, visit, error=error)
    return see_other(request, "/people")


@router.post("/people/{user_id}/second-factor-reset")
def reset(request: Request, user_id: UserId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Propose to take the second factor away (SEC-13)."""
    SecondFactorResetService(gateway).propose(visit.act, user_id)
    return see_other(request, "/people")


@router.post("/people/{user_id}/enrolment-code")
def enrolment_code(request: Request, user_id: UserId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """A code to hand over, shown this once."""
    code, user = SecondFactorResetService(gateway).issue_code(visit.act, user_id)
    enrolment = {"name": f"{user.first_name} {user.last_name}", "code": code}
    return _page(request, gateway, visit, enrolment=enrolment)


@router.post("/people/roles/{membership_id}/end")
def end(request: Request, membership_id: MembershipId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """The role ends, or its end waits for a second person."""
    UserService(gateway).end(visit.act, membership_id)
    return see_other(request, "/people")


@router.post("/people/proposals/{proposal_id}/confirmation")
def confirm(request: Request, proposal_id: ProposalId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """As the second person."""
    ProposalService(gateway).confirm(visit.act, proposal_id)
    return see_other(request, "/people")


@router.post("/people/proposals/{proposal_id}/withdrawal")
def withdraw(request: Request, proposal_id: ProposalId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Taken back, or refused."""
    ProposalService(gateway).withdraw(visit.act, proposal_id)
    return see_other(request, "/people")


def _page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    *,
    cursor: str | None = None,
    error: GatewayError | None = None,
    values: dict[str, Any] | None = None,
    invited: Invited | None = None,
    enrolment: dict[str, str] | None = None,
) -> Response:
    act = visit.act
    users, next_cursor = UserService(gateway).page(act, PageRequest(PEOPLE_PER_PAGE, cursor))
    invitations, _ = InvitationService(gateway).page(act, PageRequest(WAITING_MAX, None))
    proposals = ProposalService(gateway)
    waiting, _ = proposals.page(act, PageRequest(WAITING_MAX, None), state=ProposalState.PROPOSED)
    client_ids = {role.client_id for view in users for role in view.roles}
    client_ids |= {row.client_id for row in invitations} | {row.client_id for row in waiting}
    persons = {row.proposer_id for row in waiting} | {
        row.object_id for row in waiting if row.kind in ("role.grant", "user.legal_event", RESET)
    }
    return page(
        request,
        "people.html",
        status=error.http_status if error is not None else 200,
        users=users,
        next_cursor=next_cursor,
        invitations=invitations,
        waiting=[(row, proposals.can_confirm(act, row), _about(row, users, invitations)) for row in waiting],
        clients=reading.client_names(gateway, visit, {client for client in client_ids if client is not None}),
        names=reading.people(gateway, persons),
        choices=_choices(gateway, visit),
        office_roles=[role.value for role in OfficeRole] if _is_admin(visit) else [],
        client_roles=[role.value for role in ClientRole],
        error=error,
        values=values or {},
        invited=invited,
        enrolment=enrolment,
    )


def _about(proposal: Proposal, users: list[UserView], invitations: list[Invitation]) -> dict[str, Any]:
    """Whom and which role a proposal concerns, as far as it shows."""
    if proposal.kind == "role.end":
        for view in users:
            for role in view.roles:
                if role.id == proposal.object_id:
                    return {"name": f"{view.user.first_name} {view.user.last_name}", "roles": [role.role]}
    for invitation in invitations:
        if invitation.id == proposal.object_id:
            return {"name": f"{invitation.first_name} {invitation.last_name}", "roles": invitation.roles}
    content = proposal.content
    return {"name": None, "roles": content.get("roles") or ([content["role"]] if "role" in content else [])}


def _is_admin(visit: Visit) -> bool:
    return Permission.ADMIN in visit.act.principal.office_permissions


def _choices(gateway: Gateway, visit: Visit) -> list[reading.Choice]:
    if not visit.may(Permission.USERS_WRITE):
        return []
    return reading.clients(gateway, visit, Permission.USERS_WRITE)


def _client(form: FormData) -> UUID | None:
    text = text_of(form, "client")
    try:
        return None if text in ("", OFFICE) else decode("client", text)
    except ValueError:
        raise InputError from None


def _salaries(form: FormData) -> bool:
    return bool(text_of(form, "salaries"))


def _day(form: FormData, field: str) -> date | None:
    text = text_of(form, field)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError(faults=[FieldFault(f"/{field}", "day_invalid", "This is not a day.")]) from None


def _name(form: FormData, field: str) -> str:
    text = text_of(form, field)
    if not text or len(text) > 70 or not text.isprintable():
        raise InputError
    return text
