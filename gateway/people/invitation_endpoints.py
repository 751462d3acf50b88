"""REST: invitations (OFF-07, SEC-13)."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.act import Act
from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.assembly import Gateway
from gateway.ids import InvitationId
from gateway.operations import ANSWER_NOT_KEPT
from gateway.pagination import Page
from gateway.people.invitations import InvitationService, InvitationWish, Invited
from gateway.people.schemas import InvitationCreated, InvitationRead, InvitationWrite
from gateway.proposals.schemas import shown

router = APIRouter(prefix="/invitations")


@router.post(
    "",
    operation_id="create_invitation",
    openapi_extra=ANSWER_NOT_KEPT,
    status_code=201,
    responses=problem_responses(409),
)
def create_invitation(body: InvitationWrite, act: ActDep, gateway: GatewayDep) -> InvitationCreated:
    """Invite a person by mail to roles of the office, or at one client; the link in the mail works once.

    Roles that move money or rights go out once a second person confirms the proposal in the answer, and come with a
    code of six digits, shown this once, to be handed over by another channel than mail. The answer is the same
    whether or not somebody with this address exists. Needs a person with a fresh second factor.
    """
    wish = InvitationWish(
        email=body.email, first_name=body.first_name, last_name=body.last_name, language=body.language,
        roles=body.roles, client_id=body.client_id, salaries=body.salaries, from_date=body.from_date,
        until_date=body.until_date,
    )  # fmt: skip
    return _created(gateway, act, InvitationService(gateway).invite(act, wish))


@router.get("", operation_id="list_invitations", responses=problem_responses(400))
def list_invitations(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[InvitationRead]:
    """Invitations to the office and to the clients whose users the caller sees, the newest first."""
    rows, cursor = InvitationService(gateway).page(act, page)
    return Page(items=[InvitationRead.model_validate(row) for row in rows], next_cursor=cursor)


@router.get("/{invitation_id}", operation_id="get_invitation", responses=problem_responses())
def get_invitation(invitation_id: InvitationId, act: ActDep, gateway: GatewayDep) -> InvitationRead:
    """One invitation."""
    return InvitationRead.model_validate(InvitationService(gateway).get(act, invitation_id))


@router.post(
    "/{invitation_id}/mails",
    operation_id="send_invitation_again",
    openapi_extra=ANSWER_NOT_KEPT,
    status_code=201,
    responses=problem_responses(409),
)
def send_invitation_again(invitation_id: InvitationId, act: ActDep, gateway: GatewayDep) -> InvitationCreated:
    """A new mail with a new link, and a new code where one is needed; the link before ends."""
    return _created(gateway, act, InvitationService(gateway).resend(act, invitation_id))


@router.delete("/{invitation_id}", operation_id="end_invitation", status_code=204, responses=problem_responses(409))
def end_invitation(invitation_id: InvitationId, act: ActDep, gateway: GatewayDep) -> None:
    """Take an invitation back; its link ends at once."""
    InvitationService(gateway).end(act, invitation_id)


def _created(gateway: Gateway, act: Act, invited: Invited) -> InvitationCreated:
    return InvitationCreated(
        invitation=InvitationRead.model_validate(invited.invitation),
        code=invited.code,
        proposal=shown(gateway, act, invited.proposal) if invited.proposal is not None else None,
    )
