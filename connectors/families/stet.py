"""STET PSD2 API 1.4 and 1.5: the OAuth authorisation is the consent, rows carry a status.

There is no consent to make, read or end: tokens prove it, and the bank's answer to a read tells when it is over. The
reading of pages, tokens and errors is shared with the Berlin Group; what differs in an answer is rewritten by
`stet_rows`. Sources: STET interface description 1.5.0.43, published answers and clients of 2023, the demonstration
application of BNP Paribas Fortis of February 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar, Final
from urllib.parse import urlencode, urlsplit

from connectors import oauth, signing, text
from connectors.account_data import normalise_account, normalise_balance
from connectors.base import Need
from connectors.dialect import Dialect
from connectors.errors import OperatorError, RequestRefused, TokenRejected
from connectors.families import stet_rows
from connectors.families.berlin_group import BerlinGroupConnector
from connectors.families.berlin_group_parts import segment
from connectors.families.berlin_group_payments import BerlinGroupPayments
from connectors.families.stet_payments import StetPayments
from connectors.http import BankAnswer, CallKind
from connectors.model import (
    Access,
    Account,
    Balance,
    ConsentHandle,
    ConsentRequest,
    GrantedConsent,
    PsuContext,
    Redirect,
    RejectedRow,
    StartedConsent,
    Transaction,
    TransactionStatus,
)
from connectors.normalise import normalise_berlin_group
from connectors.oauth import ServerMetadata
from connectors.payments import PaymentOffer
from connectors.signing import SignatureProfile

SCOPE: Final = "aisp"
STET_VERSION: Final = "1.4.0.47.develop"
DIALECT: Final = Dialect(
    is_unsigned=True,
    # `resourceId` is that of the account in published answers: it tells no two rows apart.
    id_fields=("entryReference",),
    # Codes of the bank's own, in no published list.
    is_proprietary_code_wording=False,
)
SIGNED: Final = replace(DIALECT, is_unsigned=False)
"""For a bank that writes the sign as well; the indicator still decides."""


class StetConnector(BerlinGroupConnector):
    """A bank that follows the standard; a bank sets profile and addresses."""

    signature: ClassVar[SignatureProfile | None] = signing.STET
    makes_consent_at_start: ClassVar[bool] = False
    can_read_consents: ClassVar[bool] = False
    is_state_in_redirect_uri: ClassVar[bool] = False
    dialect: ClassVar[Dialect] = DIALECT
    api_path: ClassVar[str] = "/psd2/"
    """Where the path of the interface begins; what stands before it tells production, test and others apart."""
    payments_class: ClassVar[type[BerlinGroupPayments]] = StetPayments
    payment_headers: ClassVar[Mapping[str, str]] = {}
    """What this bank wants beside a payment, besides the headers of the standard."""
    production_server: ClassVar[ServerMetadata | None] = None
    sandbox_server: ClassVar[ServerMetadata | None] = None

    # Consent

    def authorisation_server(self) -> ServerMetadata:
        """The addresses of this environment; those beside the interface where none are published."""
        root = self._root(self.endpoint.base_url)
        for url, server in (
            (self.profile.production_url, self.production_server),
            (self.profile.sandbox_url, self.sandbox_server),
        ):
            if url is not None and server is not None and self._root(url) == root:
                return server
        return ServerMetadata(f"{root}/oauth2/authorize", f"{root}/oauth2/token")

    def authorisation_endpoint(self, request: ConsentRequest) -> str:  # noqa: ARG002  of a dialect
        """The page the PSU is sent to."""
        return self.authorisation_server().authorization_endpoint

    def scope(self, bank_consent_id: str) -> str:  # noqa: ARG002  there is no consent to name
        """Account information, the 90 days of the standard."""
        return SCOPE

    def start_consent(self, request: ConsentRequest) -> StartedConsent:
        """Where the PSU signs in and picks the accounts; nothing is asked of the bank before that."""
        url = oauth.authorization_url(
            self.authorisation_endpoint(request),
            client_id=self.endpoint.client_id,
            redirect_uri=request.redirect_uri,
            scope=self.scope(""),
            state=request.state,
            code_verifier=request.code_verifier,
            extra=self.authorisation_params,
        )
        private = {
            "state": request.state,
            "code_verifier": request.code_verifier,
            "redirect_uri": request.redirect_uri,
            "token_endpoint": self.token_endpoint(),
            "authorisation_url": url,
        }
        return StartedConsent(ConsentHandle("", private), Redirect(url))

    def finish_consent(
        self, handle: ConsentHandle, callback: Mapping[str, str], psu: PsuContext | None
    ) -> GrantedConsent:
        """As in `Connector`; where nothing renews the access token, the consent ends with it."""
        granted = super().finish_consent(handle, callback, psu)
        tokens = granted.tokens
        if tokens is None or tokens.refresh_token is not None or tokens.expires_at is None:
            return granted
        # The last day that is covered whole.
        last_day = tokens.expires_at.astimezone(text.BRUSSELS).date() - timedelta(days=1)
        return replace(granted, valid_until=last_day)

    def revoke_consent(self, access: Access) -> None:
        """The standard has no call for it: the tokens are thrown away by the caller, the PSU ends it at the bank."""

    # Account data

    def account(self, raw: Mapping[str, Any]) -> Account | None:
        found = normalise_account(stet_rows.account(raw), self.dialect)
        return None if found is None else replace(found, raw=raw)

    def balance(self, raw: Mapping[str, Any]) -> Balance | None:
        found = normalise_balance(stet_rows.balance(raw))
        return None if found is None else replace(found, raw=raw)

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
        found = normalise_berlin_group(
            stet_rows.row(raw) if isinstance(raw, Mapping) else raw,
            account_iban=account_iban,
            account_holder=account_holder,
            own_ibans=own_ibans,
            today=today,
            dialect=self.dialect,
            status=status,
        )
        return replace(found, raw=raw) if isinstance(raw, Mapping) else found

    def consent_headers(self, access: Access) -> Mapping[str, str]:  # noqa: ARG002  the tokens are the consent
        """There is no consent to name."""
        return {}

    def transactions_query(self, bank_account_id: str, first_day: date) -> tuple[str, Mapping[str, str]]:
        """One list holds every status."""
        return f"/accounts/{segment(bank_account_id)}/transactions", {"dateFrom": first_day.isoformat()}

    def listed(self, body: Mapping[str, Any]) -> tuple[list[tuple[Any, TransactionStatus]], Mapping[str, Any]]:
        """The rows that are items, each with its own status."""
        rows = [(raw, stet_rows.status_of(raw)) for raw in self._rows(body, "transactions", is_required=True)]
        links = body.get("_links")
        given = [(raw, status) for raw, status in rows if status is not None]
        return given, links if isinstance(links, Mapping) else {}

    def link(self, value: object) -> str | None:
        """Links may begin at the version of the interface and leave out what stands before it."""
        href = value.get("href") if isinstance(value, Mapping) else value
        base = urlsplit(self.endpoint.base_url).path
        if isinstance(href, str) and href[:1] == "/" and href[:2] != "//" and not href.startswith(f"{base}/"):
            return super().link(self.endpoint.base_url + href)
        return super().link(href)

    def is_period_refused(self, error: RequestRefused) -> bool:
        """Its errors carry no code that could tell; a bare 400 is asked once more, for the shorter period."""
        return error.status == 400

    def _root(self, url: str) -> str:
        return url.partition(self.api_path)[0]


def fortis_servers(domain: str) -> ServerMetadata:
    """The OAuth addresses of a brand; that for tokens stands beside the one for the browser."""
    root = f"https://services.{domain}/SEPLJ04/sps/oauth/oauth20"
    return ServerMetadata(f"{root}/authorize", f"{root}/token")


FORTIS_SANDBOX: Final = ServerMetadata(
    "https://sandbox.auth.bnpparibasfortis.com/authorize", "https://sandbox.auth.bnpparibasfortis.com/token"
)
FORTIS_SANDBOX_URL: Final = "https://sandbox.api.bnpparibasfortis.com/psd2/v4"
FORTIS_CODES: Final = ("001-049", "137", "140-149", "200-214", "220-299", "679")
"""Codes whose accounts are at any of the three brands: only the PSU can tell at which."""
FORTIS_HINTS: Final = {
    "nl": "Kies het merk waar u aanmeldt: aan het rekeningnummer is het niet te zien. Op de pagina van de bank keurt u "
    "goed met itsme of met uw kaartlezer en kiest u de rekeningen.",
    "fr": "Choisissez la marque chez laquelle vous vous connectez : le numéro de compte ne la révèle pas. Sur la page "
    "de la banque, vous approuvez avec itsme ou votre lecteur de carte et vous choisissez les comptes.",
    "en": "Choose the brand where you sign in: the account number does not tell it. On the bank's page you approve "
    "with itsme or your card reader and choose the accounts.",
    "de": "Wählen Sie die Marke, bei der Sie sich anmelden: Die Kontonummer verrät sie nicht. Auf der Seite der Bank "
    "genehmigen Sie mit itsme oder Ihrem Kartenleser und wählen die Konten.",
}


class FortisConnector(StetConnector):
    """BNP Paribas Fortis, Fintro and Hello bank!: one interface, told apart by host and by `brand`."""

    signature: ClassVar[SignatureProfile | None] = signing.BNPPF
    dialect: ClassVar[Dialect] = SIGNED
    sandbox_server: ClassVar[ServerMetadata | None] = FORTIS_SANDBOX
    registered: ClassVar[frozenset[Need]] = frozenset({Need.CLIENT_SECRET})
    # What the bank shows: transfers now, later and instant. Several beneficiaries are documented nowhere.
    payment_offer: ClassVar[PaymentOffer | None] = PaymentOffer(is_instant_possible=True)
    # Retail, as in the demonstration application; the value for companies is not known.
    payment_headers: ClassVar[Mapping[str, str]] = {"businessLineName": "RPB"}
    brand: ClassVar[str]

    def token_headers(self) -> Mapping[str, str]:
        """The version and organisation that the token address asked for from 2020 to 2023."""
        is_sandbox = self._root(self.endpoint.base_url) == self._root(FORTIS_SANDBOX_URL)
        return {
            "X-Openbank-Organization": "sandbox" if is_sandbox else self.brand,
            "x-openbank-stet-version": STET_VERSION,
        }

    def token_params(self) -> Mapping[str, str]:
        """The secret of the registration, which is one for the three brands."""
        if self.endpoint.client_secret is None:
            raise OperatorError("the client secret of the registration is not set", bank_id=self.profile.bank_id)
        return {"client_secret": self.endpoint.client_secret, "scope": SCOPE}

    def link(self, value: object) -> str | None:
        """The published links do not name the brand, which calls of version 4 do."""
        url = super().link(value)
        if url is None or not self._names_brand or "brand" in _names_of(url):
            return url
        return f"{url}{'&' if '?' in url else '?'}{urlencode({'brand': self.brand})}"

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
        """With the brand; a refusal is tried once more with a fresh stamp, as a signature lives for a minute.

        A payment is not: what moves money is sent once.
        """
        if url.startswith("/") and self._names_brand:
            params = {**(params or {}), "brand": self.brand}

        def once() -> BankAnswer:
            return super(FortisConnector, self).call(
                method,
                url,
                template,
                kind,
                headers=headers,
                params=params,
                json=json,
                content=content,
                request_id=request_id,
                is_attended=is_attended,
                key_id=key_id,
            )

        try:
            return once()
        except TokenRejected:
            if method == "POST":
                raise
            return once()

    @property
    def _names_brand(self) -> bool:
        return not self.endpoint.base_url.endswith("/v2")


def _names_of(url: str) -> frozenset[str]:
    """The names in the query of an address."""
    return frozenset(part.partition("=")[0] for part in urlsplit(url).query.split("&"))
