"""N26: Berlin Group 1.3.6 where the PSU signs in first, the consent follows with the tokens, and the app approves it.

The order is another one than elsewhere: authorise, token, consent with that token, approval in the bank's app within
five minutes. Source: the bank's public documentation (repository n26/psd2-tpp-docs) and published answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, Final

from connectors import oauth, text
from connectors.errors import BankAnswerInvalid, ConsentRefused
from connectors.families.berlin_group import BerlinGroupConnector, ConsentModel
from connectors.families.berlin_group_parts import psu_headers, segment
from connectors.families.berlin_group_sca import POLL_SECONDS
from connectors.http import BankRequest, CallKind
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
    RejectedRow,
    StartedConsent,
    Transaction,
    TransactionStatus,
)

VERSION_PATH: Final = "/v1/berlin-group/v1"
ROLE: Final = "DEDICATED_AISP"

USER_HINTS: Final = {
    "nl": "U meldt zich aan bij N26 en keurt daarna binnen vijf minuten goed in de app van de bank.",
    "fr": "Vous vous identifiez chez N26, puis vous approuvez dans les cinq minutes dans l'application de la banque.",
    "en": "You sign in at N26 and then approve in the bank's app within five minutes.",
    "de": "Sie melden sich bei N26 an und genehmigen dann innerhalb von fünf Minuten in der App der Bank.",
}


class N26Connector(BerlinGroupConnector):
    """The bank's interface; the handle of a new consent is empty until the PSU has signed in."""

    consent_model: ClassVar[ConsentModel] = ConsentModel.GLOBAL
    makes_consent_at_start: ClassVar[bool] = False
    reads_consents_without_token: ClassVar[bool] = False
    can_read_consent_details: ClassVar[bool] = False
    needs_token_to_revoke: ClassVar[bool] = True
    is_state_in_redirect_uri: ClassVar[bool] = False
    # What is pending is reported as booked since March 2022, so the overlap is ten days.
    booking_status: ClassVar[str] = "booked"

    @property
    def _root(self) -> str:
        return self.endpoint.base_url.removesuffix(VERSION_PATH)

    def token_endpoint(self) -> str:
        """The token address, with the role asked for."""
        return f"{self._root}/oauth2/token?role={ROLE}"

    def start_consent(self, request: ConsentRequest) -> StartedConsent:
        """Ask where the PSU signs in: the address behind our certificate answers with the one for the browser."""
        answer = self.http.send(
            BankRequest(
                method="GET",
                url=oauth.authorization_url(
                    f"{self._root}/oauth2/authorize",
                    client_id=self.endpoint.client_id,
                    redirect_uri=request.redirect_uri,
                    scope=ROLE,
                    state=request.state,
                    code_verifier=request.code_verifier,
                ),
                template="/oauth2/authorize",
                kind=CallKind.METADATA,
                request_id=self.new_id(),
                is_attended=True,
                takes_redirect=True,
            )
        )
        url = self.http.link(answer.headers.get("location"))
        if url is None:
            raise BankAnswerInvalid("the bank names no page to sign in", bank_id=self.profile.bank_id)
        private = {
            "state": request.state,
            "code_verifier": request.code_verifier,
            "redirect_uri": request.redirect_uri,
            "token_endpoint": self.token_endpoint(),
            "authorisation_url": url,
            "wish": json.dumps(self.consent_body(request)),
        }
        return StartedConsent(ConsentHandle("", private), Redirect(url))

    def next_step(self, handle: ConsentHandle, psu: PsuContext | None) -> NextStep:
        """Sign in, then approve in the app; the consent's state is read with the token kept for that."""
        if not handle.bank_consent_id:
            return Redirect(handle.private["authorisation_url"])
        status = self._status_with(handle.private["access_token"], handle.bank_consent_id, psu)
        return Poll(POLL_SECONDS) if status is ConsentStatus.AWAITING_AUTHORISATION else Finished(status)

    def finish_consent(
        self, handle: ConsentHandle, callback: Mapping[str, str], psu: PsuContext | None
    ) -> GrantedConsent:
        """After the sign-in tokens and a consent that waits for the app; after the approval its state."""
        self._check_state(handle, callback)
        if handle.bank_consent_id:
            status = self._status_with(handle.private["access_token"], handle.bank_consent_id, psu)
            if status is ConsentStatus.REJECTED:
                raise ConsentRefused("the consent was rejected in the app", bank_id=self.profile.bank_id)
            return GrantedConsent(status, None, None)
        error = oauth.callback_error(callback, bank_id=self.profile.bank_id)
        if error is not None:
            raise error
        tokens = self._tokens_of(handle, callback)
        assert tokens is not None, "the handle names a token address"
        answer = self.call(
            "POST",
            "/consents",
            "/consents",
            CallKind.CONSENT,
            headers={**psu_headers(psu), "Authorization": f"Bearer {tokens.access_token}"},
            json=json.loads(handle.private["wish"]),
            is_attended=psu is not None,
        )
        body = answer.json_object()
        consent_id = text.present(body.get("consentId"))
        if consent_id is None:
            raise BankAnswerInvalid("the bank gave no consent id", bank_id=self.profile.bank_id, status=answer.status)
        kept = {name: handle.private[name] for name in ("state", "token_endpoint")}
        known = ConsentHandle(consent_id, {**kept, "access_token": tokens.access_token})
        return GrantedConsent(self._status_of(body.get("consentStatus")), tokens, None, known)

    def consent_status(self, access: Access) -> ConsentStatus:
        return self._status_with(access.tokens.current().access_token, access.bank_consent_id, access.psu)

    def consent_details(self, access: Access) -> ConsentDetails:
        return ConsentDetails(self.consent_status(access))

    def revoke_consent(self, access: Access) -> None:
        """Nothing to end where the PSU never signed in."""
        if access.bank_consent_id:
            super().revoke_consent(access)

    def transaction(
        self,
        raw: Any,
        *,
        status: TransactionStatus,
        account_iban: str,
        account_holder: str | None,
        own_ibans: frozenset[str],
        today: date,
    ) -> Transaction | RejectedRow:
        """The standard's row, with the bank's own `details` as its wording."""
        found = super().transaction(
            raw,
            status=status,
            account_iban=account_iban,
            account_holder=account_holder,
            own_ibans=own_ibans,
            today=today,
        )
        if isinstance(found, RejectedRow) or found.additional_information is not None:
            return found
        details = text.present(raw.get("details"))
        if details is None:
            return found
        missing = tuple(name for name in found.missing_fields if name != "additional_information")
        return replace(found, additional_information="\n".join(text.lines(details)), missing_fields=missing)

    def _status_with(self, token: str, consent_id: str, psu: PsuContext | None) -> ConsentStatus:
        answer = self.call(
            "GET",
            f"/consents/{segment(consent_id)}/status",
            "/consents/{id}/status",
            CallKind.CONSENT,
            headers={**psu_headers(psu), "Authorization": f"Bearer {token}"},
            is_attended=psu is not None,
        )
        return self._status_of(answer.json_object().get("consentStatus"))
