"""Addresses that wait for another admin: one button for an import, one for each address set alone (DEL-13)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import col, select

from gateway.addresses.repository import AddressRepository
from gateway.addresses.service import AddressService, ChangeView
from gateway.addresses.states import ChangeState
from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import InputError
from gateway.identity.rights import Permission
from gateway.ids import decode
from gateway.imports.models import ClientImport
from gateway.pagination import PageRequest
from gateway.web import reading
from gateway.web.rendering import page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()

SHOWN_MAX: Final = 200


@dataclass
class Group:
    """Addresses that one decision covers: of one import, or one set alone."""

    client_import: ClientImport | None
    count: int = 1
    """All that wait of it, shown or not."""
    views: list[ChangeView] = field(default_factory=list)

    @property
    def can_confirm(self) -> bool:
        """Whether the caller may confirm every one of them."""
        return all(view.can_confirm for view in self.views)


@router.get("/addresses")
def addresses(request: Request, gateway: GatewayDep, visit: VisitDep) -> Response:
    """What waits, by import."""
    visit.act.principal.require_for_office(Permission.ADMIN)
    views, more = AddressService(gateway).page(visit.act, PageRequest(SHOWN_MAX, None), state=ChangeState.WAITING)
    authors = {view.change.author_id for view in views}
    return page(
        request,
        "addresses.html",
        groups=_groups(gateway, visit, views),
        authors=reading.people(gateway, authors),
        has_more=more is not None,
    )


@router.post("/addresses/decisions")
def decide(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Confirm or refuse an import's addresses, or one."""
    verdict, about = text_of(form, "verdict"), text_of(form, "about")
    if verdict not in ("confirm", "refuse"):
        raise InputError
    service = AddressService(gateway)
    try:
        if about.startswith("imp_"):
            service.decide(visit.act, is_confirmed=verdict == "confirm", import_id=decode("client_import", about))
        else:
            change_id = decode("address_change", about)
            service.decide(visit.act, is_confirmed=verdict == "confirm", change_ids=[change_id])
    except ValueError:
        raise InputError from None
    return see_other(request, "/addresses")


def _groups(gateway: Gateway, visit: Visit, views: list[ChangeView]) -> list[Group]:
    ids = {view.change.import_id for view in views if view.change.import_id is not None}
    with gateway.database.unit_of_work(visit.act.office_id) as session:
        query = select(ClientImport).where(ClientImport.office_id == visit.act.office_id, col(ClientImport.id).in_(ids))
        imports = {row.id: row for row in session.exec(query)}
        counts = {
            import_id: AddressRepository(session).waiting_count(visit.act.office_id, import_id) for import_id in imports
        }
    groups: dict[UUID, Group] = {}
    for view in views:
        found = imports.get(view.change.import_id) if view.change.import_id is not None else None
        key = view.change.id if found is None else found.id
        groups.setdefault(key, Group(found, counts.get(key, 1))).views.append(view)
    return list(groups.values())
