"""REST: rules, groups, settings, requests and decisions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.approvals.groups import GroupService
from gateway.approvals.lists import ApprovalLists, View
from gateway.approvals.process import ProcessService
from gateway.approvals.rules import RuleService
from gateway.approvals.schemas import (
    ApprovalSettingsRead,
    ApprovalSettingsWrite,
    DecisionResultRead,
    DecisionResultsRead,
    DecisionsWrite,
    DecisionWrite,
    DossierRead,
    GroupRead,
    GroupWrite,
    RuleRead,
    RuleWrite,
    approval_settings_read,
    dossier_read,
    group_read,
    result_read,
    rule_read,
)
from gateway.approvals.service import ApprovalService
from gateway.ids import ApprovalRuleId, ApproverGroupId, ClientId, PaymentId
from gateway.operations import KEY_REQUIRED
from gateway.pagination import Page
from gateway.payments.etags import IfMatch, etag, tag_in, version_in
from gateway.problems import language_of
from gateway.proposals.answers import PROPOSED, accepted
from gateway.proposals.models import Proposal

router = APIRouter(prefix="/v1", tags=["approvals"])


@router.get("/clients/{client_id}/approval-rules", operation_id="list_approval_rules", responses=problem_responses(400))
def list_approval_rules(client_id: ClientId, act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[RuleRead]:
    """The client's rules as they are now."""
    rows, cursor = RuleService(gateway).rules(act, client_id, page)
    return Page(items=[rule_read(row) for row in rows], next_cursor=cursor)


@router.post(
    "/clients/{client_id}/approval-rules",
    operation_id="create_approval_rule",
    status_code=201,
    response_model=RuleRead,
    responses={**PROPOSED, **problem_responses(409)},
)
def create_approval_rule(
    client_id: ClientId, body: RuleWrite, response: Response, act: ActDep, gateway: GatewayDep
) -> RuleRead | Response:
    """A new rule, for payments submitted from now on; administrators with a fresh second factor only.

    A second administrator confirms it (202 with the proposal). Where there is one only, it takes effect after 48 hours
    (`effective_at`), or at once before the client's first submission (201).
    """
    row = RuleService(gateway).create_rule(act, client_id, body.wish())
    if isinstance(row, Proposal):
        return accepted(gateway, act, row)
    response.headers["ETag"] = etag(row.version)
    return rule_read(row)


@router.get("/approval-rules/{rule_id}", operation_id="get_approval_rule", responses=problem_responses())
def get_approval_rule(rule_id: ApprovalRuleId, response: Response, act: ActDep, gateway: GatewayDep) -> RuleRead:
    """One rule as it is now."""
    row = RuleService(gateway).rule(act, rule_id)
    response.headers["ETag"] = etag(row.version)
    return rule_read(row)


@router.put(
    "/approval-rules/{rule_id}",
    operation_id="put_approval_rule",
    response_model=RuleRead,
    responses={**PROPOSED, **problem_responses(409, 412, 428)},
)
def put_approval_rule(
    *,
    rule_id: ApprovalRuleId,
    body: RuleWrite,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
    if_match: IfMatch = None,
) -> RuleRead | Response:
    """A new version of the rule; payments submitted before keep the old one.

    A second administrator confirms it (202 with the proposal), as for a new rule. A proposal made on a version that is
    not the present one any more is refused when it is confirmed (`proposal_overtaken`).
    """
    row = RuleService(gateway).change_rule(act, rule_id, body.wish(), version=version_in(if_match))
    if isinstance(row, Proposal):
        return accepted(gateway, act, row)
    response.headers["ETag"] = etag(row.version)
    return rule_read(row)


