"""SEC-02, SEC-06, SEC-08: who sets webhooks up, which addresses, their secrets and changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from gateway.assembly import Gateway
from gateway.errors import InputError, RightsError, StaleError, Words
from gateway.i18n import translate
from gateway.identity.rights import OfficeRole, PersonRequired, SecondFactorRequired
from gateway.problems import told
from gateway.webhooks.errors import WebhookAddressRefused, WebhookEndpointNotFound
from gateway.webhooks.models import WebhookEndpoint
from gateway.webhooks.service import REASONS, WebhookService
from gateway.webhooks.states import DeliveryState
from tests.gateway.builders import act_of, make_client, make_office, make_person
from tests.gateway.webhooks.desk import (
    ALL,
    admin,
    deliveries,
    happen,
    send,
    subscribe,
)
from tests.gateway.webhooks.receiver import Receiver


def test_an_unknown_type_or_client_is_refused(hooked: Gateway, there: Receiver) -> None:
    office, other = make_office(hooked), make_office(hooked)
    foreign = make_client(hooked, other)
    with pytest.raises(InputError) as refused:
        subscribe(hooked, office, there.url, event_types=["weather.changed"], client_ids=[foreign.id])
    assert {fault.pointer for fault in refused.value.faults} == {"/event_types/0", "/client_ids/0"}


def test_during_a_rotation_both_secrets_sign(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    turned = WebhookService(hooked).rotate(admin(hooked, office), view.endpoint.id)
    assert turned.secret not in (None, view.secret)
    assert view.secret is not None
    assert turned.secret is not None
    happen(hooked, office)
    send(hooked, view)
    happen(hooked, office)
    send(hooked, view, at=hooked.real_now() + timedelta(hours=25))
    first, second = there.received
    assert first.is_signed_by(view.secret)
    assert first.is_signed_by(turned.secret)
    assert second.is_signed_by(turned.secret)
    assert not second.is_signed_by(view.secret)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest", "ftp://a.b"]
)
def test_an_address_of_our_own_networks_is_refused_when_saved(gateway: Gateway, url: str) -> None:
    """SEC-08."""
    office = make_office(gateway)
    with pytest.raises(WebhookAddressRefused):
        subscribe(gateway, office, url)
    assert WebhookService(gateway).page(admin(gateway, office), ALL) == ([], None)


def test_an_address_is_checked_again_at_each_delivery(hooked: Gateway, gateway: Gateway, there: Receiver) -> None:
    """SEC-08: what was fine when saved is refused when it leads inside now."""
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    send(gateway, view)
    (delivery,) = deliveries(hooked, office)
    assert there.received == []
    assert (delivery.state, delivery.last_fault) == (DeliveryState.RETRYING, "network_refused")


def test_live_webhooks_need_https_and_a_person(hooked: Gateway, there: Receiver) -> None:
    """SEC-02: destinations are set by a person with a fresh second factor."""
    office = make_office(hooked, mode="live")
    with pytest.raises(PersonRequired):
        subscribe(hooked, office, there.url)
    person = make_person(hooked, office, OfficeRole.ADMIN)
    wanted: dict[str, Any] = {"description": "", "event_types": [], "client_ids": []}
    service = WebhookService(hooked)
    with pytest.raises(SecondFactorRequired):
        service.create(act_of(person, office, OfficeRole.ADMIN, is_fresh=False), url=there.url, **wanted)
    with pytest.raises(WebhookAddressRefused, match="https"):
        service.create(act_of(person, office, OfficeRole.ADMIN), url=there.url, **wanted)
    made = service.create(act_of(person, office, OfficeRole.ADMIN), url="https://127.0.0.1:8443/", **wanted)
    assert made.endpoint.mode == "live"


def test_only_an_administrator_of_the_whole_office_sees_webhooks(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    person = make_person(hooked, office, OfficeRole.STAFF)
    with pytest.raises(RightsError):
        WebhookService(hooked).get(act_of(person, office, OfficeRole.STAFF), view.endpoint.id)


def test_another_offices_webhook_is_not_there(hooked: Gateway, there: Receiver) -> None:
    """Law 5."""
    office, other = make_office(hooked), make_office(hooked)
    view = subscribe(hooked, office, there.url)
    with pytest.raises(WebhookEndpointNotFound):
        WebhookService(hooked).get(admin(hooked, other), view.endpoint.id)
    happen(hooked, other)
    assert deliveries(hooked, office) == []


def test_address_and_secret_are_encrypted_and_never_shown_again(hooked: Gateway, there: Receiver) -> None:
    """SEC-06."""
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    assert view.secret is not None
    with hooked.database.unit_of_work(office.id) as session:
        row = session.exec(select(WebhookEndpoint)).one()
    assert b"hooks" not in row.url_cipher
    assert view.secret.encode() not in row.secret_cipher
    assert view.secret not in repr(view)
    assert WebhookService(hooked).get(admin(hooked, office), row.id).secret is None


def test_a_change_says_what_it_was_based_on(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    service, act = WebhookService(hooked), admin(hooked, office)
    changed = service.change(act, view.endpoint.id, {"description": "Nieuw", "event_types": ["coda"]}, version=1)
    assert (changed.endpoint.description, changed.endpoint.version) == ("Nieuw", 2)
    with pytest.raises(StaleError):
        service.change(act, view.endpoint.id, {"description": "Oud"}, version=1)
    happen(hooked, office)
    service.change(act, view.endpoint.id, {"is_enabled": False}, version=2)
    service.remove(act, view.endpoint.id)
    with pytest.raises(WebhookEndpointNotFound):
        service.get(act, view.endpoint.id)


def test_what_waits_for_a_removed_endpoint_is_discarded(hooked: Gateway, there: Receiver) -> None:
    office = make_office(hooked)
    view = subscribe(hooked, office, there.url)
    happen(hooked, office)
    WebhookService(hooked).remove(admin(hooked, office), view.endpoint.id)
    send(hooked, view)
    assert there.received == []
    assert [row.state for row in deliveries(hooked, office)] == [DeliveryState.DISCARDED]


@pytest.mark.parametrize(("language", "part"), [("nl", "netwerk"), ("fr", "réseau"), ("de", "Netz")])
def test_why_an_address_is_refused_is_told_in_the_language_of_the_reader(language: str, part: str) -> None:
    """API-02, API-07."""
    error = WebhookAddressRefused(reason=Words(REASONS["network_refused"]))
    detail = translate(language, error.detail).format_map(told(error.parameters, language))
    assert part in detail
    assert REASONS["network_refused"] not in detail
