"""REST: users of the office and its clients, and their roles (OFF-07, OFF-08)."""

from __future__ import annotations

from fastapi import APIRouter, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.client_groups.service import ClientGroupService
from gateway.ids import ClientId, MembershipId, UserId
from gateway.operations import ANSWER_NOT_KEPT
from gateway.pagination import Page
from gateway.people.invitation_endpoints import router as invitation_router
from gateway.people.schemas import AssignedClients, EnrolmentCodeRead, HeldRoleRead, RoleWrite, UserRead
from gateway.people.second_factor_reset import SecondFactorResetService
from gateway.people.service import UserService, UserView
from gateway.proposals.answers import PROPOSED, accepted
from gateway.proposals.models import Proposal
from gateway.proposals.schemas import ProposalRead, shown

router = APIRouter(prefix="/v1", tags=["people"])
router.include_router(invitation_router)


@router.get("/users", operation_id="list_users", responses=problem_responses(400))
def list_users(act: ActDep, gateway: GatewayDep, page: PageDep, client_id: ClientId | None = None) -> Page[UserRead]:
    """People of the office and of the clients the caller sees, by last name."""
    views, cursor = UserService(gateway).page(act, page, client_id=client_id)
    return Page(items=[_user(view) for view in views], next_cursor=cursor)


@router.get("/users/{user_id}", operation_id="get_user", responses=problem_responses())
def get_user(user_id: UserId, act: ActDep, gateway: GatewayDep) -> UserRead:
    """One person."""
    return _user(UserService(gateway).get(act, user_id))


@router.post(
    "/users/{user_id}/roles",
    operation_id="create_role",
    status_code=201,
    response_model=HeldRoleRead,
    responses={**PROPOSED, **problem_responses(409)},
)
def create_role(user_id: UserId, body: RoleWrite, act: ActDep, gateway: GatewayDep) -> HeldRoleRead | Response:
    """Give a role. `admin`, `administrator`, `approver` and `exporter` become a proposal for a second person (202)."""
    made = UserService(gateway).grant(
        act, user_id, body.role, client_id=body.client_id, salaries=body.salaries,
        from_date=body.from_date, until_date=body.until_date,
    )  # fmt: skip
    if isinstance(made, Proposal):
        return accepted(gateway, act, made)
    return HeldRoleRead.model_validate(made)


@router.delete(
    "/roles/{membership_id}",
    operation_id="end_role",
    status_code=204,
    response_model=None,
    responses={**PROPOSED, **problem_responses(409)},
)
def end_role(membership_id: MembershipId, act: ActDep, gateway: GatewayDep) -> Response:
    """Take a role away, at once. Roles that move money or rights become a proposal for a second person (202)."""
    proposal = UserService(gateway).end(act, membership_id)
    return Response(status_code=204) if proposal is None else accepted(gateway, act, proposal)


@router.post(
    "/users/{user_id}/second-factor-resets",
    operation_id="create_second_factor_reset",
    status_code=202,
    responses=problem_responses(409),
)
def create_second_factor_reset(user_id: UserId, act: ActDep, gateway: GatewayDep) -> ProposalRead:
    """Propose to take away a person's second factor; administrators other than the person decide (SEC-13).

    When it takes effect, all sessions of the person end, every administrator is told, and the person decides and
    exports nothing for 24 hours.
    """
    return shown(gateway, act, SecondFactorResetService(gateway).propose(act, user_id))


@router.post(
    "/users/{user_id}/enrolment-codes",
    operation_id="create_enrolment_code",
    status_code=201,
    responses=problem_responses(409),
    openapi_extra=ANSWER_NOT_KEPT,
)
def create_enrolment_code(user_id: UserId, act: ActDep, gateway: GatewayDep) -> EnrolmentCodeRead:
    """A code for a person without second factor, shown this once: hand it over by another channel than mail.

    Who approves, exports or administers sets up a new second factor with such a code only (SEC-13).
    """
    code, user = SecondFactorResetService(gateway).issue_code(act, user_id)
    assert user.enrolment_code_expires_at is not None, "set with the code"
    return EnrolmentCodeRead(code=code, expires_at=user.enrolment_code_expires_at)


@router.put("/users/{user_id}/clients", operation_id="put_user_clients", responses=problem_responses())
def put_user_clients(user_id: UserId, body: AssignedClients, act: ActDep, gateway: GatewayDep) -> AssignedClients:
    """Set the clients that one person of the office sees, beside those of the groups (OFF-09)."""
    UserService(gateway).get(act, user_id)
    return AssignedClients(client_ids=ClientGroupService(gateway).assign(act, user_id, body.client_ids))


def _user(view: UserView) -> UserRead:
    return UserRead(
        id=view.user.id,
        first_name=view.user.first_name,
        last_name=view.user.last_name,
        email=view.user.email,
        language=view.user.language,
        has_second_factor=view.has_second_factor,
        roles=[HeldRoleRead.model_validate(role) for role in view.roles],
    )
