"""The movements of a sound statement, read by one regular expression for a movement with all its parts.

Almost every line of almost every file is sound. `movements_of` takes such lines, in which no rule for movements is
broken, at a fifth of what reading and checking record by record takes; for anything else it answers `None`, and
`coda.blocks` and `coda.checks` say what is the matter. Both ways give the same statement and the same findings.

The expressions are made from the layouts of the records, which are stated there alone.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from coda.account_zone import is_belgian_number
from coda.errors import Finding
from coda.fields import MINUS_ZERO, Day, FieldFault, Text
from coda.model import Information, Movement
from coda.record import Column, Record
from coda.records.information import InformationMain, InformationPart2, InformationPart3
from coda.records.movement import MovementCounterparty, MovementDetails, MovementMain
from coda.rules import content_findings, is_of_the_standard


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
        return _movements(text, start, end, width, first_line - start // width)
    except FieldFault:  # a day that does not exist
        return None


class _Days(dict[str, date | None]):
    """The dates of six digits seen before; of the hundred years that can be written there are 36,525."""

    def __init__(self, codec: Day) -> None:
        self._decode: Callable[[str], date | None] = codec.decode

    def __missing__(self, raw: str) -> date | None:
        self[raw] = day = self._decode(raw)
        return day


CODES_MAX = 4096
_LEVELS = {str(level): level for level in range(10)}
_USUAL_CODES: set[str] = set()  # those seen before that are of the standard


def _codec(record: type[Record], name: str) -> Any:
    return record.by_name[name].codec


_VALUE_DAYS = _Days(_codec(MovementMain, "value_date"))
_ENTRY_DAYS = _Days(_codec(MovementMain, "entry_date"))


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


def _movements(text: str, start: int, end: int, width: int, line_before: int) -> PlainMovements | None:  # noqa: PLR0911, PLR0912, PLR0915  # calls would double its time
    movements: list[Any] = []  # drafts that have become movements
    findings: list[Finding] = []
    add = movements.append
    match_movement, match_information = _MOVEMENT.match, _INFORMATION.match
    value_days, entry_days, usual_codes, levels = _VALUE_DAYS, _ENTRY_DAYS, _USUAL_CODES, _LEVELS
    last_sequence = last_detail = debit = credit = paper = 0
    last_paper_number = "000"
    place = start
    while place < end:
        match, has_details = match_movement(text, place), True
        if match is not None:
            groups = match.groups()
        else:
            match, has_details = _WITHOUT_DETAILS.match(text, place), False
            if match is None:
                return None
            main, counterparty = match.groups()[:-4], match.groups()[-4:]
            groups = (*main, *_NO_DETAILS, *counterparty)
        (
            sequence_digits,
            detail_digits,
            bank_reference,
            signed,
            value_day,
            transaction_code,
            is_structured,
            communication_1,
            entry_day,
            paper_number,
            globalisation,
            link,
            communication_2,
            customer_reference,
            bic,
            r_type,
            r_reason,
            category_purpose,
            purpose,
            link_2,
            zone,
            name,
            communication_3,
            link_3,
        ) = groups
        begin, place = place, match.end()

        sequence = int(sequence_digits)
        if detail_digits == "0000":
            # The number after 9999 is 0000 or 0001.
            if sequence != last_sequence + 1 and not (last_sequence == 9999 and sequence <= 1):
                return None
            last_sequence, detail = sequence, 0
        else:
            detail = int(detail_digits)
            if sequence != last_sequence or detail != last_detail + 1:
                return None
        last_detail = detail
        # By way of text, since arithmetic would depend on the precision that the caller's context has.
        if signed[0] == "0":
            amount = Decimal(signed + "E-3")
            if not detail:
                credit += int(signed)
        else:
            amount = Decimal(f"-{signed[1:]}E-3")
            if not detail:
                debit += int(signed[1:])
            if signed == MINUS_ZERO:
                return None
        if paper_number != last_paper_number:
            last_paper_number, paper = paper_number, int(paper_number)
        reference = bank_reference.rstrip()

        draft = _Draft()
        draft.sequence = sequence
        draft.detail = detail
        draft.bank_reference = reference
        draft.amount = amount
        draft.value_date = value_days[value_day]
        draft.entry_date = entry_days[entry_day]
        draft.transaction_code = transaction_code
        draft.paper_number = paper
        draft.globalisation = levels[globalisation]
        if link_3 is not None:
            link = link_3
            communication = (communication_1 + communication_2 + communication_3).rstrip()
            draft.customer_reference = customer_reference.rstrip()
            draft.counterparty_bic = bic.rstrip()
            draft.counterparty_zone = zone.rstrip()
            draft.counterparty_name = name.rstrip()
            draft.has_details, draft.has_counterparty = has_details, True
        elif link_2 is not None:
            link = link_2
            communication = (communication_1 + communication_2).rstrip()
            draft.customer_reference = customer_reference.rstrip()
            draft.counterparty_bic = bic.rstrip()
            draft.counterparty_zone = draft.counterparty_name = ""
            draft.has_details, draft.has_counterparty = True, False
        else:
            communication = communication_1.rstrip()
            draft.customer_reference = draft.counterparty_bic = draft.counterparty_zone = draft.counterparty_name = ""
            draft.has_details = draft.has_counterparty = False
        draft.counterparty_street = draft.counterparty_locality = ""  # version 1 only
        if r_type is None:
            draft.r_type = draft.r_reason = draft.category_purpose = draft.purpose = ""
        else:
            draft.r_type = r_type.rstrip()
            draft.r_reason = r_reason.rstrip()
            draft.category_purpose = category_purpose.rstrip()
            draft.purpose = purpose.rstrip()
        if is_structured == "0":
            draft.communication_type, draft.communication = None, communication
        else:
            draft.communication_type, draft.communication = communication[:3], communication[3:]
        # Most codes and check digits are right; the rule is asked about the others only.
        if transaction_code not in usual_codes or (
            is_structured == "1"
            and communication.startswith(("101", "102"))
            and not is_belgian_number(communication_1[3:15])
        ):
            structured = communication_1.rstrip() if is_structured == "1" else None
            findings.extend(content_findings(line_before + begin // width, transaction_code, structured))
            if is_of_the_standard(transaction_code) and len(usual_codes) < CODES_MAX:
                usual_codes.add(transaction_code)

        if link == "0":
            draft.information = ()
        else:
            information: list[Any] = []
            while link == "1":
                match = match_information(text, place)
                if match is None:
                    return None
                (
                    information_sequence,
                    detail_digits,
                    information_reference,
                    transaction_code,
                    is_structured,
                    communication,
                    link,
                    communication_2,
                    link_2,
                    communication_3,
                    link_3,
                ) = match.groups()
                place = match.end()
                last_detail += 1
                if information_sequence != sequence_digits or int(detail_digits) != last_detail:
                    return None
                if information_reference != bank_reference:
                    return None
                addition = _InformationDraft()
                addition.sequence = sequence
                addition.detail = last_detail
                addition.bank_reference = reference
                addition.transaction_code = transaction_code
                addition.parts = 1
                if link_3 is not None:
                    addition.parts, link, communication = 3, link_3, communication + communication_2 + communication_3
                elif link_2 is not None:
                    addition.parts, link, communication = 2, link_2, communication + communication_2
                communication = communication.rstrip()
                if is_structured == "0":
                    addition.communication_type, addition.communication = None, communication
                else:
                    addition.communication_type, addition.communication = communication[:3], communication[3:]
                addition.__class__ = Information  # type: ignore[assignment]  # of the same slots
                information.append(addition)
            draft.information = tuple(information)

        draft.__class__ = Movement  # type: ignore[assignment]  # of the same slots
        add(draft)
    return PlainMovements(
        movements=tuple(movements),
        record_count=(end - start) // width,
        debit=Decimal(f"{debit}E-3"),
        credit=Decimal(f"{credit}E-3"),
        findings=findings,
    )


def _pattern(columns: tuple[Column, ...], given: Mapping[str, str]) -> str:
    """Expression for some columns of a record: a group for each value, unless the expression for it is given.

    Text is any character, without a look at each of them: the caller has seen that there are no control characters.
    """
    parts = []
    for column in columns:
        if column.codec is None:
            parts.append(re.escape(column.fixed))
        elif column.name in given:
            parts.append(given[column.name])
        elif isinstance(column.codec, Text):
            parts.append(f"(.{{{column.codec.length}}})")
        else:
            parts.append(f"({column.codec.pattern})")
    return "".join(parts)


def _line(record: type[Record], then: str = "", *, is_first: bool = False, rare: tuple[str, ...] = ()) -> str:
    """Expression for a line, or, with `then`, for a line and either nothing more or what continues it.

    Parts after the first repeat its numbers. The link code counts on the last part; on those before, banks differ.
    `rare` are texts side by side that are mostly blank: together they are either blanks or a group for each.
    """
    numbers = {} if is_first else {"sequence": r"\1", "detail": r"\2"}
    flags = [column.name for column in record.layout].index("next_code")
    values = _pattern(record.layout[:flags], numbers)
    if rare:
        columns = tuple(column for column in record.layout if column.name in rare)
        texts = _pattern(columns, {})
        assert texts in values, "rare texts stand side by side"
        width = columns[-1].end - columns[0].start + 1
        values = values.replace(texts, f"(?: {{{width}}}|{texts})")
    last = _pattern(record.layout[flags:], {"next_code": "0"}) + _LINE_END
    if not then:
        return values + last
    followed = _pattern(record.layout[flags:], {"next_code": "1", "link_code": "[01]"}) + _LINE_END
    return f"{values}(?:{last}|{followed}{then})"


_LINE_END = "\r?\n"
_RARE = ("r_type", "r_reason", "category_purpose", "purpose")
_MOVEMENT = re.compile(
    _line(MovementMain, _line(MovementDetails, _line(MovementCounterparty), rare=_RARE), is_first=True), re.DOTALL
)
# The standard allows 23 right after 21; banks write a 22, so this one is tried last.
_WITHOUT_DETAILS = re.compile(_line(MovementMain, _line(MovementCounterparty), is_first=True), re.DOTALL)
_NO_DETAILS = (" " * 53, "", "", None, None, None, None, None)  # groups of a record 22
_INFORMATION = re.compile(
    _line(InformationMain, _line(InformationPart2, _line(InformationPart3)), is_first=True), re.DOTALL
)
