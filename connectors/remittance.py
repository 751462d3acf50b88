"""Texts of a row and the reference among them (transaction mapping, rules 7 and 8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from connectors import text
from connectors.dialect import Dialect
from connectors.model import ReferenceKind

if TYPE_CHECKING:
    from connectors.parties import Party


def remittance_parts(raw: Mapping[str, Any]) -> list[str]:
    """The free texts, each once."""
    value = raw.get("remittanceInformationUnstructured")
    parts = _texts(value)
    for extra in _texts(raw.get("remittanceInformationUnstructuredArray")):
        # Some banks give the same text in both fields.
        if not any(text.compact(extra) in text.compact(part) for part in parts):
            parts.append(extra)
    return parts


def structured_text(raw: Mapping[str, Any]) -> str | None:
    """What the bank gives as structured, whatever it is worth."""
    values = [raw.get("remittanceInformationStructured"), raw.get("remittanceInformationStructuredArray")]
    for value in [item for outer in values for item in (outer if isinstance(outer, list) else [outer])]:
        found = text.present(value.get("reference") if isinstance(value, Mapping) else value)
        if found is not None:
            return found
    return None


def remittance_of(
    raw: Mapping[str, Any], party: Party, dialect: Dialect, warnings: list[str]
) -> tuple[str | None, ReferenceKind | None, str | None]:
    """Free text, and a structured reference whose check digits hold; a reference that fails them is free text."""
    free = text.lines(" ".join(remittance_parts(raw)))
    repeated = {text.compact(party.name), text.compact(party.account)} - {""}
    free = [line for line in free if text.compact(line) not in repeated]
    joined = "\n".join(free)
    structured = structured_text(raw)
    for candidate in [item for item in (structured, joined) if item]:
        checked = _checked_reference(candidate, warnings)
        if checked is not None:
            others = [line for line in free if text.compact(line) != text.compact(candidate)]
            return ("\n".join(others) if candidate == structured else joined) or None, *checked
    within = [digits for digits in text.belgian_references_within(joined) if text.is_belgian_reference(digits)]
    if len(within) == 1 and dialect.finds_references_within_text:
        return joined, ReferenceKind.BELGIAN, within[0]
    if structured is not None and text.compact(structured) not in text.compact(joined):
        free = [" ".join(structured.split()), *free]
    return "\n".join(free) or None, None, None


def _checked_reference(candidate: str, warnings: list[str]) -> tuple[ReferenceKind, str] | None:
    plain = candidate.strip()
    digits = text.belgian_reference(plain)
    if digits is not None and text.is_belgian_reference(digits):
        return ReferenceKind.BELGIAN, digits
    reference = text.rf_reference(plain)
    if reference is not None and text.is_rf_reference(reference):
        return ReferenceKind.RF, reference
    if digits is not None or reference is not None:
        warnings.append("structured_reference_failed")
    return None


def wording_of(
    additional: str | None, proprietary: str | None, remittance: str | None, *, has_iban: bool
) -> str | None:
    """The bank's own words for the text rules.

    What the payer wrote beside an account number is no clue: "huur, loyer par domiciliation" is still a transfer.
    """
    own = "\n".join(part for part in (additional.split("\n")[0] if additional else None, proprietary) if part)
    if own:
        return own
    return None if has_iban or remittance is None else remittance.split("\n")[0]


def flat_lines(value: Any) -> list[str]:
    """The lines of a text or of several, without blanks in excess."""
    return text.lines(" ".join(_texts(value)))


def _texts(value: Any) -> list[str]:
    items: Iterable[Any] = value if isinstance(value, list) else [value]
    return [found for item in items if (found := text.present(item)) is not None]
