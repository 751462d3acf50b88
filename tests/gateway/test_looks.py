"""SEC-09: looks by auditors and support are entries too; what others read is not, and content never is."""

from __future__ import annotations

import pytest
from sqlmodel import col, select
from starlette.requests import Request

from gateway.assembly import Gateway
from gateway.audit.looks import record_look
from gateway.audit.models import AuditEntry, AuditValue
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.ids import encode
from tests.gateway.payments.scene import Scene, make_scene


def request_of(method: str, path: str, query: str, **ids: str) -> Request:
    class Route:
        pass

    route = Route()
    route.path = path  # type: ignore[attr-defined]  # as the framework's routes have it
    return Request(
        {
            "type": "http", "method": method, "path": path, "headers": [], "route": route, "path_params": ids,
            "query_string": query.encode(),
        }
    )  # fmt: skip


def looks(scene: Scene) -> list[tuple[AuditEntry, dict[str, object]]]:
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        found = session.exec(
            select(AuditEntry).where(AuditEntry.action == "person.looked").order_by(col(AuditEntry.position))
        ).all()
        values = {(row.entry_id, row.field): row.new_value for row in session.exec(select(AuditValue))}
        return [(entry, {name: values[entry.id, name] for name in entry.digests}) for entry in found]


@pytest.mark.parametrize("role", [ClientRole.AUDITOR, OfficeRole.SUPPORT])
def test_a_look_names_route_and_ids_and_no_content(gateway: Gateway, role: ClientRole | OfficeRole) -> None:
    scene = make_scene(gateway)
    scene.person("looker", role)
    client = encode("client", scene.client.id)
    act = scene.act("looker")
    record_look(gateway, act, request_of("GET", "/v1/clients/{client_id}", "q=Geheim&limit=5", client_id=client))
    ((entry, values),) = looks(scene)
    assert (entry.actor_id, entry.client_id) == (scene.people["looker"].id, scene.client.id)
    assert values == {"route": "/v1/clients/{client_id}", "ids": {"client_id": client}}
    record_look(gateway, act, request_of("POST", "/v1/clients", ""))
    assert len(looks(scene)) == 1, "what changes something has an entry of its own"


def test_what_others_read_is_not_recorded(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    scene.person("admin", OfficeRole.ADMIN)
    scene.person("both", OfficeRole.SUPPORT, OfficeRole.STAFF)
    for act in (scene.act("admin"), scene.act("both"), scene.act("preparer"), scene.machine("audit")):
        record_look(gateway, act, request_of("GET", "/v1/clients", ""))
    assert looks(scene) == []
