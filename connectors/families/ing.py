"""ING: an interface of its own, where scopes play the consent and every request is signed.

Order: application token (the certificate is the identity), the authorisation address asked from the bank, customer
token, data. The bank's name for us, `client_id`, comes with the application token; it stands where other banks have a
consent id, and data calls are signed under it. Source: a published client of 2023, an adapter of 2022 and public
issues, for all countries of the bank.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

from connectors import oauth, signing, text
from connectors.dialect import Dialect
from connectors.errors import BankAnswerInvalid, CallbackRejected, ConnectorError, ConsentEnded, OperatorError
from connectors.families.berlin_group import BerlinGroupConnector
from connectors.families.berlin_group_parts import segment
from connectors.families.berlin_group_payments import BerlinGroupPayments
from connectors.families.ing_payments import IngPayments
from connectors.http import CallKind
from connectors.key_ids import KeyIdForm
from connectors.model import (
    Access,
    Account,
    AccountKind,
    Balance,
    ConsentHandle,
    ConsentRequest,
    GrantedConsent,
    PsuContext,
    Redirect,
    RejectedRow,
    StartedConsent,
    TokenSet,
    Transaction,
    TransactionStatus,
)
from connectors.payments import PaymentOffer
from connectors.signing import SignatureProfile

SCOPES: Final = "payment-accounts:balances:view payment-accounts:transactions:view"
TOKEN_TYPES: Final = frozenset({"bearer", "access"})
"""The published answer with the customer's first token calls it `access`."""
_BETWEEN: Final = "@"

USER_HINTS: Final = {
    "nl": "U meldt zich aan bij ING en geeft daar toegang. Intrekken doet u later ook bij ING zelf.",
    "fr": "Vous vous identifiez chez ING et y donnez l'accès. Plus tard, vous le retirez aussi chez ING.",
    "en": "You sign in at ING and give access there. Later you withdraw it at ING as well.",
    "de": "Sie melden sich bei ING an und erteilen dort den Zugriff. Später widerrufen Sie ihn auch bei ING.",
}

_PARTY_IN_LABELS: Final = re.compile(
    r"\A\s*(?:Naam|Nom)\s*:\s*(?P<name>[^<\n]+?)\s*"
    r"(?:(?:<br\s*/?\s*>|\n|\Z)(?:.*?(?:<br\s*/?\s*>|\n)\s*)??IBAN\s*:\s*(?P<iban>[A-Z]{2}[0-9]{2}[A-Z0-9 ]{8,36}))?"
    r"\s*(?:<br|\n|\Z)",
    re.IGNORECASE | re.DOTALL,
)
"""The parts the bank labels in its text; the name comes first in the published samples."""
_PARTY_LINE: Final = re.compile(r"(?:Naam|Nom|IBAN)\s*:\s*(?P<rest>.+)", re.IGNORECASE)
_WORDING_LINE: Final = re.compile(r"Omschrijving\s*:\s*(?P<rest>.+)", re.IGNORECASE)

DIALECT: Final = Dialect(
    id_fields=("transactionId",),
    party_patterns=(_PARTY_IN_LABELS,),
    are_party_patterns_for_debits=True,
)


