"""The other side of a row: who it is and from where that is known (transaction mapping, rules 5 and 6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors import text
from connectors.dialect import Dialect
from connectors.model import PartySource
from connectors.remittance import flat_lines, remittance_parts


@dataclass(frozen=True, slots=True)
class Party:
    """A name, an account number without blanks and its bank, each as far as known."""

    name: str | None = None
    account: str | None = None
    bic: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing tells who it is."""
        return self.name is None and self.account is None


def raw_party(raw: Mapping[str, Any], side: str) -> Party:
    """One side as the bank gives it, `side` being creditor, debtor, ultimateCreditor or ultimateDebtor."""
    account = raw.get(f"{side}Account")
    number: str | None = None
    if isinstance(account, Mapping):
        number = text.compact_account(account.get("iban")) or text.compact_account(account.get("bban"))
    else:
        number = text.compact_account(account)
    name = text.present(raw.get(f"{side}Name"))
    if name is None and side.startswith("ultimate"):
        name = text.present(raw.get(side))
    agent = raw.get(f"{side}Agent")
    bic = text.compact_account(agent.get("bicfi") if isinstance(agent, Mapping) else agent)
    is_bic = bic is not None and re.fullmatch(r"[A-Z0-9]{8}(?:[A-Z0-9]{3})?", bic) is not None
    return Party(" ".join(name.split()) if name else None, number, bic if is_bic else None)


def counterparty_of(
    raw: Mapping[str, Any], is_debit: bool, account_iban: str, holder: str | None, dialect: Dialect
) -> tuple[Party, PartySource | None]:
    """The other side: creditor of a debit, debtor of a credit; never the account itself or its holder's bare name."""
    near, far = ("creditor", "debtor") if is_debit else ("debtor", "creditor")
    was_own = False
    for side in (near, f"ultimate{near.capitalize()}", far, f"ultimate{far.capitalize()}"):
        if side == far and not was_own:
            # The far side is the account itself; a bank puts the counterparty there only when it mixed up the two.
            break
        found = raw_party(raw, side)
        party = _without_own(found, account_iban, holder)
        if not party.is_empty:
            return party, PartySource.FIELD
        was_own = was_own or not found.is_empty
    wording = "\n".join(remittance_parts(raw) + flat_lines(raw.get("additionalInformation")))
    is_text_read = is_debit or not dialect.are_party_patterns_for_debits
    for pattern in dialect.party_patterns if is_text_read else ():
        match = pattern.search(wording)
        if match is None:
            continue
        groups = match.groupdict()
        account = text.compact_account(groups.get("iban"))
        party = Party(text.present(groups.get("name")), account if account and text.is_iban(account) else None)
        party = _without_own(party, account_iban, holder)
        if not party.is_empty:
            return party, PartySource.TEXT
    return Party(), None


def _without_own(party: Party, account_iban: str, holder: str | None) -> Party:
    # The holder's name beside another account is a transfer between own accounts, and right.
    is_own = party.account == account_iban if party.account else text.same_name(party.name, holder)
    return Party() if is_own else Party(party.name, party.account, party.bic if party.account else None)
