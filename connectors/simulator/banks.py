"""What is particular to each simulated bank, as data; all run on the platform described for Worldline banks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from connectors import registry, signing
from connectors.profile import BankProfile, Knowledge
from connectors.signing import SignatureProfile

CLOSING_BOOKED = "closingBooked"
INTERIM_BOOKED = "interimBooked"
INTERIM_AVAILABLE = "interimAvailable"
EXPECTED = "expected"


@dataclass(frozen=True, slots=True, kw_only=True)
class BankSettings:
    """Abilities and habits of one bank; change them with `dataclasses.replace` for a test."""

    bank_id: str
    name: str
    bic: str
    family: str = "worldline"
    """Which routes the bank answers; a family without routes of its own speaks as the banks on that platform."""
    api_path: str = "/berlingroup/v1"
    signature: SignatureProfile | None = None
    """How requests must be signed where `SimulatorConfig.signature_keys` switches the check on."""
    asks_for_certificate: bool = True
    """Whether callers must show a client certificate where `SimulatorConfig.tls` switches that on."""
    reads_roles: bool = True
    """Whether that certificate must name the role PSP_AI; not where the certificates are the bank's own."""
    consent_days_max: int = 180
    """The last day is today plus this, minus one; a later wish is cut without a word."""
    approval_days_max: int = 3
    """A consent nobody approved dies after these days."""
    history_days: int = 90
    history_once_days: int | None = None
    """How far the first list of an account reaches in a consent; later ones only `history_days`. None: no further."""
    gives_history_with_first_token: bool = False
    """True where not the first list but every list with the consent's first access token reaches that far."""
    refuses_longer_history: bool = False
    """True answers 400 PERIOD_INVALID to a `dateFrom` before the history; False gives what there is."""
    page_size: int = 50
    first_page: int = 0
    balance_types: tuple[str, ...] = (CLOSING_BOOKED, INTERIM_BOOKED, EXPECTED)
    """Leave out both booked types for a bank that cannot prove a day."""
    gives_pending: bool = True
    has_numeric_amounts: bool = False
    """Amounts as JSON numbers instead of strings, as seen at this platform."""
    has_plain_structured_text: bool = False
    """Structured remittance information as a plain string, as before 1.3.9."""
    has_offset_in_timestamps: bool = True
    unattended_calls_max: int | None = 4
    """Calls per account and endpoint without PSU-IP-Address in any 24 hours; None switches the limit off."""
    ends_previous_consent: bool = False
    """Whether a new recurring consent ends the older ones of the same PSU and TPP."""
    rotates_refresh_token: bool = False
    access_token_seconds: int = 3600
    offers_one_current_account: bool = False
    """The PSU can choose a single account, and no other kind."""
    is_confirmed_by_tpp: bool = False
    """What the PSU approved becomes valid only when the TPP confirms it."""
    approves_in_app: bool = False
    """On the page the PSU signs in only; the consent becomes valid by an approval elsewhere."""
    signs_everything: bool = False
    """Calls for tokens and metadata are signed too, all but the first under the name this bank gave the TPP."""
    signs_payments_only: bool = False
    """Only calls for payments are signed."""
    names_consent: bool = True
    """A call names its consent; False where the token alone tells which one it is."""
    has_lasting_ids: bool = False
    """A row keeps the id it had while pending."""
    gives_refresh_token: bool = True
    """False where the access token lives as long as the consent."""
    second_currency: str = ""
    """Currency of a second account under the number of each current account; empty for none."""
    card: str = ""
    """Masked number of a card that the bank lists beside the accounts of a world that names none for it."""
    iban_serial: str = "41200"
    """First digits after the code, for banks that have the same one."""
    iban_code: str = ""
    """The bank's code in IBANs, for the accounts of a bank that the world names none for."""


FORTIS: dict[str, Any] = {
    "api_path": "/stet/psd2/v4",
    "signature": signing.BNPPF,
    "access_token_seconds": 7_776_000,
    "gives_refresh_token": False,
}
"""The brands of BNP Paribas Fortis; they share their codes too."""

