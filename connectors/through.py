"""Banks without a connector here, whose accounts come through one that is in between (CON-01).

They have no profile module of their own: what is known of them is a name and codes, and the source that shows them
decides the rest. A bank that gets a connector leaves this list. Source: the National Bank's list of codes; which banks
Ponto shows was read from its public list and is plausible, not tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from connectors import registry, text
from connectors.profile import BankProfile, Confidence, Knowledge, Proof


@dataclass(frozen=True, slots=True)
class BankThrough:
    """One such bank."""

    bank_id: str
    name: str
    bics: tuple[str, ...]
    iban_bank_codes: tuple[str, ...]
    through: str
    """Id of the bank a consent is asked for."""
    as_of: date

    def profile(self) -> BankProfile:
        """What can be said of it: limits are those of the source, and what the bank gives is not known."""
        return replace(
            registry.connector_class(self.through).profile,
            bank_id=self.bank_id,
            name=self.name,
            bics=self.bics,
            iban_bank_codes=self.iban_bank_codes,
            gives_booked_balance=Knowledge.UNKNOWN,
            gives_pending=Knowledge.UNKNOWN,
            pays_single=Knowledge.UNKNOWN,
            pays_bulk=Knowledge.UNKNOWN,
            pays_instant=Knowledge.UNKNOWN,
            proof=Proof.DESCRIBED,
            confidence=Confidence.PLAUSIBLE,
            as_of=self.as_of,
            routed_from=(),
        )


BANKS: Final = (
    BankThrough("cph", "Banque CPH", ("CPHBBE75",), ("125-126", "171"), "ponto", date(2026, 11, 29)),
    BankThrough("revolut", "Revolut Business", ("REVOBEB2", "REVOLT21"), ("650",), "ponto", date(2026, 11, 29)),
    BankThrough("wise", "Wise", ("TRWIBEB1", "TRWIBEBB"), ("903-905", "967"), "ponto", date(2026, 11, 29)),
)


def find(bank_id: str) -> BankThrough | None:
    """The bank with this id; None for one that has a connector, or is unknown."""
    return next((bank for bank in BANKS if bank.bank_id == bank_id), None)


def for_iban(iban: str) -> list[BankThrough]:
    """Those whose code stands in a Belgian IBAN."""
    compact = text.compact_account(iban) or ""
    return [bank for bank in BANKS if registry.has_code_of(compact, bank.iban_bank_codes)]
