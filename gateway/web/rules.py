"""How a client approves: rules, groups, the process, the amount to sign from, and what waits (APP-12, SEC-04)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from gateway.api import GatewayDep
from gateway.approvals import groups as group_kind
from gateway.approvals import process, rules
from gateway.approvals.groups import GroupService, GroupView
from gateway.approvals.models import ApprovalRuleVersion
from gateway.approvals.process import ProcessService
from gateway.approvals.repository import APPROVING_ROLES
from gateway.approvals.rulebook import RuleWish, conditions_of, rule_of
from gateway.approvals.rules import RuleService
from gateway.assembly import Gateway
from gateway.errors import FieldFault, GatewayError, InputError
from gateway.identity.rights import Permission
from gateway.ids import ApprovalRuleId, ApproverGroupId, ClientId, ProposalId, decode, encode
from gateway.offices.applications import RULES_KIND
from gateway.pagination import PageRequest
from gateway.people.service import UserService
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService
from gateway.proposals.states import ProposalState
from gateway.signed_decisions.proposals import LIMIT_KIND
from gateway.signed_decisions.service import SignedDecisionService
from gateway.web import reading
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of
from sepa.approval import Approver, Conditions, Mode

router = page_router()

ROWS_MAX: Final = 500
WAITING_MAX: Final = 50
NAME_MAX: Final = 70
KINDS: Final = (rules.CREATE, rules.CHANGE, group_kind.CHANGE, process.CHANGE, LIMIT_KIND, RULES_KIND)
"""What is shown as waiting here; roles wait on the page of people."""


@router.get("/rules")
def clients(request: Request, gateway: GatewayDep, visit: VisitDep) -> Response:
    """Choose a client; straight to it where there is one only."""
    choices = reading.clients(gateway, visit, Permission.RULES_READ)
    if len(choices) == 1:
        return see_other(request, _path(choices[0].id))
    return page(request, "rules_clients.html", visit=visit, choices=choices)


@router.get("/rules/{client_id}")
def one(request: Request, client_id: ClientId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """Everything that decides on a client's payments."""
    return _page(request, gateway, visit, client_id)


@router.post("/rules/{client_id}/settings")
def put_settings(
    request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep
) -> Response:
    """The process on or off, and whether preparers may approve."""
    return _done(
        request, gateway, visit, client_id,
        lambda: ProcessService(gateway).change_settings(
            visit.act, client_id, is_payment_process_on=bool(text_of(form, "is_on")),
            preparer_may_approve=bool(text_of(form, "preparer_may_approve")), version=_number(form, "version"),
        ),
    )  # fmt: skip


