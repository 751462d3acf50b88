"""What is particular to one bank, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum


class IdTrust(StrEnum):
    """How far the bank's transaction ids can be used to recognise a row."""

    HIGH = "high"
    PER_DAY = "per_day"
    NONE = "none"


class Proof(StrEnum):
    """How far a connector was proven (CON-01). Nothing reaches `LIVE` without a licensed party's certificates."""

    DESCRIBED = "described"
    """Built to the bank's description, proven against published stubs."""
    SIMULATED = "simulated"
    SANDBOX = "sandbox"
    LIVE = "live"


class Knowledge(StrEnum):
    """Yes, no, or not known: unknowns are marked, not invented."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How sure the facts of a bank's interface are; the card says it fact by fact."""

    CONFIRMED = "confirmed"
    """A document of the bank, or a client that worked, names them."""
    PLAUSIBLE = "plausible"
    """By analogy with other banks of its platform, or from an old source."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class BankProfile:
    """One bank; limits the bank does not publish are None."""

    bank_id: str
    name: str
    bics: tuple[str, ...]
    iban_bank_codes: tuple[str, ...] = ()
    """Three-digit codes or ranges of Belgian IBANs, positions 5-7: `103-108`."""
    family: str
    sandbox_url: str | None
    production_url: str | None
    hosts: tuple[str, ...] = ()
    """Hosts besides that of the address which the bank's links may name, for `BankEndpoint.allowed_hosts`."""
    consent_validity: timedelta
    """The bank's maximum; the gateway takes the earliest of bank answer, this, and the office's cap (CON-09)."""
    is_consent_validity_confirmed: bool = False
    history: timedelta = timedelta(days=90)
    calls_per_day_max: int = 4
    overlap_days: int = 5
    end_of_day_hour: int = 5
    """Brussels hour on the day after, from which a booking day counts as complete (STA-01)."""
    id_trust: IdTrust = IdTrust.NONE
    gives_booked_balance: Knowledge = Knowledge.UNKNOWN
    gives_pending: Knowledge = Knowledge.UNKNOWN
    pays_single: Knowledge = Knowledge.UNKNOWN
    """Whether the bank's own interface offers single payments; says nothing of this product (CON-01)."""
    pays_bulk: Knowledge = Knowledge.UNKNOWN
    pays_instant: Knowledge = Knowledge.UNKNOWN
    proof: Proof = Proof.DESCRIBED
    confidence: Confidence = Confidence.UNKNOWN
    as_of: date
    """The day on which the facts were looked at."""
    user_hints: dict[str, str] = field(default_factory=dict)
    """What the PSU needs at hand, per language (nl, fr, en, de)."""
    routed_from: tuple[str, ...] = ()
    """Names of former banks whose accounts live here now (AXA at Crelan)."""
