"""`docs/banks.md`: every bank with its family, how sure its facts are, its limits, and what proves the connector."""

from __future__ import annotations

from typing import Final

from connectors import registry, through
from connectors.payments import Bulk
from connectors.profile import BankProfile, Confidence, Knowledge, Proof
from connectors.through import BankThrough

_HEAD: Final = """# Banks

Made by `python -m gateway.documents` from the descriptors in `connectors/banks`; do not edit. Each bank has a card
beside its descriptor, which tells the operator what to register and mail, and says fact by fact how sure it is. What is
not known is left open, not invented.

No connector here was tried against a live bank: that takes the certificates of a licensed party.

| Bank | Codes in IBANs | Family | Facts | Proven by |
|---|---|---|---|---|
"""
_LIMITS: Final = """
## Limits

| Bank | Consent | History | Unattended reads a day | Booked balance | Pending | Payments this connector initiates |
|---|---|---|---|---|---|---|
"""
_THROUGH: Final = """
## Through another connection

These have no connector here; the account holder links the other one and chooses the bank there. What they give is not
known, and a bank's own interface is not used.

| Bank | Codes in IBANs | BIC | Linked as |
|---|---|---|---|
"""
_PROOFS: Final = {
    Proof.DESCRIBED: "the family's scenarios with invented answers; the bank's own interface is not known",
    Proof.SIMULATED: "every scenario, with invented answers and at the simulated bank",
    Proof.SANDBOX: "the bank's sandbox",
    Proof.LIVE: "a real account",
}

_BULKS: Final = {Bulk.NO: "", Bulk.JSON: ", several at once", Bulk.FILE: ", several as pain.001 file"}


def page() -> str:
    """The document's text; the same descriptors always give the same."""
    profiles = sorted(registry.profiles(), key=lambda profile: profile.name.casefold())
    return (
        _HEAD
        + "".join(map(_bank, profiles))
        + _LIMITS
        + "".join(map(_limits, profiles))
        + _THROUGH
        + "".join(map(_through, through.BANKS))
    )


def _bank(profile: BankProfile) -> str:
    routed = f"; also {', '.join(profile.routed_from)}" if profile.routed_from else ""
    card = f"[{profile.name}](../connectors/banks/{profile.bank_id}.md)"
    facts = f"{profile.confidence.value}, {profile.as_of.isoformat()}"
    is_described = profile.proof is Proof.DESCRIBED and profile.confidence is Confidence.CONFIRMED
    proof = (
        "invented answers, and published ones where there are; not simulated"
        if is_described
        else _PROOFS[profile.proof]
    )
    codes = ", ".join(profile.iban_bank_codes) or "none of its own"
    return f"| {card} (`{profile.bank_id}`{routed}) | {codes} | {profile.family} | {facts} | {proof} |\n"


def _limits(profile: BankProfile) -> str:
    consent = f"{profile.consent_validity.days} days{'' if profile.is_consent_validity_confirmed else ' (expected)'}"
    return (
        f"| {profile.name} | {consent} | {profile.history.days} days | {profile.calls_per_day_max} "
        f"| {_said(profile.gives_booked_balance)} | {_said(profile.gives_pending)} | {_paid(profile)} |\n"
    )


def _through(bank: BankThrough) -> str:
    codes, bics = ", ".join(bank.iban_bank_codes), ", ".join(bank.bics)
    return f"| {bank.name} (`{bank.bank_id}`) | {codes} | {bics} | `{bank.through}` |\n"


def _paid(profile: BankProfile) -> str:
    offer = registry.connector_class(profile.bank_id).payment_offer
    if offer is None or profile.pays_single is not Knowledge.YES:
        return "none"
    instant = ", instant" if offer.is_instant_possible else ""
    return f"single{instant}{_BULKS[offer.bulk]}"


def _said(knowledge: Knowledge) -> str:
    return "not known" if knowledge is Knowledge.UNKNOWN else knowledge.value
