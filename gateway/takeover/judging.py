"""Whether an account can continue here, and why not (CON-18). Pure: banks and present accounts are handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connectors.model import AccountKind
from connectors.profile import BankProfile, Knowledge
from gateway.imports.columns import key_of
from gateway.takeover.reading import ListedAccount


class Verdict(StrEnum):
    """What holds of an account before its mandate is cancelled."""

    CONTINUES = "continues"
    UNSURE = "unsure"
    """Look at the reasons before the mandate is cancelled."""
    CANNOT = "cannot"


KINDS: Final = (
    (AccountKind.SAVINGS, ("spaar", "epargne", "saving", "sparkonto", "sparbuch")),
    (AccountKind.CARD, ("krediet", "credit", "visa", "mastercard", "kaart", "carte", "karte", "card")),
    (AccountKind.LOAN, ("lening", "pret", "emprunt", "loan", "darlehen", "straightloan")),
    (AccountKind.INVESTMENT, ("effecten", "titres", "belegging", "placement", "wertpapier", "termijn", "terme")),
)
"""Parts of the words by which lists call kinds of accounts; anything else is taken for a current account."""


@dataclass(frozen=True, slots=True)
class Present:
    """The account as the office has it."""

    kind: str
    is_read: bool


@dataclass(frozen=True, slots=True)
class OfferedBank:
    """A bank that an IBAN belongs to, and whether the installation can read it now."""

    profile: BankProfile
    is_configured: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """One account of the list."""

    listed: ListedAccount
    verdict: Verdict
    bank_names: tuple[str, ...]
    kind: AccountKind
    is_read: bool
    """It is read here already."""
    reasons: tuple[str, ...]
    """Codes of `takeover.labels`, the weightiest first."""


def judge(listed: ListedAccount, banks: Sequence[OfferedBank], present: Present | None) -> Judged:
    """What holds of one account. An account of several banks with one code continues where one of them allows it."""
    kind = AccountKind(present.kind) if present is not None else kind_of(listed.kind)
    names = tuple(bank.profile.name for bank in banks)
    cannot: list[str] = []
    unsure: list[str] = []
    if listed.iban is None:
        unsure.append("number_invalid")
    elif kind is not AccountKind.CURRENT:
        cannot.append(f"kind_{kind}")
    if listed.iban is not None and not banks and present is None:
        cannot.append("bank_not_offered")
    if banks:
        balances = {bank.profile.gives_booked_balance for bank in banks}
        if balances == {Knowledge.NO}:
            cannot.append("no_booked_balance")
        elif Knowledge.YES not in balances:
            unsure.append("booked_balance_unknown")
        if not any(bank.is_configured for bank in banks):
            unsure.append("bank_not_connected")
    verdict = Verdict.CANNOT if cannot else Verdict.UNSURE if unsure else Verdict.CONTINUES
    return Judged(listed, verdict, names, kind, present is not None and present.is_read, (*cannot, *unsure))


def kind_of(words: str) -> AccountKind:
    """What a list's words say of the kind; current when they say nothing else."""
    key = key_of(words)
    for kind, parts in KINDS:
        if any(part in key for part in parts):
            return kind
    return AccountKind.CURRENT
