"""Belfius: an interface of its own, where the bank names the page for the PSU and the tokens are the consent.

Order: the addresses of that page asked from the bank, the tokens, the list of accounts, each account by its logical id.
Every call carries the version in its `Accept`, a language the bank has, our client id and the address the PSU's browser
came back to. There is no consent id: that address stands in its place, so that data calls can name it too, and stays
that of the authorisation when the installation moves. Source: portal text of 2024 to 2026 and clients of 2020 and 2023.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from connectors import oauth, signing, text
from connectors.base import Need
from connectors.dialect import Dialect
from connectors.errors import BankAnswerInvalid, CallbackRejected, ConnectorError, ConsentEnded, OperatorError
from connectors.families import belfius_payments, belfius_rows
from connectors.families.belfius_errors import error_of, named_error
from connectors.families.berlin_group import BerlinGroupConnector
from connectors.families.berlin_group_data import SHORT_WINDOW
from connectors.families.berlin_group_parts import psu_headers, segment
from connectors.http import BankAnswer, BankRequest, CallKind
from connectors.model import (
    Access,
    Account,
    Balance,
    ConsentHandle,
    ConsentRequest,
    PsuContext,
    Redirect,
    RejectedRow,
    StartedConsent,
    TokenSet,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.normalise import normalise_berlin_group
from connectors.payments import PaymentInitiation, PaymentOffer
from connectors.profile import Knowledge
from connectors.signing import SignatureProfile

SCOPE: Final = "AIS"
LANGUAGES: Final = ("nl", "fr")
"""Those of the bank's pages; every other value of `Accept-Language` is refused with 406."""
USER_HINTS: Final = {
    "nl": "Zakelijke rekeningen zijn alleen bereikbaar als ze in een elektronisch kanaal van Belfius staan; wie geen "
    "wettelijke vertegenwoordiger is, moet eerst door de onderneming zijn ingeschreven. Koppelt u rekeningen van "
    "verschillende ondernemingen? Zet dan eerst in de Belfius-app dat alle rekeningen samen getoond worden in plaats "
    "van per entiteit: anders vervalt de toestemming van de vorige onderneming.",
    "fr": "Les comptes professionnels ne sont accessibles que s'ils figurent dans un canal électronique de Belfius ; "
    "qui n'est pas représentant légal doit d'abord être inscrit par l'entreprise. Vous liez des comptes de plusieurs "
    "entreprises ? Réglez d'abord l'app Belfius pour afficher tous les comptes ensemble plutôt que par entité : sinon, "
    "le consentement de l'entreprise précédente se perd.",
    "en": "Business accounts can be reached only if they are in an electronic channel of Belfius; who is not a legal "
    "representative must first be enrolled by the company. Do you connect accounts of several companies? First set the "
    "Belfius app to show all accounts together instead of per entity: otherwise the consent of the previous company is "
    "lost.",
    "de": "Geschäftskonten sind nur erreichbar, wenn sie in einem elektronischen Kanal von Belfius stehen; wer nicht "
    "gesetzlicher Vertreter ist, muss zuerst vom Unternehmen angemeldet werden. Sie verbinden Konten mehrerer "
    "Unternehmen? Stellen Sie zuerst in der Belfius-App ein, dass alle Konten zusammen statt je Einheit gezeigt "
    "werden: Sonst geht die Zustimmung des vorigen Unternehmens verloren.",
}

_ATTENDED: Final = {"psu_involved": "true"}
_DATA: Final = frozenset({CallKind.ACCOUNTS, CallKind.BALANCES, CallKind.TRANSACTIONS})
_PAGE_KEY: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,1024}")


