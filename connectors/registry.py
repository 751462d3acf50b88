"""Which banks there are: every connector class found in `connectors/banks`, without a list to maintain."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from importlib.resources import files

from connectors import banks, text
from connectors.base import Connector
from connectors.profile import BankProfile


class BankUnknown(LookupError):
    """No connector carries this bank id."""


def profiles() -> tuple[BankProfile, ...]:
    """The profiles of all banks, by bank id."""
    return tuple(found.profile for _, found in sorted(_classes().items()))


def connector_class(bank_id: str) -> type[Connector]:
    """The connector of a bank; raises `BankUnknown`."""
    try:
        return _classes()[bank_id]
    except KeyError:
        raise BankUnknown(bank_id) from None


def bank_for_iban(iban: str) -> list[BankProfile]:
    """Banks whose code stands in a Belgian IBAN; empty for foreign IBANs and for codes of no bank here.

    More than one bank means that brands share the code, and the PSU must say which. Former banks lead to the bank that
    keeps their accounts now (AXA to Crelan). Source: positions 5 to 7 of the IBAN, code list of the National Bank.
    """
    compact = text.compact_account(iban) or ""
    return [profile for profile in profiles() if has_code_of(compact, profile.iban_bank_codes)]


def has_code_of(iban: str, spans: tuple[str, ...]) -> bool:
    """Whether this Belgian number, written without spaces, has one of these bank codes."""
    if not iban.startswith("BE") or not text.is_iban(iban):
        return False
    code = int(iban[4:7])
    return any(_covers(span, code) for span in spans)


def card(bank_id: str) -> str:
    """The bank's card in Markdown: what the operator registers, limits, oddities, with date and source."""
    module = connector_class(bank_id).__module__.rsplit(".", 1)[-1]
    return files(banks).joinpath(f"{module}.md").read_text(encoding="utf-8")


@cache
def _classes() -> dict[str, type[Connector]]:
    found: dict[str, type[Connector]] = {}
    for module_info in pkgutil.iter_modules(banks.__path__, f"{banks.__name__}."):
        module = importlib.import_module(module_info.name)
        for _, member in inspect.getmembers(module, inspect.isclass):
            if issubclass(member, Connector) and member.__module__ == module.__name__ and "profile" in vars(member):
                assert member.profile.bank_id not in found, f"two connectors for {member.profile.bank_id}"
                found[member.profile.bank_id] = member
    return found


def _covers(span: str, code: int) -> bool:
    first, _, last = span.partition("-")
    return int(first) <= code <= int(last or first)
