"""The movements of a sound statement, read by one regular expression for a movement with all its parts.

Almost every line of almost every file is sound. `movements_of` takes such lines, in which no rule for movements is
broken, at a fifth of what reading and checking record by record takes; for anything else it answers `None`, and
`coda.blocks` and `coda.checks` say what is the matter. Both ways give the same statement and the same findings.

The expressions are made from the layouts of the records, which are stated there alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from coda.errors import Finding
from coda.fields import Day, FieldFault, Text
from coda.model import Information, Movement
from coda.record import Column, Record
from coda.records.information import InformationMain, InformationPart2, InformationPart3
from coda.records.movement import MovementCounterparty, MovementDetails, MovementMain
from coda.rules import content_findings, is_of_the_standard

_MINUS_ZERO = "1" + "0" * 15


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


def _codec(record: type[Record], name: str) -> Any:
    return record.by_name[name].codec


_VALUE_DAYS = _Days(_codec(MovementMain, "value_date"))
_ENTRY_DAYS = _Days(_codec(MovementMain, "entry_date"))


def _movements(text: str, start: int, end: int, width: int, line_before: int) -> PlainMovements | None:  # noqa: PLR0915  # one loop over hundreds of thousands of lines
    movements: list[Movement] = []
    findings: list[Finding] = []
    add, new, assign = movements.append, object.__new__, object.__setattr__
    match_movement, match_information = _MOVEMENT.match, _INFORMATION.match
    value_days, entry_days = _VALUE_DAYS, _ENTRY_DAYS
    last_sequence = last_detail = debit = credit = 0
    place = start
    while place < end:
        match = match_movement(text, place)
        if match is None:
            return None
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
        ) = match.groups()
        begin, place = place, match.end()

        sequence, detail = int(sequence_digits), int(detail_digits)
        if detail:
            if sequence != last_sequence or detail != last_detail + 1:
                return None
        else:
            # The number after 9999 is 0000 or 0001.
            if sequence != last_sequence + 1 and not (last_sequence == 9999 and sequence <= 1):
                return None
            last_sequence = sequence
            if signed[0] == "0":
                credit += int(signed)
            else:
                debit += int(signed[1:])
        last_detail = detail
        if signed == _MINUS_ZERO:
            return None

        values = {
            "sequence": sequence,
            "detail": detail,
            "bank_reference": bank_reference.rstrip(" "),
            # By way of text, since arithmetic would depend on the precision that the caller's context has.
            "amount": Decimal(signed + "E-3") if signed[0] == "0" else Decimal(f"-{signed[1:]}E-3"),
            "value_date": value_days[value_day],
            "entry_date": entry_days[entry_day],
            "transaction_code": transaction_code,
            "paper_number": int(paper_number),
            "globalisation": int(globalisation),
        }
        # A value that stays at its default is left to the class.
        communication = communication_1
        if link_3 is not None:
            link = link_3
            communication += communication_2 + communication_3
            values["counterparty_zone"] = zone.rstrip(" ")
            values["counterparty_name"] = name.rstrip(" ")
        else:
            values["has_counterparty"] = False
            if link_2 is not None:
                link = link_2
                communication += communication_2
        if customer_reference is None:
            values["has_details"] = False
        else:
            values["customer_reference"] = customer_reference.rstrip(" ")
            values["counterparty_bic"] = bic.rstrip(" ")
            if r_type is not None:
                values["r_type"] = r_type.rstrip(" ")
                values["r_reason"] = r_reason.rstrip(" ")
                values["category_purpose"] = category_purpose.rstrip(" ")
                values["purpose"] = purpose.rstrip(" ")
        communication = communication.rstrip(" ")
        if is_structured == "1":
            values["communication_type"] = communication[:3]
            values["communication"] = communication[3:]
        else:
            values["communication"] = communication

        if link == "1":
            information: list[Information] = []
            while link == "1":
                match = match_information(text, place)
                if match is None:
                    return None
                (
                    sequence_digits,
                    detail_digits,
                    reference,
                    code,
                    is_typed,
                    text_1,
                    link,
                    text_2,
                    link_2,
                    text_3,
                    link_3,
                ) = match.groups()
                place = match.end()
                last_detail += 1
                if int(sequence_digits) != sequence or int(detail_digits) != last_detail or reference != bank_reference:
                    return None
                parts = 1
                if link_2 is not None:
                    parts, link, text_1 = 2, link_2, text_1 + text_2
                elif link_3 is not None:
                    parts, link, text_1 = 3, link_3, text_1 + text_2 + text_3
                text_1 = text_1.rstrip(" ")
                addition = new(Information)
                assign(
                    addition,
                    "__dict__",
                    {
                        "sequence": sequence,
                        "detail": last_detail,
                        "bank_reference": values["bank_reference"],
                        "transaction_code": code,
                        "communication": text_1[3:] if is_typed == "1" else text_1,
                        "communication_type": text_1[:3] if is_typed == "1" else None,
                        "parts": parts,
                    },
                )
                information.append(addition)
            values["information"] = tuple(information)

        if is_structured == "1" or not is_of_the_standard(transaction_code):
            structured = communication_1.rstrip(" ") if is_structured == "1" else None
            findings.extend(content_findings(line_before + begin // width, transaction_code, structured))
        movement = new(Movement)
        assign(movement, "__dict__", values)  # Frozen, so not by attribute.
        add(movement)
    totals = (Decimal(f"{thousandths}E-3") for thousandths in (debit, credit))
    return PlainMovements(tuple(movements), (end - start) // width, *totals, findings)


def _pattern(columns: tuple[Column, ...], **given: str) -> str:
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


def _line(record: type[Record], then: str = "", *, rare: tuple[str, ...] = (), **given: str) -> str:
    """Expression for a line, or, with `then`, for a line and either nothing more or what continues it.

    `rare` are texts side by side that are mostly blank: together they are either blanks or a group for each.
    """
    names = [column.name for column in record.layout]
    flags = names.index("next_code")
    values = _pattern(record.layout[:flags], **given)
    if rare:
        texts = _pattern(tuple(column for column in record.layout if column.name in rare))
        assert texts in values, "rare texts stand side by side"
        width = sum(record.by_name[name].codec.length for name in rare)
        values = values.replace(texts, f"(?: {{{width}}}|{texts})")
    last = _pattern(record.layout[flags:], next_code="0") + _LINE_END
    if not then:
        return values + last
    followed = _pattern(record.layout[flags:], next_code="1", link_code="[01]") + _LINE_END
    return f"{values}(?:{last}|{followed}{then})"


_LINE_END = "\r?\n"
# Parts after the first repeat its numbers. The link code counts on the last part; on those before, banks differ.
_SAME = {"sequence": r"\1", "detail": r"\2"}
_MOVEMENT = re.compile(
    _line(
        MovementMain,
        _line(
            MovementDetails,
            _line(MovementCounterparty, **_SAME),
            rare=("r_type", "r_reason", "category_purpose", "purpose"),
            **_SAME,
        ),
    ),
    re.DOTALL,
)
_INFORMATION = re.compile(
    _line(InformationMain, _line(InformationPart2, _line(InformationPart3, **_SAME), **_SAME)), re.DOTALL
)