class IngConnector(BerlinGroupConnector):
    """The bank's interface for one country; rows and balances have the form of Berlin Group."""

    country: ClassVar[str]
    signature: ClassVar[SignatureProfile | None] = signing.ING
    # Two clients differ: this one, or lower-case digits and the issuer.
    key_id_form: ClassVar[KeyIdForm] = KeyIdForm.HEX_ALONE
    makes_consent_at_start: ClassVar[bool] = False
    can_read_consents: ClassVar[bool] = False
    # Versions move per resource. The list of accounts links to them, but to read it before each account's balances and
    # transactions would cost a call of the day's four.
    accounts_path: ClassVar[str] = "/v3/accounts"
    balances_version: ClassVar[str] = "/v3"
    transactions_version: ClassVar[str] = "/v2"
    # One transfer at a time; see `ing_payments` for what is left out.
    payment_offer: ClassVar[PaymentOffer | None] = PaymentOffer()
    payments_class: ClassVar[type[BerlinGroupPayments]] = IngPayments
    dialect: ClassVar[Dialect] = DIALECT

    # Consent

    def token_endpoint(self) -> str:
        return f"{self.endpoint.base_url}/oauth2/token"

    def start_consent(self, request: ConsentRequest) -> StartedConsent:
        """Ask the bank where the PSU signs in; what is asked for is in the scopes alone."""
        token, client_id = self.application(is_attended=True)
        asked = {
            "scope": SCOPES,
            "redirect_uri": request.redirect_uri,
            "country_code": self.country,
            "response_type": "code",
        }
        answer = self.call(
            "GET",
            f"/oauth2/authorization-server-url?{urlencode(asked, quote_via=quote)}",
            "/oauth2/authorization-server-url",
            CallKind.METADATA,
            headers={"Authorization": f"Bearer {token}"},
            is_attended=True,
            key_id=client_id,
        )
        location = self.http.link(answer.json_object().get("location"))
        if location is None:
            raise BankAnswerInvalid("the bank names no page to sign in", bank_id=self.profile.bank_id)
        wanted = {
            "client_id": client_id,
            "scope": SCOPES,
            "redirect_uri": request.redirect_uri,
            "state": request.state,
            "response_type": "code",
        }
        url = f"{location}{'&' if '?' in location else '?'}{urlencode(wanted, quote_via=quote)}"
        private = {
            "state": request.state,
            "redirect_uri": request.redirect_uri,
            "token_endpoint": self.token_endpoint(),
            "authorisation_url": url,
        }
        return StartedConsent(ConsentHandle(client_id, private), Redirect(url))

    def finish_consent(
        self, handle: ConsentHandle, callback: Mapping[str, str], psu: PsuContext | None
    ) -> GrantedConsent:
        """Tokens, and as end of the access the day until which they can be renewed."""
        granted = super().finish_consent(handle, callback, psu)
        end = granted.tokens.refresh_expires_at if granted.tokens is not None else None
        return granted if end is None else replace(granted, valid_until=text.day(end.isoformat()))

    def refresh_tokens(self, tokens: TokenSet, handle: ConsentHandle | None = None) -> TokenSet:  # noqa: ARG002  one address for all
        if tokens.refresh_token is None:
            raise ConsentEnded("the bank gave nothing to renew the access with", bank_id=self.profile.bank_id)
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        return self._customer(form, refusal=ConsentEnded, old=tokens.refresh_token, is_attended=False)

    def revoke_consent(self, access: Access) -> None:
        """Nothing to call: the PSU withdraws the access at the bank, and we drop the tokens."""

    def _tokens_of(self, handle: ConsentHandle, callback: Mapping[str, str]) -> TokenSet:
        code = callback.get("code")
        if not code:
            raise CallbackRejected("the call-back holds no code", bank_id=self.profile.bank_id)
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": handle.private["redirect_uri"]}
        return self._customer(form, refusal=CallbackRejected, old=None, is_attended=True)

    def application(self, *, is_attended: bool) -> tuple[str, str]:
        """Our own token and the bank's name for us; signed with the certificate's name and no token."""
        answer = oauth.post(
            self.http,
            self.token_endpoint(),
            {"grant_type": "client_credentials"},
            request_id=self.new_id(),
            headers=None,
            is_attended=is_attended,
        )
        tokens = oauth.read_tokens(
            self.http, answer, self.now(), refusal=OperatorError, refresh_token=None, token_types=TOKEN_TYPES
        )
        client_id = text.present(answer.json_object().get("client_id"))
        if client_id is None:
            raise BankAnswerInvalid("the bank gave no client id", bank_id=self.profile.bank_id, status=answer.status)
        return tokens.access_token, client_id

    def _customer(
        self, form: Mapping[str, str], *, refusal: type[ConnectorError], old: str | None, is_attended: bool
    ) -> TokenSet:
        token, client_id = self.application(is_attended=is_attended)
        answer = oauth.post(
            self.http,
            self.token_endpoint(),
            form,
            request_id=self.new_id(),
            headers={"Authorization": f"Bearer {token}"},
            is_attended=is_attended,
            key_id=client_id,
        )
        return oauth.read_tokens(
            self.http, answer, self.now(), refusal=refusal, refresh_token=old, token_types=TOKEN_TYPES
        )

    # Account data

    def consent_headers(self, access: Access) -> Mapping[str, str]:  # noqa: ARG002  there is no consent to name
        return {}

    def key_id(self, access: Access) -> str | None:
        return access.bank_consent_id

    def account(self, raw: Mapping[str, Any]) -> Account | None:
        """Each currency is read apart, so it is part of the id; a credit card is told by its link or its number."""
        found = super().account(raw)
        if found is None:
            return None
        links = raw.get("_links")
        link = links.get("transactions") if isinstance(links, Mapping) else None
        href = link.get("href") if isinstance(link, Mapping) else link
        is_card = "/card-accounts/" in str(href) or (found.iban is None and bool(text.present(raw.get("maskedPan"))))
        return replace(
            found,
            bank_account_id=f"{found.bank_account_id}{_BETWEEN}{found.currency}",
            kind=AccountKind.CARD if is_card else found.kind,
        )

    def balances_query(self, bank_account_id: str) -> tuple[str, Mapping[str, str] | None]:
        resource, currency = _parts(bank_account_id)
        params = {"balanceTypes": "interimBooked", "currency": currency}
        return f"{self.balances_version}/accounts/{segment(resource)}/balances", params

    def balances(self, access: Access, bank_account_id: str) -> list[Balance]:
        """Those of the account's currency: a bank that does not filter would mix them up."""
        _, currency = _parts(bank_account_id)
        return [found for found in super().balances(access, bank_account_id) if found.currency == currency]

    def transactions_query(self, bank_account_id: str, first_day: date) -> tuple[str, Mapping[str, str]]:
        resource, currency = _parts(bank_account_id)
        path = f"{self.transactions_version}/accounts/{segment(resource)}/transactions"
        return path, {"currency": currency, "dateFrom": first_day.isoformat()}

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
        """The standard's row, its kind told by `transactionType`; labels are cut from the text, `raw` keeps it."""
        read = raw
        if isinstance(raw, Mapping) and text.present(raw.get("proprietaryBankTransactionCode")) is None:
            read = {**raw, "proprietaryBankTransactionCode": raw.get("transactionType")}
        found = super().transaction(
            read,
            status=status,
            account_iban=account_iban,
            account_holder=account_holder,
            own_ibans=own_ibans,
            today=today,
        )
        if isinstance(found, RejectedRow):
            return replace(found, raw=raw) if isinstance(raw, Mapping) else found
        return replace(found, remittance_information=_without_labels(found), raw=raw)


def _parts(bank_account_id: str) -> tuple[str, str]:
    """Resource and currency of an id made by `IngConnector.account`."""
    resource, _, currency = bank_account_id.rpartition(_BETWEEN)
    # Without a currency `resource` is empty, which `segment` refuses.
    return resource, currency


def _without_labels(found: Transaction) -> str | None:
    """The text without the labels of what was paid for, and without lines that only repeat the counterparty."""
    if found.remittance_information is None:
        return None
    parties = {text.compact(found.counterparty_name), text.compact(found.counterparty_iban)} - {""}
    kept = []
    for line in found.remittance_information.split("\n"):
        party, wording = _PARTY_LINE.fullmatch(line), _WORDING_LINE.fullmatch(line)
        if party is not None and text.compact(party["rest"]) in parties:
            continue
        kept.append(wording["rest"].strip() if wording is not None else line)
    return "\n".join(kept) or None
