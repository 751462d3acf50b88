"""Cursors: exact while rows are added, refused when altered or used elsewhere."""

from __future__ import annotations

import pytest

from gateway.assembly import Gateway
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
