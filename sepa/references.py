"""Structured references: the Belgian structured communication and the ISO 11649 creditor reference (RF).

The RF check is python-stdnum's, behind our own reading of the form. The Belgian check is one line of our own: stdnum
refuses `***…***`, takes other groupings and full-width digits, and is thirty times slower on a bare one; the tests
compare both. A reference is refused, never converted, and a correction is proposed, never applied.
Sources: Febelfin, "structured communication" (10 digits, check modulo 97); ISO 11649.
"""

import re

from stdnum import iso11649

from sepa.errors import ReferenceInvalid

_DIGITS = re.compile(r"[0-9]{12}")
_GROUPS = r"([0-9]{3}) ?/ ?([0-9]{4}) ?/ ?([0-9]{5})"
_TYPED = re.compile(rf"(?P<sign>\+\+\+|\*\*\*)? ?(?:(?P<bare>[0-9]{{12}})|{_GROUPS}) ?(?(sign)(?P=sign))")
_DELIMITED = re.compile(rf"(?:(\+\+\+)|(\*\*\*)|(?<![0-9/])) ?{_GROUPS} ?(?(1)\+\+\+|(?(2)\*\*\*|(?![0-9/])))")
_RUN = re.compile(r"(?<![0-9A-Za-z])[0-9]{12}(?![0-9A-Za-z])")
_FIVE = re.compile(r"[0-9]{5}")  # both forms hold a run of at least five digits
_RF = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")
_RF_RESERVED = ("00", "01", "99")
_SCANNING_SLIPS = str.maketrans(
    {"O": "0", "o": "0", "Q": "0", "l": "1", "I": "1", "i": "1", "B": "8", "S": "5", "s": "5"}
)


def belgian_fault(reference: str) -> str | None:
    """What is wrong with a bare Belgian reference: `format`, `checksum`, or None for 12 good digits."""
    if not _DIGITS.fullmatch(reference):
        return "format"
    return None if _belgian_check(reference[:10]) == reference[10:] else "checksum"


def parse_belgian(typed: str) -> str:
    """The 12 digits of a typed or scanned Belgian reference.

    Accepts 12 digits, or groups of 3/4/5 with slashes, each with `+++` or `***` on both sides or on none.
    Raises `ReferenceInvalid`; ASCII digits only.
    """
    if belgian_fault(typed) is None:
        return typed
    match = _TYPED.fullmatch(" ".join(typed.split()))
    if match is None:
        raise ReferenceInvalid("not the form of a Belgian structured communication", fault="format")
    digits = re.sub("[^0-9]", "", match[0])
    if belgian_fault(digits):
        raise ReferenceInvalid("the check digits of the structured communication are wrong", fault="checksum")
    return digits


def is_belgian(typed: str) -> bool:
    """Whether `parse_belgian` accepts it."""
    try:
        parse_belgian(typed)
    except ReferenceInvalid:
        return False
    return True


def make_belgian(number: int | str) -> str:
    """The 12 digits for an own document number of at most 10 digits, padded with zeros on the left.

    Raises `ReferenceInvalid` for anything else.
    """
    base = str(number)
    if not re.fullmatch("[0-9]{1,10}", base):
        raise ReferenceInvalid("a structured communication is made of 1 to 10 digits", fault="format")
    base = base.rjust(10, "0")
    return base + _belgian_check(base)


def print_belgian(digits: str) -> str:
    """The printed form `+++123/4567/89002+++` of 12 digits; raises `ReferenceInvalid` when they are not valid."""
    digits = parse_belgian(digits)
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"


def find_belgian(text: str) -> str | None:
    """The one valid Belgian reference in a free text, as 12 digits; None when there is none or more than one.

    The form with slashes is looked for first. A bare run of 12 digits counts only when its check passes and no other
    run of 12 digits is there: one random run in 97 passes.
    """
    if not _FIVE.search(text):
        return None
    groups = {"".join(match.groups()[2:]) for match in _DELIMITED.finditer(" ".join(text.split()))}
    delimited = {digits for digits in groups if not belgian_fault(digits)}
    if delimited:
        return delimited.pop() if len(delimited) == 1 else None
    runs = set(_RUN.findall(text))
    if len(runs) != 1:
        return None
    run: str = runs.pop()
    return None if belgian_fault(run) else run


def repair_belgian(typed: str) -> str | None:
    """A proposal for a Belgian reference that fails: 12 digits when exactly one correction passes, otherwise None.

    Corrections tried: letters a scanner confuses with digits (O I l B S), one wrong digit, two neighbours swapped.
    A proposal is shown to a person; it is never applied unasked.
    """
    if is_belgian(typed):
        return None
    compact = re.sub(r"[\s+*/.\-]", "", typed).translate(_SCANNING_SLIPS)
    if not _DIGITS.fullmatch(compact):
        return find_belgian(typed)
    if not belgian_fault(compact):
        return compact
    candidates = {compact[:i] + digit + compact[i + 1 :] for i in range(12) for digit in "0123456789"}
    candidates |= {compact[:i] + compact[i + 1] + compact[i] + compact[i + 2 :] for i in range(11)}
    passing = {candidate for candidate in candidates if not belgian_fault(candidate)}
    return passing.pop() if len(passing) == 1 else None


def rf_fault(reference: str) -> str | None:
    """What is wrong with a creditor reference in its compact form: `format`, `checksum`, or None for a good one."""
    if not _RF.fullmatch(reference):
        return "format"
    if reference[2:4] in _RF_RESERVED or not iso11649.is_valid(reference):
        return "checksum"
    return None


def parse_rf(typed: str) -> str:
    """The compact upper-case form of a typed creditor reference; blanks are dropped, any other sign is refused.

    Raises `ReferenceInvalid`.
    """
    # Folding case first would let letters in that become ASCII only by folding (for instance a long s).
    compact = "".join(typed.split())
    compact = compact.upper() if compact.isascii() else compact
    fault = rf_fault(compact)
    if fault:
        raise ReferenceInvalid("not a valid creditor reference (RF)", fault=fault)
    return compact


def is_rf(typed: str) -> bool:
    """Whether `parse_rf` accepts it."""
    try:
        parse_rf(typed)
    except ReferenceInvalid:
        return False
    return True


def make_rf(reference: str) -> str:
    """The creditor reference for an own reference of 1 to 21 letters and digits; raises `ReferenceInvalid`.

    Wrapping a Belgian reference of 12 digits is a good choice for a payer abroad.
    """
    own = "".join(reference.split())
    if not re.fullmatch("[A-Za-z0-9]{1,21}", own):
        raise ReferenceInvalid("a creditor reference is made of 1 to 21 letters and digits", fault="format")
    own = own.upper()
    remainder = int("".join(str(int(character, 36)) for character in own + "RF00")) % 97
    return f"RF{98 - remainder:02d}{own}"


def print_rf(reference: str) -> str:
    """The printed form of a creditor reference, in blocks of four; raises `ReferenceInvalid`."""
    compact = parse_rf(reference)
    return " ".join(compact[i : i + 4] for i in range(0, len(compact), 4))


def _belgian_check(base: str) -> str:
    return f"{int(base) % 97 or 97:02d}"