@router.get(
    "/clients/{client_id}/approver-groups", operation_id="list_approver_groups", responses=problem_responses(400)
)
def list_approver_groups(client_id: ClientId, act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[GroupRead]:
    """The client's groups with their members."""
    views, cursor = GroupService(gateway).groups(act, client_id, page)
    return Page(items=[group_read(view) for view in views], next_cursor=cursor)


@router.post(
    "/clients/{client_id}/approver-groups",
    operation_id="create_approver_group",
    status_code=201,
    responses=problem_responses(409),
)
def create_approver_group(
    client_id: ClientId, body: GroupWrite, response: Response, act: ActDep, gateway: GatewayDep
) -> GroupRead:
    """A new group, which no rule names yet; a person with a fresh second factor only."""
    view = GroupService(gateway).create_group(act, client_id, name=body.name, user_ids=body.user_ids)
    response.headers["ETag"] = etag(view.group.version)
    return group_read(view)


@router.get("/approver-groups/{group_id}", operation_id="get_approver_group", responses=problem_responses())
def get_approver_group(group_id: ApproverGroupId, response: Response, act: ActDep, gateway: GatewayDep) -> GroupRead:
    """One group."""
    view = GroupService(gateway).group(act, group_id)
    response.headers["ETag"] = etag(view.group.version)
    return group_read(view)


@router.put(
    "/approver-groups/{group_id}",
    operation_id="put_approver_group",
    response_model=GroupRead,
    responses={**PROPOSED, **problem_responses(409, 412, 428)},
)
def put_approver_group(
    *,
    group_id: ApproverGroupId,
    body: GroupWrite,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
    if_match: IfMatch = None,
) -> GroupRead | Response:
    """Rename a group and set its members, for waiting payments too.

    At once while no rule names the group; else a second administrator confirms it (202 with the proposal).
    """
    view = GroupService(gateway).change_group(
        act, group_id, name=body.name, user_ids=body.user_ids, version=version_in(if_match)
    )
    if isinstance(view, Proposal):
        return accepted(gateway, act, view)
    response.headers["ETag"] = etag(view.group.version)
    return group_read(view)


@router.get(
    "/clients/{client_id}/approval-settings", operation_id="get_approval_settings", responses=problem_responses()
)
def get_approval_settings(
    client_id: ClientId, response: Response, act: ActDep, gateway: GatewayDep
) -> ApprovalSettingsRead:
    """Whether the client's payments need approval."""
    settings = ProcessService(gateway).settings(act, client_id)
    response.headers["ETag"] = etag(settings.version)
    return approval_settings_read(settings)


@router.put(
    "/clients/{client_id}/approval-settings",
    operation_id="put_approval_settings",
    response_model=ApprovalSettingsRead,
    responses={**PROPOSED, **problem_responses(409, 412, 428)},
)
def put_approval_settings(
    *,
    client_id: ClientId,
    body: ApprovalSettingsWrite,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
    if_match: IfMatch = None,
) -> ApprovalSettingsRead | Response:
    """Switch the approval process on or off, and let who prepared a payment approve it or not.

    A second administrator confirms it (202 with the proposal), as for a rule.
    """
    settings = ProcessService(gateway).change_settings(
        act,
        client_id,
        is_payment_process_on=body.is_payment_process_on,
        preparer_may_approve=body.preparer_may_approve,
        version=version_in(if_match),
    )
    if isinstance(settings, Proposal):
        return accepted(gateway, act, settings)
    response.headers["ETag"] = etag(settings.version)
    return approval_settings_read(settings)


@router.get("/approval-requests", operation_id="list_approval_requests", responses=problem_responses(400))
def list_approval_requests(
    *,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    view: Annotated[View, Query(description="Waiting for you, for others, approved, or rejected.")] = View.BY_ME,
    client_id: Annotated[ClientId | None, Query()] = None,
) -> Page[DossierRead]:
    """Payments with what is asked about them and of whom."""
    dossiers, cursor = ApprovalLists(gateway).page(act, page, view=view, client_id=client_id)
    language = language_of(request)
    return Page(items=[dossier_read(dossier, language) for dossier in dossiers], next_cursor=cursor)


@router.get("/payments/{payment_id}/approval", operation_id="get_payment_approval", responses=problem_responses())
def get_payment_approval(
    payment_id: PaymentId, request: Request, response: Response, act: ActDep, gateway: GatewayDep
) -> DossierRead:
    """One payment with its rules, decisions and preparers; the ETag is the seal to decide on."""
    dossier = ApprovalLists(gateway).dossier(act, payment_id)
    if dossier.payment.seal is not None:
        response.headers["ETag"] = etag(dossier.payment.seal)
    return dossier_read(dossier, language_of(request))


@router.post(
    "/payments/{payment_id}/decisions",
    operation_id="create_decision",
    status_code=201,
    responses=problem_responses(409, 412, 428),
    openapi_extra=KEY_REQUIRED,
)
def create_decision(
    *,
    payment_id: PaymentId,
    body: DecisionWrite,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    if_match: IfMatch = None,
) -> DecisionResultRead:
    """Approve or reject exactly the content whose seal is in If-Match; a person with a fresh second factor only."""
    outcome = ApprovalService(gateway).decide(act, body.wish(payment_id, tag_in(if_match)))
    return result_read(outcome, language_of(request))


@router.post(
    "/decisions", operation_id="create_decisions", responses=problem_responses(409), openapi_extra=KEY_REQUIRED
)
def create_decisions(body: DecisionsWrite, request: Request, act: ActDep, gateway: GatewayDep) -> DecisionResultsRead:
    """Up to 500 decisions, each with the seal that was seen and a result of its own."""
    wishes = [item.wish(item.payment_id, item.seal) for item in body.items]
    outcomes = ApprovalService(gateway).decide_many(act, wishes)
    language = language_of(request)
    return DecisionResultsRead(items=[result_read(outcome, language) for outcome in outcomes])
