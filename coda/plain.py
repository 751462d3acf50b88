"""The movements of a sound statement, read by one regular expression for a movement with all its parts.

Almost every line of almost every file is sound. `movements_of` takes such lines, in which no rule for movements is
broken, at a tenth of what reading and checking record by record takes; for anything else it answers `None`, and
`coda.blocks` and `coda.checks` say what is the matter. Both ways give the same statement and the same findings.

Fields side by side that take few values are one group, whose values are remembered by their text. The expressions are
made from the layouts of the records, which are stated there alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache
from typing import TYPE_CHECKING, Any

from coda.account_zone import is_belgian_number
from coda.errors import Finding
from coda.fields import EXACT, MINUS_ZERO, ZERO, FieldFault, Text
from coda.model import Information, Movement
from coda.record import LINE_LENGTH, Record
from coda.records.information import InformationMain, InformationPart2, InformationPart3
from coda.records.movement import MovementCounterparty, MovementDetails, MovementMain
from coda.rules import content_findings, is_of_the_standard
from coda.text import MOVEMENT_WIDTHS

SEEN_MAX = 4096  # texts whose values are kept
_PIECE = 1 << 15  # characters read at once
NUMBERS = (*(f"{number:04d}" for number in range(10_000)), "")  # by number; none comes after 9999


@dataclass(slots=True)
class PlainMovements:
    """The movements of a statement, and what the rules about whole statements need to know of them."""

    movements: tuple[Movement, ...]
    record_count: int
    debit: Decimal  # total, without sign
    credit: Decimal
    findings: list[Finding]  # warnings about what the movements hold


def movements_of(text: str, start: int, end: int, width: int, first_line: int) -> PlainMovements | None:
    """The movements between two places of a text, or `None` where a rule is broken that concerns their lines.

    Every line is `width` characters with its line end, and there are no control characters in it. `first_line` is the
    number of the line at `start`.
    """
    try:
        return _movements(text, start, end, width, first_line)
    except (FieldFault, _Broken):  # the first: a day that does not exist
        return None


class _Broken(Exception):
    """A rule is broken; the checks say which."""


class _Together(dict[str, tuple[Any, ...]]):
    """The values of fields side by side, by their text as seen before: the days and codes of a file are few."""

    def __init__(self, record: type[Record], names: tuple[str, ...], *, may_be_blank: bool = False) -> None:
        columns = [record.by_name[name] for name in names]
        start = columns[0].start
        width = columns[-1].end - start + 1
        self._parts = [(slice(c.start - start, c.end - start + 1), c.codec) for c in columns if c.codec is not None]
        group = f"(.{{{width}}}+)"
        # Where they are mostly blank, no group is made of blanks.
        self.expressions = dict.fromkeys(names, "") | {names[0]: f"(?: {{{width}}}|{group})" if may_be_blank else group}

    def __missing__(self, text: str) -> tuple[Any, ...]:
        if len(self) >= SEEN_MAX:
            self.clear()
        self[text] = values = tuple(codec.decode(text[part]) for part, codec in self._parts)
        return values


# Fields side by side that are read and written as one text.
BOOKED = ("value_date", "transaction_code", "is_structured")
ENTERED = ("entry_date", "paper_number", "globalisation")
RARE = ("r_type", "r_reason", "category_purpose", "purpose")
CODED = ("transaction_code", "is_structured")
_BOOKED = _Together(MovementMain, BOOKED)
_ENTERED = _Together(MovementMain, ENTERED)
_RARE = _Together(MovementDetails, RARE, may_be_blank=True)
_CODED = _Together(InformationMain, CODED)
_USUAL_CODES: set[str] = set()  # those seen before that are of the standard
_BLANK_2 = " " * MOVEMENT_WIDTHS[1]  # the text of a record 22 that is left out before a 23
_CHECKED = ("101", "102")  # structured communications that have check digits


# A frozen value is slow to make: its `__init__` goes round its own lock once for each of its fields. So the values are
# put in an object of the same slots without that lock, which then becomes one of the public class.
class _Draft:
    __slots__ = Movement.__slots__

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None: ...


class _InformationDraft:
    __slots__ = Information.__slots__

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None: ...


def _movements(text: str, start: int, end: int, width: int, first_line: int) -> PlainMovements | None:  # noqa: PLR0912, PLR0915  # calls would double its time
    line_end = "\r\n" if width == LINE_LENGTH + 2 else "\n"
    find_movements = _movement_pattern(line_end).findall
    bookings, entries, usual_codes = _BOOKED, _ENTERED, _USUAL_CODES
    movements: list[Any] = []  # drafts that have become movements
    add = movements.append
    findings: list[Finding] = []
    receipts: list[Decimal] = []
    payments: list[Decimal] = []
    sequence = detail = 0
    sequence_digits, following = NUMBERS[0], NUMBERS[1] + NUMBERS[0]
    place = start
    while place < end:
        # A piece at a time, up to a record 21, so that what the search has found is still in the fastest memory.
        stop = end if end - place <= _PIECE else text.rfind("\n21", place, place + _PIECE) + 1 or end
        for (
            digits,
            raw_reference,
            signed,
            booked,
            text_1,
            entered,
            text_2,
            customer_reference,
            bic,
            rare,
            zone,
            name,
            text_3,
            lines,
        ) in find_movements(text, place, stop):
            if digits == following:
                # The number after 9999 is 0000, or 0001 as below.
                sequence, detail = (sequence + 1) % 10_000, 0
            elif digits == sequence_digits + NUMBERS[detail + 1]:
                detail += 1
            elif sequence == 9999 and digits == NUMBERS[1] + NUMBERS[0]:
                sequence, detail = 1, 0
            else:
                return None
            # By way of text, since arithmetic would depend on the precision that the caller's context has.
            if signed < "1":
                amount = Decimal(signed + "E-3")
                if not detail:
                    receipts.append(amount)
            else:
                amount = Decimal(f"-{signed[1:]}E-3")
                if not detail:
                    payments.append(amount)
                if signed == MINUS_ZERO:
                    return None
            if not detail:
                sequence_digits, following = digits[:4], NUMBERS[(sequence + 1) % 10_000] + NUMBERS[0]

            draft: Any = _Draft()
            draft.sequence = sequence
            draft.detail = detail
            draft.bank_reference = raw_reference.rstrip()
            draft.amount = amount
            draft.value_date, transaction_code, is_structured = bookings[booked]
            draft.transaction_code = transaction_code
            draft.entry_date, draft.paper_number, draft.globalisation = entries[entered]
            draft.has_details = draft.has_counterparty = False
            place_before, place = place, place + width
            communication = text_1
            if bic:
                place += width
                draft.has_details = True
                communication += text_2
            if zone:
                place += width
                draft.has_counterparty = True
                communication += text_3 if bic else _BLANK_2 + text_3
            communication = communication.rstrip()
            draft.customer_reference = customer_reference.rstrip()
            draft.counterparty_bic = bic.rstrip()
            draft.counterparty_zone = zone.rstrip()
            draft.counterparty_name = name.rstrip()
            draft.counterparty_street = draft.counterparty_locality = ""  # version 1 only
            if rare:
                draft.r_type, draft.r_reason, draft.category_purpose, draft.purpose = _RARE[rare]
            else:
                draft.r_type = draft.r_reason = draft.category_purpose = draft.purpose = ""
            if is_structured:
                draft.communication_type, draft.communication = communication[:3], communication[3:]
            else:
                draft.communication_type, draft.communication = None, communication
            # Most codes and check digits are right; the rule is asked about the others only.
            if transaction_code not in usual_codes or (
                is_structured and communication[:3] in _CHECKED and not is_belgian_number(communication[3:15])
            ):
                number = first_line + (place_before - start) // width
                structured = text_1.rstrip() if is_structured else None
                findings.extend(content_findings(number, transaction_code, structured))
                if is_of_the_standard(transaction_code) and len(usual_codes) < SEEN_MAX:
                    usual_codes.add(transaction_code)

            if lines:
                place += len(lines)
                draft.information = _information(lines, line_end, draft, (sequence_digits, detail))
                detail += len(draft.information)
            else:
                draft.information = ()
            draft.__class__ = Movement  # of the same slots
            add(draft)
        # Where anything else stands between the movements, fewer lines were found than there are.
        if place != stop:
            return None
    with localcontext(EXACT):
        debit, credit = -sum(payments, ZERO), sum(receipts, ZERO)
    return PlainMovements(tuple(movements), (end - start) // width, debit, credit, findings)


def _information(text: str, line_end: str, movement: Movement, numbers: tuple[str, int]) -> tuple[Information, ...]:
    """The information that follows a movement; `numbers` are the sequence as it stands and the detail before it."""
    made: list[Any] = []  # drafts that have become information
    sequence_digits, detail = numbers
    sequence, reference = movement.sequence, movement.bank_reference
    count, link = 0, "1"
    for digits, raw_reference, coded, text_1, text_2, text_3, link_after in _information_pattern(line_end).findall(
        text
    ):
        detail += 1
        if link == "0" or digits != sequence_digits + NUMBERS[detail] or raw_reference.rstrip() != reference:
            raise _Broken
        link = link_after
        draft = _InformationDraft()
        draft.sequence = sequence
        draft.detail = detail
        draft.bank_reference = reference
        draft.transaction_code, is_structured = _CODED[coded]
        draft.parts = parts = 3 if text_3 else 2 if text_2 else 1
        count += parts
        communication = f"{text_1}{text_2}{text_3}".rstrip()
        if is_structured:
            draft.communication_type, draft.communication = communication[:3], communication[3:]
        else:
            draft.communication_type, draft.communication = None, communication
        draft.__class__ = Information  # type: ignore[assignment]  # of the same slots
        made.append(draft)
    if link == "1" or count * (LINE_LENGTH + len(line_end)) != len(text):
        raise _Broken
    return tuple(made)


def _pattern(record: type[Record], given: Mapping[str, str]) -> str:
    """Expression for the columns of a record before its flags: a group for each value, unless its expression is given.

    Text is any character, without a look at each of them: the caller has seen that there are no control characters.
    A possessive repeat, `{4}+`, never tries fewer, which spares the memory of where it could.
    """
    parts = []
    for column in record.layout:
        if column.name == "next_code":
            break
        if column.codec is None:
            parts.append(re.escape(column.fixed))
        elif column.name in given:
            parts.append(given[column.name])
        elif isinstance(column.codec, Text):
            parts.append(f"(.{{{column.codec.length}}}+)")
        else:
            parts.append(f"({column.codec.pattern}+)")
    return "".join(parts)


_NUMBERS = {"sequence": "(.{8}+)", "detail": ""}
_SAME_NUMBERS = {"sequence": r"\1", "detail": ""}
_MAIN = _pattern(MovementMain, _NUMBERS | _BOOKED.expressions | _ENTERED.expressions)
_DETAILS = _pattern(MovementDetails, _SAME_NUMBERS | _RARE.expressions)
_COUNTERPARTY = _pattern(MovementCounterparty, _SAME_NUMBERS)
_INFORMATION = _pattern(InformationMain, _NUMBERS | _CODED.expressions)
_INFORMATION_2 = _pattern(InformationPart2, _SAME_NUMBERS)
_INFORMATION_3 = _pattern(InformationPart3, _SAME_NUMBERS)
# The flags: next code, a blank, link code. The link code counts on the last part; on those before, banks differ.
_LAST = "0 "


@cache
def _movement_pattern(line_end: str) -> re.Pattern[str]:
    """Records 21, 22 and 23, of which the later may be left out, and in the last group all lines of information."""
    followed = f"1 [01]{line_end}"
    return re.compile(
        f"{_MAIN}(?:{_LAST}|{followed}(?:{_DETAILS}(?:{_LAST}|{followed}))?(?:{_COUNTERPARTY}{_LAST})?(?<= ))"
        f"(?:0{line_end}|1{line_end}((?:3.{{{LINE_LENGTH - 1 + len(line_end)}}}+)+))",
        re.DOTALL,
    )


@cache
def _information_pattern(line_end: str) -> re.Pattern[str]:
    """Records 31, 32 and 33, of which the later may be left out."""
    followed = f"1 [01]{line_end}"
    return re.compile(
        f"{_INFORMATION}(?:{_LAST}|{followed}{_INFORMATION_2}(?:{_LAST}|{followed}{_INFORMATION_3}{_LAST}))([01])"
        f"{line_end}",
        re.DOTALL,
    )