@router.post("/rules/{client_id}/signing-limit")
def put_limit(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """The amount above which a decision takes a passkey's signature (SEC-04)."""

    def propose() -> object:
        amount = _amount(form, "amount")
        content = {"amount": None if amount is None else f"{amount:f}"}
        return ProposalService(gateway).propose(visit.act, LIMIT_KIND, client_id, content, client_id=client_id)

    return _done(request, gateway, visit, client_id, propose)


@router.post("/rules/{client_id}/rules")
def make_rule(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """A new rule."""
    return _done(
        request, gateway, visit, client_id,
        lambda: RuleService(gateway).create_rule(visit.act, client_id, _wish(form, None)),
    )  # fmt: skip


@router.post("/rules/{client_id}/rules/{rule_id}")
def change_rule(
    *,
    request: Request,
    client_id: ClientId,
    rule_id: ApprovalRuleId,
    gateway: GatewayDep,
    visit: PostedDep,
    form: FormDep,
) -> Response:
    """Another version of a rule; what this page does not show of its conditions stays."""
    present = RuleService(gateway).rule(visit.act, rule_id)
    return _done(
        request, gateway, visit, client_id,
        lambda: RuleService(gateway).change_rule(
            visit.act, rule_id, _wish(form, present), version=_number(form, "version")
        ),
    )  # fmt: skip


@router.post("/rules/{client_id}/groups")
def make_group(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """A new group, for rules to come."""
    return _done(
        request, gateway, visit, client_id,
        lambda: GroupService(gateway).create_group(
            visit.act, client_id, name=_name(form), user_ids=_ids(form, "user", "user")
        ),
    )  # fmt: skip


@router.post("/rules/{client_id}/groups/{group_id}")
def change_group(
    *,
    request: Request,
    client_id: ClientId,
    group_id: ApproverGroupId,
    gateway: GatewayDep,
    visit: PostedDep,
    form: FormDep,
) -> Response:
    """Name and members."""
    return _done(
        request, gateway, visit, client_id,
        lambda: GroupService(gateway).change_group(
            visit.act, group_id, name=_name(form), user_ids=_ids(form, "user", "user"),
            version=_number(form, "version"),
        ),
    )  # fmt: skip


@router.post("/rules/{client_id}/proposals/{proposal_id}/confirmation")
def confirm(
    request: Request, client_id: ClientId, proposal_id: ProposalId, gateway: GatewayDep, visit: PostedDep
) -> Response:
    """As the second administrator."""
    return _done(
        request, gateway, visit, client_id, lambda: ProposalService(gateway).confirm(visit.act, proposal_id)
    )  # fmt: skip


@router.post("/rules/{client_id}/proposals/{proposal_id}/withdrawal")
def withdraw(
    request: Request, client_id: ClientId, proposal_id: ProposalId, gateway: GatewayDep, visit: PostedDep
) -> Response:
    """Taken back, or refused."""
    return _done(
        request, gateway, visit, client_id, lambda: ProposalService(gateway).withdraw(visit.act, proposal_id)
    )  # fmt: skip


def _path(client_id: UUID) -> str:
    return f"/rules/{encode('client', client_id)}"


def _done(request: Request, gateway: Gateway, visit: Visit, client_id: UUID, act: Callable[[], object]) -> Response:
    """Do it and show the page again; what is refused is said on the page."""
    try:
        act()
    except GatewayError as error:
        return _page(request, gateway, visit, client_id, error=error)
    return see_other(request, _path(client_id))


def _page(
    request: Request, gateway: Gateway, visit: Visit, client_id: UUID, *, error: GatewayError | None = None
) -> Response:
    act, everything = visit.act, PageRequest(ROWS_MAX, None)
    settings = ProcessService(gateway).settings(act, client_id)
    rows, _ = RuleService(gateway).rules(act, client_id, everything)
    views, _ = GroupService(gateway).groups(act, client_id, everything)
    may_see_people = visit.may(Permission.USERS_READ, client_id)
    users = UserService(gateway).page(act, everything, client_id=client_id)[0] if may_see_people else []
    here = [
        view.user
        for view in users
        if any(role.client_id == client_id and role.role in APPROVING_ROLES for role in view.roles)
    ]
    named = {UUID(entry["user_id"]) for row in rows for entry in row.approvers if entry["user_id"]}
    named |= {user_id for view in views for user_id in view.user_ids}
    waiting = _proposals(gateway, visit, client_id) if may_see_people else []
    for proposal in waiting:
        named |= {proposal.proposer_id} | _people_in(proposal)
    names = reading.people(gateway, named | {user.id for user in here})
    group_names = {str(view.group.id): view.group.name for view in views}
    return page(
        request,
        "rules.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        path=_path(client_id),
        client_id=client_id,
        client_name=reading.client_names(gateway, visit, [client_id]).get(client_id, ""),
        settings=settings,
        limit=SignedDecisionService(gateway).limit(act, client_id),
        rules=[(row, rule_of(row), _said(row.conditions)) for row in rows],
        groups=views,
        people={str(user_id): names[str(user_id)] for user_id in [user.id for user in here]},
        names=names,
        group_names=group_names,
        waiting=[_waiting(gateway, visit, proposal, views, rows) for proposal in waiting],
        may_change=visit.may(Permission.RULES_WRITE, client_id),
        error=error,
    )


def _proposals(gateway: Gateway, visit: Visit, client_id: UUID) -> list[Proposal]:
    found, _ = ProposalService(gateway).page(
        visit.act, PageRequest(WAITING_MAX, None), state=ProposalState.PROPOSED, client_id=client_id, only=KINDS
    )
    return found


def _people_in(proposal: Proposal) -> set[UUID]:
    content = proposal.content
    entries = content["rule"]["approvers"] if isinstance(content.get("rule"), dict) else []
    found = {UUID(entry["user_id"]) for entry in entries if entry["user_id"]}
    return found | {UUID(user_id) for user_id in content.get("user_ids", [])}


def _waiting(
    gateway: Gateway, visit: Visit, proposal: Proposal, views: list[GroupView], rows: list[ApprovalRuleVersion]
) -> dict[str, Any]:
    content = proposal.content
    rule = content.get("rule") if isinstance(content.get("rule"), dict) else None
    before = next((row for row in rows if row.rule_id == proposal.object_id), None)
    group = next((view for view in views if view.group.id == proposal.object_id), None)
    return {
        "proposal": proposal,
        "can_confirm": ProposalService(gateway).can_confirm(visit.act, proposal),
        "rule": rule,
        "conditions": None if rule is None else _said(rule["conditions"]),
        "before": before.name if before is not None else (group.group.name if group is not None else None),
    }


def _said(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of a rule's conditions: the amount, and the names of those it cannot change."""
    return {
        "amount_from": conditions.get("amount_from"),
        "is_any": not conditions,
        "more": sorted(conditions.keys() - {"amount_from"}),
    }


def _wish(form: FormData, present: ApprovalRuleVersion | None) -> RuleWish:
    old = None if present is None else rule_of(present)
    maxima = {} if old is None else {(one.user_id, one.group_id): one.amount_max for one in old.approvers}
    document = {} if present is None else dict(present.conditions)
    amount = _amount(form, "amount_from")
    document.pop("amount_from", None)
    if amount is not None:
        document["amount_from"] = f"{amount:f}"
    keys: list[tuple[str | None, str | None]] = [
        (None, str(group_id)) for group_id in sorted(_ids(form, "group", "approver_group"))
    ]
    keys += [(str(user_id), None) for user_id in sorted(_ids(form, "user", "user"))]
    if not keys:
        raise InputError(faults=[FieldFault("/approvers", "approvers_needed", "Choose who approves.")])
    # The order of those that stay is kept: it counts where one follows another.
    order = {(one.user_id, one.group_id): position for position, one in enumerate(old.approvers if old else ())}
    keys.sort(key=lambda key: order.get(key, len(order)))
    try:
        mode = Mode(text_of(form, "mode"))
    except ValueError:
        raise InputError from None
    return RuleWish(
        name=_name(form),
        is_active=present is None or bool(text_of(form, "is_active")),
        conditions=conditions_of(document) if document else Conditions(),
        mode=mode,
        count=max(1, min(20, _number(form, "count") or 1)),
        approvers=tuple(Approver(user_id=u, group_id=g, amount_max=maxima.get((u, g))) for u, g in keys),
    )


def _name(form: FormData) -> str:
    name = text_of(form, "name")
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise InputError(faults=[FieldFault("/name", "name_invalid", "Give it a name of at most 70 characters.")])
    return name


def _ids(form: FormData, field: str, kind: str) -> set[UUID]:
    try:
        return {decode(kind, str(value)) for value in form.getlist(field) if value}
    except ValueError:
        raise InputError from None


def _number(form: FormData, field: str) -> int:
    text = text_of(form, field)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _amount(form: FormData, field: str) -> Decimal | None:
    text = text_of(form, field).replace(" ", "")
    if not text:
        return None
    if "," in text:
        text = text.replace(".", "").replace(",", ".")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    exponent = amount.as_tuple().exponent
    if not amount.is_finite() or not 0 <= amount < 10**12 or not isinstance(exponent, int) or exponent < -2:
        raise InputError(faults=[FieldFault(f"/{field}", "amount_invalid", "This is not an amount in euro.")])
    return amount.quantize(Decimal("0.01"))
