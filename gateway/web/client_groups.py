"""Client groups: which people of the office see which clients (OFF-09)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.client_groups.service import ClientGroupService, ClientGroupView
from gateway.errors import GatewayError, InputError
from gateway.identity.rights import Permission
from gateway.ids import ClientGroupId, decode, encode
from gateway.pagination import PageRequest
from gateway.people.service import UserService
from gateway.web import reading
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

GROUPS_MAX: Final = 500
PEOPLE_MAX: Final = 500
NAME_MAX: Final = 70


@router.get("/client-groups")
def groups(request: Request, gateway: GatewayDep, visit: VisitDep) -> Response:
    """Every group with its numbers."""
    return _list(request, gateway, visit)


@router.post("/client-groups")
def make(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """A new group, empty at first."""
    name = text_of(form, "name")
    try:
        view = ClientGroupService(gateway).create(visit.act, name=_checked(name), client_ids=[], user_ids=[])
    except GatewayError as error:
        return _list(request, gateway, visit, error=error, name=name)
    return see_other(request, _path(view.group.id))


@router.get("/client-groups/{group_id}")
def group(request: Request, group_id: ClientGroupId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """One group: its people and its clients."""
    return _one(request, gateway, visit, ClientGroupService(gateway).get(visit.act, group_id))


@router.post("/client-groups/{group_id}")
def change(request: Request, group_id: ClientGroupId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Name and people; one client more, or some fewer."""
    service = ClientGroupService(gateway)
    view = service.get(visit.act, group_id)
    try:
        clients = (set(view.client_ids or []) | _ids("client", form.getlist("add"))) - _ids(
            "client", form.getlist("remove")
        )
        name = view.group.name if view.group.is_everyone else _checked(text_of(form, "name"))
        service.change(visit.act, group_id, name=name, client_ids=clients, user_ids=_ids("user", form.getlist("user")))
    except GatewayError as error:
        return _one(request, gateway, visit, view, error=error)
    return see_other(request, _path(group_id))


@router.post("/client-groups/{group_id}/removal")
def remove(request: Request, group_id: ClientGroupId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """Take the group away; clients and people stay."""
    ClientGroupService(gateway).delete(visit.act, group_id)
    return see_other(request, "/client-groups")


def _path(group_id: UUID) -> str:
    return f"/client-groups/{encode('client_group', group_id)}"


def _checked(name: str) -> str:
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise InputError
    return name


def _ids(kind: str, values: Iterable[object]) -> set[UUID]:
    try:
        return {decode(kind, str(value)) for value in values if value}
    except ValueError:
        raise InputError from None


def _list(
    request: Request, gateway: Gateway, visit: Visit, *, error: GatewayError | None = None, name: str = ""
) -> Response:
    views, _ = ClientGroupService(gateway).page(visit.act, PageRequest(GROUPS_MAX, None))
    return page(
        request,
        "client_groups.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        views=views,
        may_change="admin" in visit.act.principal.office_permissions,
        error=error,
        name=name,
    )


def _one(
    request: Request, gateway: Gateway, visit: Visit, view: ClientGroupView, *, error: GatewayError | None = None
) -> Response:
    users, _ = UserService(gateway).page(visit.act, PageRequest(PEOPLE_MAX, None))
    staff = [one.user for one in users if any(role.client_id is None for role in one.roles)]
    members = reading.client_names(gateway, visit, view.client_ids or [])
    choices = reading.clients(gateway, visit, Permission.CLIENTS_READ)
    return page(
        request,
        "client_group.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        view=view,
        staff=staff,
        members=sorted(members.items(), key=lambda member: member[1].casefold()),
        choices=[choice for choice in choices if choice.id not in members],
        may_change="admin" in visit.act.principal.office_permissions,
        error=error,
        path=_path(view.group.id),
    )