class BelfiusConnector(BerlinGroupConnector):
    """The interface of Belfius and its brands; a bank sets profile and addresses."""

    makes_consent_at_start: ClassVar[bool] = False
    can_read_consents: ClassVar[bool] = False
    is_state_in_redirect_uri: ClassVar[bool] = False
    registered: ClassVar[frozenset[Need]] = frozenset({Need.CLIENT_SECRET})
    signature: ClassVar[SignatureProfile | None] = signing.BELFIUS
    signed_kinds: ClassVar[frozenset[CallKind] | None] = frozenset({CallKind.PAYMENT})
    payment_offer: ClassVar[PaymentOffer | None] = belfius_payments.OFFER
    dialect: ClassVar[Dialect] = Dialect(id_fields=("transaction_ref",))
    versions: ClassVar[Mapping[CallKind, int]] = {
        CallKind.CONSENT: 4,
        CallKind.TOKEN: 3,
        CallKind.ACCOUNTS: 3,
        CallKind.BALANCES: 3,
        CallKind.TRANSACTIONS: 3,
        CallKind.PAYMENT: belfius_payments.VERSION,
    }
    """What each call asks for in its media type. These move: a new one is a change here, and a look at the answers."""

    # Headers

    def call(
        self,
        method: str,
        url: str,
        template: str,
        kind: CallKind,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        request_id: str | None = None,
        is_attended: bool,
        key_id: str | None = None,
    ) -> BankAnswer:
        """One call with the bank's own headers; who is present is told in the query, and no address goes along."""
        request_id = request_id or self.new_id()
        named = {name: value for name, value in headers.items() if not name.startswith("PSU-")}
        # The address of a following page holds the whole query already.
        if is_attended and kind in _DATA and "?" not in url:
            params = {**(params or {}), **_ATTENDED}
        answer = self.http.send(
            BankRequest(
                method=method,
                url=url,
                template=template,
                kind=kind,
                request_id=request_id,
                headers={**self._own_headers(kind, request_id, headers.get("PSU-Accept-Language")), **named},
                params=params,
                json=json,
                content=content,
                is_attended=is_attended,
                key_id=key_id,
            )
        )
        if not answer.is_success:
            raise error_of(answer, bank_id=self.profile.bank_id, has_token="Authorization" in headers)
        return answer

    def _own_headers(self, kind: CallKind, request_id: str, language: str | None) -> dict[str, str]:
        return {
            "Accept": f"application/vnd.belfius.api+json; version={self.versions[kind]}",
            "Accept-Language": language_of(language),
            "Client-ID": self.endpoint.client_id,
            "Request-ID": request_id,
        }

    def consent_headers(self, access: Access) -> Mapping[str, str]:
        """The address of the authorisation, which is what stands in the place of a consent id."""
        return {"Redirect-URI": access.bank_consent_id}

    # Consent

    def start_consent(self, request: ConsentRequest) -> StartedConsent:
        """The page the bank names for the PSU; the accounts are chosen there (version 4)."""
        answer = self.call(
            "GET",
            "/consent-uris",
            "/consent-uris",
            CallKind.CONSENT,
            headers={
                **psu_headers(request.psu),
                "Redirect-URI": request.redirect_uri,
                "Code-Challenge": oauth.code_challenge(request.code_verifier),
                "Code-Challenge-Method": "S256",
            },
            params={"scope": SCOPE},
            is_attended=True,
        )
        url = self.page_with_state(answer.json(), request.psu, request.state)
        private = {
            "state": request.state,
            "code_verifier": request.code_verifier,
            "redirect_uri": request.redirect_uri,
            "authorisation_url": url,
        }
        return StartedConsent(ConsentHandle(request.redirect_uri, private), Redirect(url))

    def page_with_state(self, pages: Any, psu: PsuContext, state: str) -> str:
        """The address among these, one for each language, to send the PSU to."""
        page = self.link(_page_in(pages, language_of(psu.language)))
        if page is None:
            raise BankAnswerInvalid("the bank names no page to sign in", bank_id=self.profile.bank_id)
        return f"{page}{'&' if '?' in page else '?'}{urlencode({'state': state})}"

    def _tokens_of(self, handle: ConsentHandle, callback: Mapping[str, str]) -> TokenSet:
        code = callback.get("code")
        if not code:
            raise CallbackRejected("the call-back holds no code", bank_id=self.profile.bank_id)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": handle.private["code_verifier"],
            "redirect_uri": handle.private["redirect_uri"],
        }
        return self._tokens(form, handle, refusal=CallbackRejected, is_attended=True)

    def refresh_tokens(self, tokens: TokenSet, handle: ConsentHandle | None = None) -> TokenSet:
        """A new pair; the previous one is dead from then on, so no refresh token of it is kept."""
        if tokens.refresh_token is None:
            raise ConsentEnded("the bank gave nothing to renew the access with", bank_id=self.profile.bank_id)
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        return self._tokens(form, handle, refusal=ConsentEnded, is_attended=False)

    def _tokens(
        self, form: Mapping[str, str], handle: ConsentHandle | None, *, refusal: type[ConnectorError], is_attended: bool
    ) -> TokenSet:
        if self.endpoint.client_secret is None:
            raise OperatorError("the client secret of the registration is not set", bank_id=self.profile.bank_id)
        request_id = self.new_id()
        secret = f"{self.endpoint.client_id}:{self.endpoint.client_secret}".encode()
        headers = {
            **self._own_headers(CallKind.TOKEN, request_id, None),
            "Authorization": f"Basic {base64.b64encode(secret).decode()}",
        }
        if handle is not None:
            headers["Redirect-URI"] = handle.private["redirect_uri"]
        answer = oauth.post(
            self.http, self.token_endpoint(), form, request_id=request_id, headers=headers, is_attended=is_attended
        )
        refused = None if answer.is_success else named_error(answer, bank_id=self.profile.bank_id)
        if refused is not None:
            raise refused
        return oauth.read_tokens(self.http, answer, self.now(), refusal=refusal, refresh_token=None)

    def revoke_consent(self, access: Access) -> None:
        """No call for it is known: the tokens are thrown away by the caller, the PSU ends it at the bank."""

    def payments(self) -> PaymentInitiation | None:
        if self.payment_offer is None or self.profile.pays_single is not Knowledge.YES:
            return None
        return belfius_payments.BelfiusPayments(self, self.payment_offer)

    # Account data

    def accounts(self, access: Access) -> list[Account]:
        """Every account of the list, each currency apart; what they are is told one by one."""
        answer = self._read(self._session(access), "/accounts", "/accounts", CallKind.ACCOUNTS)
        listed = [] if answer.status == 204 else belfius_rows.listed_accounts(answer.json())
        if listed is None:
            raise BankAnswerInvalid("the answer holds no list of accounts", bank_id=self.profile.bank_id)
        found: list[Account] = []
        for entry in listed:
            logical_id = belfius_rows.logical_id(entry)
            if logical_id is None:
                raise BankAnswerInvalid("an account has no logical id", bank_id=self.profile.bank_id)
            details = self._details_of(access, logical_id, CallKind.ACCOUNTS)
            accounts = belfius_rows.accounts(logical_id, details)
            if accounts is None:
                raise BankAnswerInvalid("an account has no currency", bank_id=self.profile.bank_id)
            found += accounts
        return found

    def balances(self, access: Access, bank_account_id: str) -> list[Balance]:
        """The one balance of the account's currency."""
        logical_id, currency = belfius_rows.parts_of(bank_account_id)
        details = self._details_of(access, logical_id, CallKind.BALANCES)
        balance = belfius_rows.balance(details, currency)
        if balance is None:
            raise BankAnswerInvalid("the account has no readable balance", bank_id=self.profile.bank_id)
        return [balance]

    def _details_of(self, access: Access, logical_id: str, kind: CallKind) -> Mapping[str, Any]:
        path = f"/accounts/{segment(logical_id)}"
        return self._read(self._session(access), path, "/accounts/{id}", kind).json_object()

    def transactions_query(self, bank_account_id: str, first_day: date) -> tuple[str, Mapping[str, str]]:
        logical_id, currency = belfius_rows.parts_of(bank_account_id)
        query = {"date_from": first_day.isoformat(), "currency": currency}
        return f"/accounts/{segment(logical_id)}/transactions", query

    def transaction_pages(
        self,
        access: Access,
        bank_account_id: str,
        *,
        account_iban: str,
        account_holder: str | None,
        date_from: date,
        today: date,
        own_ibans: frozenset[str] = frozenset(),
    ) -> Iterator[TransactionPage]:
        """As in `Connector`, from 90 days back at most.

        More wants a second token of the authorisation, and neither its field nor its header is known.
        """
        return super().transaction_pages(
            access,
            bank_account_id,
            account_iban=account_iban,
            account_holder=account_holder,
            date_from=max(date_from, today - SHORT_WINDOW),
            today=today,
            own_ibans=own_ibans,
        )

    def listed(self, body: Mapping[str, Any]) -> tuple[list[tuple[Any, TransactionStatus]], Mapping[str, Any]]:
        """Booked rows only; the key of the next page stands beside them."""
        report = body.get("_embedded")
        if report is None and isinstance(body.get("_links"), Mapping):
            # What is embedded may be left out where there is nothing of it (HAL, `_embedded` is optional).
            return [], {}
        if not isinstance(report, Mapping):
            raise BankAnswerInvalid("the answer holds no transactions", bank_id=self.profile.bank_id)
        rows = self._rows(report, "transactions", is_required=True)
        return [(raw, TransactionStatus.BOOKED) for raw in rows], {"next": report.get("next_page_key")}

    def following(self, answer: BankAnswer, links: Mapping[str, Any]) -> str | None:
        """The address of this page with the key of the next one; a key that is an address is none."""
        key = text.present(links.get("next"))
        if key is None:
            return None
        if not _PAGE_KEY.fullmatch(key):
            raise BankAnswerInvalid(
                "the key of the next page holds characters no key has", bank_id=self.profile.bank_id
            )
        parts = urlsplit(answer.url)
        query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), "next": key}
        return self.link(urlunsplit(parts._replace(query=urlencode(query))))

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
        """One row in the normal form; the row itself is kept as the bank gave it."""
        if not isinstance(raw, Mapping):
            return RejectedRow("not_an_object", {"value": raw})
        found = normalise_berlin_group(
            belfius_rows.row(raw),
            account_iban=account_iban,
            account_holder=account_holder,
            own_ibans=own_ibans,
            today=today,
            dialect=self.dialect,
            status=status,
        )
        if isinstance(found, Transaction) and belfius_rows.is_structured(raw) and found.structured_reference is None:
            # The bank says it is a reference, and it is none.
            found = replace(found, warnings=tuple(dict.fromkeys((*found.warnings, belfius_rows.REFERENCE_FAILED))))
        return replace(found, raw=raw)


def language_of(wanted: str | None) -> str:
    """The bank's language for a PSU; its first one where it has no other."""
    language = (wanted or "")[:2].casefold()
    return language if language in LANGUAGES else LANGUAGES[0]


def _page_in(body: Any, language: str) -> object:
    """The address in this language, else the first one; None without any."""
    pages = [item for item in body if isinstance(item, Mapping)] if isinstance(body, list) else []
    in_language = [item for item in pages if text.present(item.get("language")) == language]
    return next((item.get("consent_uri") for item in (*in_language, *pages)), None)
