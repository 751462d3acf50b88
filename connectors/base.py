"""The protocol every bank speaks to the gateway: from start of consent to revocation.

A connector stores nothing and reads no clock: tokens, time and ids are handed in. One instance serves one bank and may
be used by several threads at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from connectors.http import BankHttp, CallKind
from connectors.key_ids import KeyIdForm
from connectors.model import (
    Access,
    Account,
    Balance,
    ConsentDetails,
    ConsentHandle,
    ConsentRequest,
    ConsentStatus,
    GrantedConsent,
    NextStep,
    PsuContext,
    Redirect,
    RejectedRow,
    StartedConsent,
    Synchronisation,
    TokenSet,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.payments import PaymentInitiation, PaymentOffer
from connectors.profile import BankProfile
from connectors.signing import CertificateHeader, SignatureProfile


class Need(StrEnum):
    """What a bank wants of us besides a client id; its card says how to come by it."""

    TLS_CERTIFICATE = "tls_certificate"
    """For mutual TLS: a QWAC, or what an intermediary issued."""
    SEAL_CERTIFICATE = "seal_certificate"
    """To sign requests: a QSEAL, or what an intermediary issued."""
    KEY_ID = "key_id"
    """The name to sign under: a public address of the certificate, or one given at registration."""
    API_KEY = "api_key"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class BankEndpoint:
    """Where and as whom to call the bank."""

    base_url: str
    """Without a trailing slash, up to and including the version, such as `https://api.bank.example/berlingroup/v1`."""
    client_id: str
    """Organisation identifier of the QWAC (`PSDBE-NBB-…`), or the id given at registration."""
    allowed_hosts: frozenset[str] = frozenset()
    """Hosts besides that of `base_url` which links and metadata may name; `.bank.example` means every host below."""
    api_key: str | None = field(default=None, repr=False)
    """What a bank's portal gives besides or instead of a client id, for banks that want it on every call."""
    client_secret: str | None = field(default=None, repr=False)
    """For banks that give one at registration and ask for it at the token address."""
    authorisation_url: str | None = None
    """Where the PSU signs in, for banks whose interface has one address for production and sandbox."""


