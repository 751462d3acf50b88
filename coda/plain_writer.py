"""The lines of the movements of a statement, made by one template for a movement with all its parts.

As in `coda.plain`, and for the same reason: nearly every movement fits its columns and breaks no rule. `lines_of` makes
the lines of such movements; for anything else it answers `None`, and `coda.writer` goes record by record and says which
field does not fit. The templates are made from the layouts of the records, which are stated there alone.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from coda.fields import Day, FieldFault, Text
from coda.model import Information, Movement
from coda.plain import SEEN_MAX, PlainMovements
from coda.record import LINE_LENGTH, Record
from coda.records.information import InformationMain, InformationPart2, InformationPart3
from coda.records.movement import MovementCounterparty, MovementDetails, MovementMain
from coda.text import INFORMATION_WIDTHS, MOVEMENT_WIDTHS, unusual_in

LINE_END = "\r\n"

_MOVEMENT_LENGTH, _INFORMATION_LENGTH = sum(MOVEMENT_WIDTHS), sum(INFORMATION_WIDTHS)


class _DayTexts(dict[date | None, str]):
    """Six digits for each date seen before."""

    def __init__(self, name: str) -> None:
        codec = MovementMain.by_name[name].codec
        assert isinstance(codec, Day), "dates are held by a codec for dates"
        self._codec = codec

    def __missing__(self, day: date | None) -> str:
        self[day] = text = self._codec.encode(day)
        return text


_VALUE_DAYS = _DayTexts("value_date")
_ENTRY_DAYS = _DayTexts("entry_date")
_PAPER_NUMBERS = {number: f"{number:03d}" for number in range(1000)}
_LEVELS = {level: f"{level}" for level in range(10)}
_CODES: set[str] = set()  # transaction codes seen before that are eight digits


def lines_of(movements: tuple[Movement, ...]) -> tuple[str, PlainMovements] | None:  # noqa: PLR0911, PLR0912  # calls would cost more
    """The lines of the movements with their line ends, count and totals, or `None` when anything is in doubt."""
    parts: list[str] = []
    last_sequence = last_detail = debit = credit = count = 0
    numbers = "0000", "0000"
    try:
        for movement in movements:
            sequence, detail = movement.sequence, movement.detail
            if detail:
                if sequence != last_sequence or detail != last_detail + 1:
                    return None
                numbers = numbers[0], f"{detail:04d}"
                thousandths = _thousandths(movement.amount)
            else:
                if sequence != last_sequence + 1:
                    return None
                numbers = f"{sequence:04d}", "0000"
                thousandths = _thousandths(movement.amount)
                if thousandths < 0:
                    debit -= thousandths
                else:
                    credit += thousandths
            text, lines = _movement(movement, numbers, thousandths)
            parts.append(text)
            count += lines
            last_sequence, last_detail = sequence, detail
            if movement.information:
                position = len(movement.information)
                for information in movement.information:
                    last_detail += 1
                    position -= 1
                    if information.sequence != sequence or information.detail != last_detail:
                        return None
                    if information.bank_reference != movement.bank_reference:
                        return None
                    further = numbers[0], f"{last_detail:04d}"
                    text, lines = _information(information, further, is_linked=position > 0)
                    parts.append(text)
                    count += lines
    except (_InDoubt, FieldFault, ValueError, TypeError, AttributeError, KeyError):
        return None
    text = "".join(parts)
    # A value that is too wide makes its line too long, and a control character is none of the line ends.
    if len(text) != count * (LINE_LENGTH + len(LINE_END)) or unusual_in(text) != LINE_END * count:
        return None
    totals = Decimal(f"{debit}E-3"), Decimal(f"{credit}E-3")
    return text, PlainMovements(movements, count, *totals, findings=[])


class _InDoubt(Exception):
    """Something that only the writer of records can judge."""


def _movement(movement: Movement, numbers: tuple[str, str], thousandths: int) -> tuple[str, int]:
    """The records 21 to 23 of a movement, and their number."""
    code, kind, text = movement.transaction_code, movement.communication_type, movement.communication
    if code not in _CODES:
        _learn(code)
    if kind is not None:
        text = _typed(kind, text)
    # That values are text is seen by joining them; a template would write None as well.
    movement.bank_reference + text
    if len(text) > _MOVEMENT_LENGTH:
        raise _InDoubt
    sequence, detail = numbers
    is_structured = "0" if kind is None else "1"
    signed = ("0" if thousandths >= 0 else "1") + str(abs(thousandths)).zfill(15)
    value_day, entry_day = _VALUE_DAYS[movement.value_date], _ENTRY_DAYS[movement.entry_date]
    paper_number, level = _PAPER_NUMBERS[movement.paper_number], _LEVELS[movement.globalisation]
    link = "1" if movement.information else "0"
    if movement.counterparty_street or movement.counterparty_locality:
        raise _InDoubt
    reference, bic = movement.customer_reference, movement.counterparty_bic
    zone, name = movement.counterparty_zone, movement.counterparty_name
    r_type, r_reason = movement.r_type, movement.r_reason
    category_purpose, purpose = movement.category_purpose, movement.purpose
    details = reference + bic + r_type + r_reason + category_purpose + purpose
    counterparty = zone + name
    # fmt: off
    main = (
        sequence, detail, movement.bank_reference, signed, value_day, code, is_structured, text[:53], entry_day,
        paper_number, level,
    )
    if movement.has_details and movement.has_counterparty:
        return _FULL % (
            *main,
            sequence, detail, text[53:106], reference, bic, r_type, r_reason, category_purpose, purpose,
            sequence, detail, zone, name, text[106:], link,
        ), 3
    if movement.has_details and not counterparty and not text[106:].strip():
        return _WITH_DETAILS % (
            *main,
            sequence, detail, text[53:106], reference, bic, r_type, r_reason, category_purpose, purpose, link,
        ), 2
    # fmt: on
    if movement.has_counterparty and not movement.has_details and not details and not text[53:106].strip():
        return _WITHOUT_DETAILS % (*main, sequence, detail, zone, name, text[106:], link), 2
    if not (movement.has_details or movement.has_counterparty or details or counterparty or text[53:].strip()):
        return _ALONE % (*main, link), 1
    raise _InDoubt


def _information(information: Information, numbers: tuple[str, str], *, is_linked: bool) -> tuple[str, int]:
    """The records 31 to 33 of an information, and their number."""
    code, kind, text = information.transaction_code, information.communication_type, information.communication
    if code not in _CODES:
        _learn(code)
    if kind is not None:
        text = _typed(kind, text)
    count = information.parts
    if len(text) > _INFORMATION_LENGTH:
        raise _InDoubt
    link = "1" if is_linked else "0"
    main = (*numbers, information.bank_reference, code, "0" if kind is None else "1", text[:73])
    if count == 1 and not text[73:].strip():
        return _INFORMATION_1 % (*main, link), 1
    if count == 2 and not text[178:].strip():
        return _INFORMATION_2 % (*main, *numbers, text[73:178], link), 2
    if count == 3:
        return _INFORMATION_3 % (*main, *numbers, text[73:178], *numbers, text[178:], link), 3
    raise _InDoubt


def _thousandths(amount: Decimal) -> int:
    """The amount in thousandths. By way of text, since arithmetic would depend on the precision of the context."""
    text = str(amount)
    if text[-4:-3] == ".":
        return int(text[:-4] + text[-3:])
    whole, _, fraction = text.partition(".")
    if len(fraction) > 3:
        raise _InDoubt
    return int(whole + fraction.ljust(3, "0"))


def _typed(kind: str, text: str) -> str:
    if len(kind) != 3 or not (kind.isascii() and kind.isdecimal()):
        raise _InDoubt
    return kind + text


def _learn(code: str) -> None:
    if len(code) != 8 or not (code.isascii() and code.isdecimal()):
        raise _InDoubt
    if len(_CODES) < SEEN_MAX:
        _CODES.add(code)


def _template(record: type[Record], given: Mapping[str, str]) -> str:
    """Template for a line: a place for each value, unless its text is given. Numbers are filled in at full width."""
    parts = []
    for column in record.layout:
        match column.codec:
            case None:
                parts.append(column.fixed)
            case _ if column.name in given:
                parts.append(given[column.name])
            case Text():
                parts.append(f"%-{column.codec.length}s")
            case _:
                parts.append("%s")
    return "".join(parts) + LINE_END


def _templates(*records: type[Record]) -> str:
    """Template for a movement or information of these parts; as banks do, only the last has a link code."""
    *before, last = records
    followed = [_template(record, {"next_code": "1", "link_code": "0"}) for record in before]
    return "".join(followed) + _template(last, {"next_code": "0"})


_ALONE = _templates(MovementMain)
_WITH_DETAILS = _templates(MovementMain, MovementDetails)
_FULL = _templates(MovementMain, MovementDetails, MovementCounterparty)
_WITHOUT_DETAILS = _templates(MovementMain, MovementCounterparty)
_INFORMATION_1 = _templates(InformationMain)
_INFORMATION_2 = _templates(InformationMain, InformationPart2)
_INFORMATION_3 = _templates(InformationMain, InformationPart2, InformationPart3)
