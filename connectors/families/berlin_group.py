"""Berlin Group NextGenPSD2 1.3.x: the consent that opens account data, from the wish for it to its end.

Banks of this family set a profile and the class attributes here and in `berlin_group_data`. Source: the
Berlin Group implementation guidelines 1.3 and the official interface description (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import urlencode

from connectors import oauth, text
from connectors.errors import (
    BankAnswerInvalid,
    BankError,
    ConsentEnded,
    ConsentRefused,
    OperatorError,
    RequestRefused,
)
from connectors.families.berlin_group_data import BerlinGroupAccountData
from connectors.families.berlin_group_parts import psu_headers, segment
from connectors.families.berlin_group_payments import BerlinGroupPayments
from connectors.families.berlin_group_sca import POLL_SECONDS, require_state, tokens_of, way_of
from connectors.http import BankAnswer, CallKind
from connectors.model import (
    Access,
    ConsentDetails,
    ConsentHandle,
    ConsentRequest,
    ConsentStatus,
    Finished,
    GrantedConsent,
    NextStep,
    Poll,
    PsuContext,
    Redirect,
    StartedConsent,
    TokenSet,
)
from connectors.payments import PaymentInitiation
from connectors.profile import Knowledge

_STATUSES = {
    "received": ConsentStatus.AWAITING_AUTHORISATION,
    "partiallyauthorised": ConsentStatus.PARTIALLY_AUTHORISED,
    "valid": ConsentStatus.VALID,
    "rejected": ConsentStatus.REJECTED,
    "revokedbypsu": ConsentStatus.REVOKED,
    "terminatedbytpp": ConsentStatus.REVOKED,
    "expired": ConsentStatus.EXPIRED,
}


class ConsentModel(StrEnum):
    """Who chooses the accounts: everything, the PSU at the bank, or the request by IBAN."""

    GLOBAL = "global"
    BANK_OFFERED = "bank_offered"
    DETAILED = "detailed"


class BerlinGroupConnector(BerlinGroupAccountData):
    """A bank of the generic kind; see `connectors.base.Connector` for the contract of each method."""

    consent_model: ClassVar[ConsentModel] = ConsentModel.GLOBAL
    global_access: ClassVar[str] = "allAccounts"
    """Value of `allPsd2`; older deployments spell it `all-accounts`."""
    is_state_in_redirect_uri: ClassVar[bool] = True
    """Banks that send the browser back without OAuth give no `state`: it must be part of the return address."""
    can_read_consents: ClassVar[bool] = True
    """False where the bank's description has no `GET` of a consent: the tokens alone prove that it was granted."""
    reads_consents_without_token: ClassVar[bool] = True
    makes_consent_at_start: ClassVar[bool] = True
    """False where the PSU signs in first, and the consent is asked for with the tokens."""
    can_read_consent_details: ClassVar[bool] = True
    """False where only the status is known to be readable, without the last day."""
    needs_token_to_revoke: ClassVar[bool] = False
    authorisation_params: ClassVar[Mapping[str, str]] = {}
    """What this bank wants in the authorisation address besides the parameters of OAuth."""
    needs_psu_for_payments: ClassVar[bool] = False
    """Whether the PSU's address must be named whenever a payment's status is read."""
    payments_class: ClassVar[type[BerlinGroupPayments]] = BerlinGroupPayments
    """How payments are handed over; what is taken stands in `payment_offer`."""

    # Consent

    def start_consent(self, request: ConsentRequest) -> StartedConsent:
        redirect_uri = request.redirect_uri
        if self.is_state_in_redirect_uri:
            redirect_uri = f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode({'state': request.state})}"
        answer = self.call(
            "POST",
            "/consents",
            "/consents",
            CallKind.CONSENT,
            headers={**psu_headers(request.psu), "TPP-Redirect-URI": redirect_uri},
            json=self.consent_body(request),
            is_attended=True,
        )
        body = answer.json_object()
        consent_id = text.present(body.get("consentId"))
        if consent_id is None:
            raise BankAnswerInvalid("the bank gave no consent id", bank_id=self.profile.bank_id, status=answer.status)
        handle = ConsentHandle(
            consent_id,
            {
                "state": request.state,
                "code_verifier": request.code_verifier,
                "redirect_uri": request.redirect_uri,
                **self.kept_of(body),
            },
        )
        return self._decided(handle, answer, request.psu)

    def consent_body(self, request: ConsentRequest) -> dict[str, Any]:
        """The wish for a consent. Source: Berlin Group 1.3, `consents`."""
        return {
            "access": self.consent_access(request),
            "recurringIndicator": True,
            "validUntil": request.valid_until.isoformat(),
            "frequencyPerDay": request.frequency_per_day,
            "combinedServiceIndicator": False,
        }

    def consent_access(self, request: ConsentRequest) -> dict[str, Any]:
        """The `access` object for this bank's consent model."""
        if self.consent_model is ConsentModel.GLOBAL:
            return {"allPsd2": self.global_access}
        if self.consent_model is ConsentModel.DETAILED and request.ibans:
            wanted = [{"iban": iban} for iban in request.ibans]
            return {"accounts": wanted, "balances": wanted, "transactions": wanted}
        return {"accounts": [], "balances": [], "transactions": []}

    def kept_of(self, body: Mapping[str, Any]) -> dict[str, str]:  # noqa: ARG002  of a dialect
        """What else of the answer to a new consent is needed later; kept in the handle."""
        return {}

    def scope(self, bank_consent_id: str) -> str:
        """The OAuth scope of one consent."""
        return f"AIS:{bank_consent_id}"

    def payment_scope(self, bank_payment_id: str) -> str:
        """The OAuth scope of one payment."""
        return self.scope(bank_payment_id).replace("AIS:", "PIS:")

    def payments(self) -> PaymentInitiation | None:
        if self.payment_offer is None or self.profile.pays_single is not Knowledge.YES:
            return None
        return self.payments_class(self, self.payment_offer)

    def confirm_consent(self, handle: ConsentHandle, tokens: TokenSet, psu: PsuContext | None) -> None:
        """What a bank wants between the tokens and a valid consent; most want nothing."""

    def token_headers(self) -> Mapping[str, str]:
        """Headers of the calls for tokens."""
        return self.bank_headers()

    def token_params(self) -> Mapping[str, str]:
        """What the calls for tokens hold besides the parameters of OAuth."""
        return {}

    def authorisation_server(self) -> oauth.ServerMetadata | None:
        """The OAuth addresses of a bank that has the same for all consents and names them in no link."""
        return None

    def next_step(self, handle: ConsentHandle, psu: PsuContext | None) -> NextStep:
        if self.can_read_consents:
            status = self._status(handle.bank_consent_id, psu)
            if status is not ConsentStatus.AWAITING_AUTHORISATION:
                return Finished(status)
        url = handle.private.get("authorisation_url")
        return Redirect(url) if url else Poll(POLL_SECONDS, handle.private.get("psu_message"))

    def finish_consent(
        self, handle: ConsentHandle, callback: Mapping[str, str], psu: PsuContext | None
    ) -> GrantedConsent:
        """As in `Connector`; a bank that still says `received` gives `AWAITING_AUTHORISATION`: ask again later.

        Tokens once given are never lost: when the bank cannot be read after the code was spent, they come back with
        `AWAITING_AUTHORISATION`, and `consent_details` tells the rest later.
        """
        self._check_state(handle, callback)
        error = oauth.callback_error(callback, bank_id=self.profile.bank_id)
        if error is not None:
            raise error
        tokens = self._tokens_of(handle, callback)
        if not self.can_read_consents:
            return GrantedConsent(ConsentStatus.VALID, tokens, None)
        try:
            if tokens is not None:
                self.confirm_consent(handle, tokens, psu)
            details = self._details(handle.bank_consent_id, psu)
        except (BankError, OperatorError):
            if tokens is None:
                raise
            return GrantedConsent(ConsentStatus.AWAITING_AUTHORISATION, tokens, None)
        if details.status is ConsentStatus.REJECTED:
            raise ConsentRefused("the bank rejected the consent", bank_id=self.profile.bank_id)
        return GrantedConsent(details.status, tokens, details.valid_until)

    def consent_status(self, access: Access) -> ConsentStatus:
        if not self.can_read_consents:
            return self.consent_details(access).status
        return self._status(access.bank_consent_id, access.psu)

    def consent_details(self, access: Access) -> ConsentDetails:
        if not self.can_read_consents:
            try:
                self._read(self._session(access), self.accounts_path, "/accounts", CallKind.ACCOUNTS)
            except ConsentEnded:
                # Why it ended is not told; it is over either way.
                return ConsentDetails(ConsentStatus.REVOKED)
            return ConsentDetails(ConsentStatus.VALID)
        return self._details(access.bank_consent_id, access.psu)

    def refresh_tokens(self, tokens: TokenSet, handle: ConsentHandle | None = None) -> TokenSet:
        endpoint = handle.private.get("token_endpoint") if handle is not None else None
        return oauth.refresh(
            self.http,
            endpoint or self.token_endpoint(),
            tokens,
            client_id=self.endpoint.client_id,
            now=self.now(),
            request_id=self.new_id(),
            headers=self.token_headers(),
            extra=self.token_params(),
        )

    def token_endpoint(self) -> str:
        """Where tokens are renewed when the consent's own address is not at hand."""
        server = self.authorisation_server()
        return f"{self.endpoint.base_url}/token" if server is None else server.token_endpoint

    def revoke_consent(self, access: Access) -> None:
        try:
            self.call(
                "DELETE",
                f"/consents/{segment(access.bank_consent_id)}",
                "/consents/{id}",
                CallKind.CONSENT,
                headers={**psu_headers(access.psu), **self._revoking(access)},
                is_attended=access.psu is not None,
            )
        except ConsentEnded:
            return
        except RequestRefused as error:
            if error.status not in (404, 405, 410):
                raise

    def _revoking(self, access: Access) -> dict[str, str]:
        if not self.needs_token_to_revoke:
            return {}
        return {"Authorization": f"Bearer {access.tokens.current().access_token}"}

    # The way the PSU authorises

    def _decided(self, handle: ConsentHandle, answer: BankAnswer, psu: PsuContext) -> StartedConsent:
        """The handle and step for the answer to a new consent."""
        status = self._status_of(
            answer.json_object().get("consentStatus"), default=ConsentStatus.AWAITING_AUTHORISATION
        )
        if status is not ConsentStatus.AWAITING_AUTHORISATION:
            return StartedConsent(handle, Finished(status))
        private, step = way_of(
            self, answer, handle.private, scope=self.scope(handle.bank_consent_id), template="/consents/{id}",
            kind=CallKind.CONSENT, psu=psu,
        )  # fmt: skip
        return StartedConsent(replace(handle, private=private), step)

    def _check_state(self, handle: ConsentHandle, callback: Mapping[str, str]) -> None:
        require_state(handle.private, callback, bank_id=self.profile.bank_id)

    def _tokens_of(self, handle: ConsentHandle, callback: Mapping[str, str]) -> TokenSet | None:
        return tokens_of(self, handle.private, callback)

    def _status(self, consent_id: str, psu: PsuContext | None) -> ConsentStatus:
        path = f"/consents/{segment(consent_id)}/status"
        return self._consent(path, "/consents/{id}/status", psu).status

    def _details(self, consent_id: str, psu: PsuContext | None) -> ConsentDetails:
        if not self.can_read_consent_details:
            return ConsentDetails(self._status(consent_id, psu))
        return self._consent(f"/consents/{segment(consent_id)}", "/consents/{id}", psu)

    def _consent(self, path: str, template: str, psu: PsuContext | None) -> ConsentDetails:
        answer = self.call(
            "GET", path, template, CallKind.CONSENT, headers=psu_headers(psu), is_attended=psu is not None
        )
        body = answer.json_object()
        return ConsentDetails(self._status_of(body.get("consentStatus")), text.day(body.get("validUntil")))

    def _status_of(self, value: object, default: ConsentStatus | None = None) -> ConsentStatus:
        """A status not known counts as awaiting, never as valid; a missing one is an error without `default`."""
        word = text.present(value)
        if word is None:
            if default is None:
                raise BankAnswerInvalid("the bank gave no consent status", bank_id=self.profile.bank_id)
            return default
        return _STATUSES.get(word.casefold(), ConsentStatus.AWAITING_AUTHORISATION)

    def word_for_consent(self, access: Access) -> str | None:
        if not (self.can_read_consents and self.reads_consents_without_token):
            return None
        return self._status(access.bank_consent_id, access.psu).value