class Connector(ABC):
    """One bank. Subclasses set `profile` and override only what this bank does differently."""

    profile: ClassVar[BankProfile]
    signature: ClassVar[SignatureProfile | None] = None
    """How the bank wants its requests signed; None where it wants no signature."""
    signed_kinds: ClassVar[frozenset[CallKind] | None] = None
    """The calls that are signed where not all are; only a bank that wants all signed needs a seal to be linked."""
    key_id_form: ClassVar[KeyIdForm] = KeyIdForm.HEX_RFC4514
    payment_offer: ClassVar[PaymentOffer | None] = None
    """What `payments` takes at this bank; None where too little is known of its interface."""
    registered: ClassVar[frozenset[Need]] = frozenset()
    """What the bank's registration gives, and its calls must carry: an API key, a client secret."""
    reauthorises_accounts: ClassVar[bool] = False
    """Whether each account has an end of its own, and is authorised anew by itself (`reauthorise_account`)."""
    is_behind_mutual_tls: ClassVar[bool] = True
    issues_certificates: ClassVar[bool] = False
    """An intermediary that gives us certificates of its own, which are neither QWAC nor QSEAL."""

    intermediary: ClassVar[str | None] = None
    """Who asks the accounts' banks by a licence of its own, where that is not us."""

    @classmethod
    def needs(cls) -> frozenset[Need]:
        """What must be at hand before the bank can be called."""
        found = set(cls.registered)
        if cls.is_behind_mutual_tls:
            found.add(Need.TLS_CERTIFICATE)
        if cls.signature is not None and cls.signed_kinds is None:
            found.add(Need.SEAL_CERTIFICATE)
            if cls.signature.certificate_header is CertificateHeader.NONE:
                # Nothing of the certificate travels with the call: the name must lead the bank to it.
                found.add(Need.KEY_ID)
        return frozenset(found)

    def __init__(
        self,
        endpoint: BankEndpoint,
        http: BankHttp,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self.endpoint = endpoint
        self.http = http
        self.now = now
        """Aware UTC moment; used for token life only, never for a business rule."""
        self.new_id = new_id
        """A fresh UUID for each request (`X-Request-ID`)."""

    @abstractmethod
    def start_consent(self, request: ConsentRequest) -> StartedConsent:
        """Ask the bank for a consent; raises `ConnectorError`."""

    @abstractmethod
    def next_step(self, handle: ConsentHandle, psu: PsuContext | None) -> NextStep:
        """What the PSU must do now; reads the bank, changes nothing."""

    @abstractmethod
    def finish_consent(
        self, handle: ConsentHandle, callback: Mapping[str, str], psu: PsuContext | None
    ) -> GrantedConsent:
        """Turn the call-back's parameters into tokens and read status and end date from the bank.

        Raises `ConsentRefused` when the PSU cancelled, `CallbackRejected` when the code is not accepted.
        """

    @abstractmethod
    def consent_status(self, access: Access) -> ConsentStatus:
        """The bank's present view of the consent."""

    def consent_details(self, access: Access) -> ConsentDetails:
        """Status and last valid day as the bank sees them now; the day is None where a bank gives the status only."""
        return ConsentDetails(self.consent_status(access))

    @abstractmethod
    def accounts(self, access: Access) -> list[Account]:
        """Every account of the consent, all kinds; delivers all or raises."""

    @abstractmethod
    def balances(self, access: Access, bank_account_id: str) -> list[Balance]:
        """All balances the bank gives for the account now."""

    @abstractmethod
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
        """Booked and pending items with booking date from `date_from` on, page by page, whole or not at all.

        `today` decides which booking dates lie in the future (those count as pending). `own_ibans` are the holder's
        other accounts, for the codes of own transfers. Raises in the middle when a page fails: the caller drops all.
        """

    @abstractmethod
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
        """One raw row in the normal form; asks no bank, so that stored rows can be mapped again (SYN-10)."""

    @abstractmethod
    def refresh_tokens(self, tokens: TokenSet, handle: ConsentHandle | None = None) -> TokenSet:
        """New tokens for old; the old refresh token stays when none is new. Raises `ConsentEnded` when refused.

        `handle` names the token endpoint the bank gave with the consent; without it the bank's usual one is called.
        """

    @abstractmethod
    def revoke_consent(self, access: Access) -> None:
        """End the consent at the bank; one already ended is fine."""

    def payments(self) -> PaymentInitiation | None:
        """Payment initiation at this bank; None where its interface has none that is known well enough."""
        return None

    def payments_with(self, access: Access) -> PaymentInitiation | None:  # noqa: ARG002  of a source
        """As `payments`, for a source whose payments go under a consent, which was asked for them (`may_pay`)."""
        return self.payments()

    # For sources that keep a copy of many banks' accounts; the defaults are those of a bank

    def start_synchronisation(self, access: Access, bank_account_id: str) -> Synchronisation | None:  # noqa: ARG002  of a source
        """Ask the account's bank for what is new, while the PSU of `access` is present; it goes on without us.

        None where every read reaches the bank itself. Raises `ValueError` without a PSU.
        """
        return None

    def synchronisation(self, access: Access, synchronisation_id: str) -> Synchronisation:  # noqa: ARG002  of a source
        """How far a started synchronisation is; raises the error it failed with."""
        return Synchronisation(synchronisation_id, is_done=True)

    def reauthorise_account(self, access: Access, bank_account_id: str, redirect_uri: str) -> Redirect | None:  # noqa: ARG002  of a source
        """Where the PSU authorises one account anew; None where a consent covers its accounts together."""
        return None
