"""Cursors: exact while rows are added, refused when altered or used elsewhere."""

from __future__ import annotations

import pytest

from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.documents import _NoInstallation
from gateway.offices.service import ClientService
from gateway.pagination import CursorInvalid, PageRequest
from tests.gateway.builders import act_of_system, make_client, make_office


def test_paging_neither_skips_nor_repeats_while_rows_are_added(gateway: Gateway) -> None:
    office = make_office(gateway)
    names = [f"Klant {letter}" for letter in "BDFHJLN"]
    for name in names:
        make_client(gateway, office, name=name)
    service, act = ClientService(gateway), act_of_system(office)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        clients, cursor = service.page(act, PageRequest(limit=2, cursor=cursor))
        seen += [client.name for client in clients]
        # One before and one behind what was shown so far.
        make_client(gateway, office, name="Klant A")
        if cursor is None:
            break
    assert [name for name in seen if name != "Klant A"] == names
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("cursor", ["x", "AAAA", "ÿ", "!" * 30])
def test_an_altered_cursor_is_refused(gateway: Gateway, cursor: str) -> None:
    office = make_office(gateway)
    with pytest.raises(CursorInvalid):
        ClientService(gateway).page(act_of_system(office), PageRequest(limit=2, cursor=cursor))


def test_a_cursor_of_another_office_is_refused(gateway: Gateway) -> None:
    office, other = make_office(gateway), make_office(gateway)
    for name in ("A", "B", "C"):
        make_client(gateway, office, name=name)
    _, cursor = ClientService(gateway).page(act_of_system(office), PageRequest(limit=1, cursor=None))
    with pytest.raises(CursorInvalid):
        ClientService(gateway).page(act_of_system(other), PageRequest(limit=1, cursor=cursor))


BOUNDED = {
    "list_balances": "the kinds of balance of one reading",
    "list_days": "the days of a period of at most 366",
    "get_object_state": "the fields of one object",
    "list_banks": "the banks there are connectors for",
    "get_oidc_links": "one person's accounts at providers, one each",
}
"""Lists without pages, and what bounds them."""
OTHER_SHAPE = {"sync_transactions": "added, modified and removed, as API-04 names them"}


def test_every_list_has_pages_or_is_bounded_by_nature() -> None:
    """API-04: `limit` 1-500 (default 50), signed `cursor`, `items`, `next_cursor`."""
    document = create_app(_NoInstallation()).openapi()  # type: ignore[arg-type]  # describing needs no installation
    shapes, unpaged, paged = document["components"]["schemas"], set(), set()
    for methods in document["paths"].values():
        if "get" not in methods:
            continue
        operation = methods["get"]
        content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        schema = content.get("schema", {})
        schema = shapes[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        parameters = {one["name"]: one["schema"] for one in operation.get("parameters", ())}
        name, fields = operation["operationId"], set(schema.get("properties", {}))
        if {"limit", "cursor"} <= set(parameters):
            assert {"items", "next_cursor"} <= fields or name in OTHER_SHAPE, name
            limit = parameters["limit"]
            assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 500, 50), name
            paged.add(name)
        elif schema.get("type") == "array" or "items" in fields or name.startswith("list_"):
            unpaged.add(name)
    assert unpaged == set(BOUNDED)
    assert len(paged) > 30