HABITS: dict[str, dict[str, Any]] = {
    "kbc": {
        "api_path": "/psd2/v2",
        "gives_pending": False,
        "balance_types": (CLOSING_BOOKED,),
        "has_plain_structured_text": True,
        "access_token_seconds": 1800,
    },
    "argenta": {
        "api_path": "/api/berlingroup/v1",
        "signature": signing.ARGENTA,
        "balance_types": (INTERIM_AVAILABLE, INTERIM_BOOKED, CLOSING_BOOKED),
        "has_plain_structured_text": True,
        "access_token_seconds": 600,
        "history_once_days": 730,
        "gives_history_with_first_token": True,
    },
    "belfius": {
        "api_path": "/belfius",
        "signature": signing.BELFIUS,
        "signs_payments_only": True,
        "gives_pending": False,
        "balance_types": (INTERIM_BOOKED,),
        "has_numeric_amounts": True,
        "second_currency": "USD",
        "names_consent": False,
        "rotates_refresh_token": True,
    },
    "triodos": {
        "api_path": "/xs2a-bg/be_nl/v1",
        "signature": signing.TRIODOS,
        "balance_types": (CLOSING_BOOKED, EXPECTED),
        "offers_one_current_account": True,
        "is_confirmed_by_tpp": True,
        "access_token_seconds": 600,
        "history_once_days": 730,
        "rotates_refresh_token": True,
    },
    "triodosfr": {"api_path": "/xs2a-bg/be_fr/v1", "iban_serial": "41300"},
    "stet": {
        "api_path": "/stet/psd2/v1",
        "signature": signing.STET,
        "balance_types": (CLOSING_BOOKED, EXPECTED, INTERIM_AVAILABLE),
        "names_consent": False,
        "has_lasting_ids": True,
        "access_token_seconds": 10_800,
    },
    "ing": {
        "api_path": "/ing",
        "signature": signing.ING,
        "signs_everything": True,
        "balance_types": (EXPECTED, INTERIM_BOOKED, INTERIM_AVAILABLE),
        "names_consent": False,
        "has_numeric_amounts": True,
        "access_token_seconds": 900,
        "rotates_refresh_token": True,
    },
    "n26": {
        "api_path": "/n26/v1/berlin-group/v1",
        # Its numbers are German; there is no Belgian code.
        "iban_code": "10011001",
        "approves_in_app": True,
        "access_token_seconds": 900,
        "rotates_refresh_token": True,
        "history_once_days": 730,
        "gives_history_with_first_token": True,
    },
    "bnppf": FORTIS,
    "fintro": {**FORTIS, "iban_serial": "41400"},
    "hellobank": {**FORTIS, "iban_serial": "41500"},
    "beobank": {"api_path": "/stet/stet-psd2-api/v2.2", "card": "498012XXXXXX5546"},
    # Both banks have the same codes: the accounts of the one must not be those of the other.
    "kbcbrussels": {"iban_code": "734"},
    "ponto": {
        "api_path": "/ponto-connect",
        "signature": signing.PONTO,
        # What it shows are accounts at a bank that is not simulated itself.
        "bic": "GKCCBEBB",
        "iban_code": "063",
        "iban_serial": "41400",
        "second_currency": "USD",
        "has_numeric_amounts": True,
        "page_size": 100,
        "unattended_calls_max": None,
        "access_token_seconds": 1799,
        "rotates_refresh_token": True,
    },
    # One organisation's own door has no page to walk; a test that wants it gives it accounts.
    "pontocustom": {"api_path": "", "signature": None, "iban_code": ""},
}
"""What the banks of a family, or one bank, do otherwise than the profile says."""

DEFAULT_BANKS = (
    BankSettings(bank_id="crelan", name="Crelan", bic="NICABEBB"),
    BankSettings(
        bank_id="keytrade",
        name="Keytrade Bank",
        bic="KEYTBEBB",
        balance_types=(CLOSING_BOOKED, EXPECTED),
        page_size=20,
        ends_previous_consent=True,
        rotates_refresh_token=True,
    ),
    BankSettings(
        bank_id="nagelmackers",
        name="Nagelmackers",
        bic="BNAGBEBB",
        balance_types=(CLOSING_BOOKED, INTERIM_BOOKED),
        has_plain_structured_text=True,
    ),
    BankSettings(
        bank_id="vanbreda",
        name="Bank J. Van Breda & C°",
        bic="JVBABE22",
        balance_types=(CLOSING_BOOKED, INTERIM_BOOKED, INTERIM_AVAILABLE),
        has_numeric_amounts=True,
        has_offset_in_timestamps=False,
    ),
)
"""The banks of demo and sandbox, each with habits of its own."""


def settings_of(profile: BankProfile) -> BankSettings:
    """How a bank is simulated: as listed above, else as its profile says, without habits of its own."""
    for bank in DEFAULT_BANKS:
        if bank.bank_id == profile.bank_id:
            return bank
    connector = registry.connector_class(profile.bank_id)
    booked = () if profile.gives_booked_balance is Knowledge.NO else (CLOSING_BOOKED, INTERIM_BOOKED)
    settings = BankSettings(
        bank_id=profile.bank_id,
        name=profile.name,
        family=profile.family,
        asks_for_certificate=connector.is_behind_mutual_tls,
        reads_roles=not connector.issues_certificates,
        bic=next(iter(profile.bics), ""),
        iban_code=next(iter(profile.iban_bank_codes), "").partition("-")[0],
        consent_days_max=profile.consent_validity.days,
        history_days=profile.history.days,
        balance_types=(*booked, EXPECTED),
        gives_pending=profile.gives_pending is not Knowledge.NO,
        unattended_calls_max=profile.calls_per_day_max,
    )
    return replace(settings, **(HABITS.get(profile.family, {}) | HABITS.get(profile.bank_id, {})))


def every_bank() -> tuple[BankSettings, ...]:
    """All banks of the registry: a new descriptor is simulated without an edit here (CON-03)."""
    # Where no Belgian number is to be had, there is no account to invent.
    found = (settings_of(profile) for profile in registry.profiles())
    return tuple(settings for settings in found if settings.iban_code or settings in DEFAULT_BANKS)
