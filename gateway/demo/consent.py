"""What the entrepreneur does with a consent's address: our page, the bank's page, back to ours, tick the accounts."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urljoin

from connectors.simulator import psu
from gateway.demo.portal import Browser, DemoFailed, Form


def approve_consent(
    address: str, authorisation_url: str, holder_id: str | None = None, *, code: str | None = None
) -> bool:
    """Walk it at a simulated bank and tick every current account; `holder_id` None takes the bank's first holder.

    `address` is this installation's, `code` that of the invitation. Whether all of it is connected: else accounts wait
    until they are proven. Raises `DemoFailed`.
    """
    browser = Browser(address)
    if code is not None:
        here, forms = browser.open(authorisation_url)
        asked = _form_to(forms, f"{authorisation_url}/code")
        fields = [(name, value) for name, value in asked.fields if name != "code"]
        browser.open(urljoin(here, asked.action), [*fields, ("code", code)])
    _, forms = browser.open(authorisation_url)
    start = _form_to(forms, authorisation_url)
    bank_url, _ = browser.open(authorisation_url, start.fields)
    if bank_url.startswith(address):
        raise DemoFailed(reason="our page did not lead to the bank")
    callback_url = psu.approve(bank_url, holder_id)
    here, forms = browser.open(callback_url)
    choice = next((form for form in forms if form.boxes), None)
    if choice is None:
        raise DemoFailed(reason="no accounts were offered")
    ticked = [(name, value) for name, values in choice.boxes.items() for value in values]
    here, _ = browser.open(urljoin(here, choice.action or here), choice.fields + ticked)
    return not here.endswith("/proof")


def _form_to(forms: Iterable[Form], address: str) -> Form:
    """The form of a page that goes to the page's own address (not the language switch)."""
    for form in forms:
        if form.action in ("", address) or address.endswith(form.action):
            return form
    raise DemoFailed(reason="the page has no form to go on with")
