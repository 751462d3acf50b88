"""How the PSU approves at a bank of the Berlin Group: the way an answer's links name, and the return.

The same for consents and payments. What must be kept from the request to the return (`state`, `code_verifier`,
`redirect_uri`, `token_endpoint`, `authorisation_url`) is a mapping of texts, the `private` part of a handle. Source:
Berlin Group implementation guidelines 1.3, SCA approaches.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from connectors import oauth, text
from connectors.errors import BankAnswerInvalid, CallbackRejected
from connectors.families.berlin_group_parts import psu_headers
from connectors.http import BankAnswer, CallKind
from connectors.model import Poll, PsuContext, Redirect, TokenSet

if TYPE_CHECKING:
    from connectors.families.berlin_group import BerlinGroupConnector

POLL_SECONDS: Final = 4


def way_of(
    bank: BerlinGroupConnector,
    answer: BankAnswer,
    private: Mapping[str, str],
    *,
    scope: str,
    template: str,
    kind: CallKind,
    psu: PsuContext,
    is_started: bool = False,
) -> tuple[dict[str, str], Redirect | Poll]:
    """What to keep and what the PSU does: redirect, OAuth, explicit start, then the bank's own app, in this order.

    `template` is that of the resource, for the log. Raises `BankAnswerInvalid` when there is no way we may use.
    """
    body = answer.json_object()
    links = body.get("_links")
    links = links if isinstance(links, Mapping) else {}
    kept = dict(private)
    found = bank.authorisation_server()
    redirect = bank.http.link(links.get("scaRedirect")) if found is None else None
    metadata = bank.http.link(links.get("scaOAuth")) if redirect is None and found is None else None
    if metadata is not None:
        found = oauth.read_metadata(bank.http, metadata, request_id=bank.new_id(), headers=bank.bank_headers())
    if found is not None:
        kept["token_endpoint"] = found.token_endpoint
        redirect = oauth.authorization_url(
            found.authorization_endpoint,
            client_id=bank.endpoint.client_id,
            redirect_uri=kept["redirect_uri"],
            scope=scope,
            state=kept["state"],
            code_verifier=kept["code_verifier"],
            extra=bank.authorisation_params,
        )
    if redirect is not None:
        kept["authorisation_url"] = redirect
        return kept, Redirect(redirect)
    start = _start_of(bank, links) if not is_started else None
    if start is not None:
        started = bank.call(
            "POST", start, f"{template}/authorisations", kind, headers=psu_headers(psu), json={}, is_attended=True
        )
        return way_of(bank, started, kept, scope=scope, template=template, kind=kind, psu=psu, is_started=True)
    if answer.headers.get("aspsp-sca-approach", "").upper() == "DECOUPLED":
        message = text.present(body.get("psuMessage"))
        if message is not None:
            kept["psu_message"] = message
        return kept, Poll(POLL_SECONDS, message)
    raise BankAnswerInvalid("the bank offers no way to authorise that we may use", bank_id=bank.profile.bank_id)


def _start_of(bank: BerlinGroupConnector, links: Mapping[str, Any]) -> str | None:
    names = sorted(name for name in links if name.startswith("startAuthorisation"))
    return bank.http.link(links[names[0]]) if names else None


def require_state(private: Mapping[str, str], callback: Mapping[str, str], *, bank_id: str) -> None:
    """Raise `CallbackRejected` for the state of another request.

    The caller checks the state against its browser secret; this is the second lock on the same door.
    """
    given, kept = callback.get("state"), private.get("state")
    if given is not None and kept is not None and not hmac.compare_digest(given.encode(), kept.encode()):
        raise CallbackRejected("the call-back belongs to another request", bank_id=bank_id)


def tokens_of(bank: BerlinGroupConnector, private: Mapping[str, str], callback: Mapping[str, str]) -> TokenSet | None:
    """The tokens for the code of a call-back; None where the PSU approved without OAuth."""
    endpoint = private.get("token_endpoint")
    if endpoint is None:
        return None
    code = callback.get("code")
    if not code:
        raise CallbackRejected("the call-back holds no code", bank_id=bank.profile.bank_id)
    return oauth.exchange_code(
        bank.http,
        endpoint,
        client_id=bank.endpoint.client_id,
        code=code,
        code_verifier=private["code_verifier"],
        redirect_uri=private["redirect_uri"],
        now=bank.now(),
        request_id=bank.new_id(),
        headers=bank.token_headers(),
        extra=bank.token_params(),
    )
