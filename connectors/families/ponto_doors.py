"""The two doors to Ponto Connect: partner (many organisations) and custom integration (one).

Partner: mutual TLS on every call, OAuth with PKCE, signed requests. Custom: ordinary TLS and the client credentials
that the organisation made for itself; the resources are the same. Source: as in `connectors.families.ponto`.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from connectors import oauth, signing
from connectors.errors import CallbackRejected, ConsentEnded, RequestRefused
from connectors.families.berlin_group_parts import segment
from connectors.families.ponto import PontoConnector
from connectors.families.ponto_errors import error_of
from connectors.families.ponto_line import early
from connectors.http import BankRequest, CallKind
from connectors.model import (
    Access,
    ConsentHandle,
    ConsentRequest,
    ConsentStatus,
    Finished,
    NextStep,
    PsuContext,
    Redirect,
    StartedConsent,
    TokenSet,
)
from connectors.signing import SignatureProfile

API_PATH: Final = "/ponto-connect"
SCOPES: Final = "ai name offline_access"
PAYMENTS: Final = "pi"
LIVE_AUTHORISATION: Final = "https://authorization.myponto.com/oauth2/auth"
"""The sandbox's stands on the bank's card: the operator sets it, since the interface has one address for both."""

USER_HINTS: Final = {
    "nl": "U meldt zich aan bij Ponto en kiest daar de rekeningen. Elke bank vraagt er uw akkoord, en later opnieuw.",
    "fr": "Vous vous identifiez chez Ponto et y choisissez les comptes. Chaque banque y demande votre accord, puis à "
    "nouveau plus tard.",
    "en": "You sign in at Ponto and choose the accounts there. Each bank asks for your approval, and again later on.",
    "de": "Sie melden sich bei Ponto an und wählen dort die Konten. Jede Bank bittet um Zustimmung, später erneut.",
}


class PontoPartnerConnector(PontoConnector):
    """The door of a licensed or contracted partner, for many organisations."""

    signature: ClassVar[SignatureProfile | None] = signing.PONTO
    issues_certificates: ClassVar[bool] = True

    def start_consent(self, request: ConsentRequest) -> StartedConsent:
        """Where the PSU signs in at Ponto and picks accounts; nothing is asked of Ponto before that."""
        url = oauth.authorization_url(
            self._authorisation_endpoint(),
            client_id=self.endpoint.client_id,
            redirect_uri=request.redirect_uri,
            scope=f"{SCOPES} {PAYMENTS}" if request.may_pay else SCOPES,
            state=request.state,
            code_verifier=request.code_verifier,
        )
        private = {
            "state": request.state,
            "code_verifier": request.code_verifier,
            "redirect_uri": request.redirect_uri,
            "authorisation_url": url,
        }
        return StartedConsent(ConsentHandle("", private), Redirect(url))

    def next_step(self, handle: ConsentHandle, psu: PsuContext | None) -> NextStep:  # noqa: ARG002  asks nobody
        return Redirect(handle.private["authorisation_url"])

    def refresh_tokens(self, tokens: TokenSet, handle: ConsentHandle | None = None) -> TokenSet:  # noqa: ARG002  one address for all
        """Each refresh token works once: the new one must be stored before it is used."""
        return early(
            oauth.refresh(
                self.http,
                self.token_endpoint,
                tokens,
                client_id=self.endpoint.client_id,
                now=self.now(),
                request_id=self.new_id(),
                headers=self.client_headers(),
            )
        )

    def revoke_consent(self, access: Access) -> None:
        """End the integration of the organisation with our own token: those of the organisation may be gone."""
        if not access.bank_consent_id:
            raise ConsentEnded("the organisation is not known", bank_id=self.profile.bank_id)
        token = f"Bearer {self.client_tokens(is_attended=access.psu is not None).access_token}"
        path = f"/organizations/{segment(access.bank_consent_id)}/integration"
        try:
            self.call("DELETE", path, "/organizations/{id}/integration", CallKind.CONSENT, token, psu=access.psu)
        except RequestRefused as refused:
            if refused.status != 404:
                raise

    def webhook_keys(self) -> dict[str, Any]:
        """The set of keys that sign webhooks, beside the interface and without a token (RFC 7517)."""
        parts = urlsplit(self.endpoint.base_url)
        answer = self.http.send(
            BankRequest(
                method="GET",
                url=f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix(API_PATH)}/webhooks/keys",
                template="/webhooks/keys",
                kind=CallKind.METADATA,
                request_id=self.new_id(),
            )
        )
        if not answer.is_success:
            raise error_of(answer, bank_id=self.profile.bank_id, has_token=False)
        return answer.json_object()

    def _authorisation_endpoint(self) -> str:
        """That of the environment: the address of the interface is the same for live and sandbox."""
        if self.endpoint.authorisation_url is not None:
            return self.endpoint.authorisation_url
        parts = urlsplit(self.endpoint.base_url)
        is_ponto = parts.hostname == urlsplit(self.profile.production_url or "").hostname
        return LIVE_AUTHORISATION if is_ponto else f"{parts.scheme}://{parts.netloc}{parts.path}/oauth2/auth"

    def tokens_of(self, handle: ConsentHandle, callback: Mapping[str, str]) -> TokenSet:
        given, kept = callback.get("state"), handle.private.get("state")
        if given is not None and kept is not None and not hmac.compare_digest(given.encode(), kept.encode()):
            raise CallbackRejected("the call-back belongs to another consent", bank_id=self.profile.bank_id)
        error = oauth.callback_error(callback, bank_id=self.profile.bank_id)
        if error is not None:
            raise error
        code = callback.get("code")
        if not code:
            raise CallbackRejected("the call-back holds no code", bank_id=self.profile.bank_id)
        return early(
            oauth.exchange_code(
                self.http,
                self.token_endpoint,
                client_id=self.endpoint.client_id,
                code=code,
                code_verifier=handle.private["code_verifier"],
                redirect_uri=handle.private["redirect_uri"],
                now=self.now(),
                request_id=self.new_id(),
                headers=self.client_headers(),
            )
        )


class PontoCustomConnector(PontoConnector):
    """The door of one organisation that made the credentials itself; it sends no browser anywhere."""

    is_behind_mutual_tls: ClassVar[bool] = False

    def start_consent(self, request: ConsentRequest) -> StartedConsent:  # noqa: ARG002  nothing is asked
        return StartedConsent(ConsentHandle(""), Finished(ConsentStatus.VALID))

    def next_step(self, handle: ConsentHandle, psu: PsuContext | None) -> NextStep:  # noqa: ARG002  the same for all
        return Finished(ConsentStatus.VALID)

    def refresh_tokens(self, tokens: TokenSet, handle: ConsentHandle | None = None) -> TokenSet:  # noqa: ARG002  made anew
        return self.client_tokens(is_attended=False)

    def revoke_consent(self, access: Access) -> None:
        """Nothing to call: the organisation withdraws the credentials at Ponto."""

    def tokens_of(self, handle: ConsentHandle, callback: Mapping[str, str]) -> TokenSet:  # noqa: ARG002  there is no code
        return self.client_tokens(is_attended=True)
