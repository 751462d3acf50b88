"""The lines of the movements of a statement, each movement made in one step with all its parts.

As in `coda.plain`, and for the same reason: nearly every movement fits its columns and breaks no rule. `lines_of` makes
the lines of such movements; for anything else it answers `None`, and `coda.writer` goes record by record and says which
field does not fit. The functions that make lines are compiled from the layouts of the records, which are stated there
alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import accumulate
from typing import Any

from coda.fields import EXACT, ZERO, FieldFault, Text
from coda.model import Movement
from coda.plain import BOOKED, CODED, ENTERED, NUMBERS, RARE, SEEN_MAX, PlainMovements
from coda.record import LINE_LENGTH, Record
from coda.records.information import InformationMain, InformationPart2, InformationPart3
from coda.records.movement import MovementCounterparty, MovementDetails, MovementMain
from coda.text import INFORMATION_WIDTHS, MOVEMENT_WIDTHS, unusual_bytes, unusual_in

LINE_END = "\r\n"


class PlainText:
    """Whole lines, and the same in Latin-1, or `None` where that lacks a character."""

    __slots__ = ("latin1", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.latin1: bytes | None = text.encode("latin-1")
        except UnicodeEncodeError:
            self.latin1 = None

    def unusual(self) -> str:
        """As `unusual_in`, without encoding the text once more."""
        return unusual_in(self.text) if self.latin1 is None else unusual_bytes(self.latin1).decode("latin-1")


@dataclass(frozen=True, slots=True)
class PlainLines:
    """The lines of movements with their line ends, and what the rules about whole statements need to know of them."""

    text: PlainText
    plain: PlainMovements


def lines_of(movements: tuple[Movement, ...]) -> PlainLines | None:
    """The lines of the movements, or `None` when anything is in doubt."""
    try:
        parts, count, debit, credit = _lines(movements)
        text = PlainText("".join(parts))
    # Whatever is wrong with a value, the writer of records names its field.
    except (_InDoubt, FieldFault, ValueError, TypeError, AttributeError, LookupError):
        return None
    # A value that is too wide makes its line too long, and a control character is none of the line ends.
    if len(text.text) != count * (LINE_LENGTH + len(LINE_END)) or text.unusual() != LINE_END * count:
        return None
    return PlainLines(text, PlainMovements(movements, count, debit, credit, findings=[]))


class _InDoubt(Exception):
    """Something that only the writer of records can judge."""


class _Texts(dict[tuple[Any, ...], tuple[str, ...]]):
    """Texts of fields side by side, by all their values as seen before: the days and codes of a statement are few."""

    def __init__(self, *groups: tuple[type[Record], tuple[str, ...]]) -> None:
        self._groups = [[record.by_name[name].codec for name in names] for record, names in groups]

    def __missing__(self, values: tuple[Any, ...]) -> tuple[str, ...]:
        if len(self) >= SEEN_MAX:
            self.clear()
        each = iter(values)
        self[values] = texts = tuple(
            "".join(codec.encode(next(each)) for codec in codecs if codec is not None) for codecs in self._groups
        )
        return texts


_MOVEMENT_TEXTS = _Texts((MovementMain, BOOKED), (MovementMain, ENTERED), (MovementDetails, RARE))
_INFORMATION_TEXTS = _Texts((InformationMain, CODED))
_NUMBERS = NUMBERS[:10_000]  # without the one that stands for none
_TEXT_OF_22 = slice(MOVEMENT_WIDTHS[0], sum(MOVEMENT_WIDTHS[:2]))  # its part of the communication


def _lines(movements: tuple[Movement, ...]) -> tuple[list[str], int, Decimal, Decimal]:  # noqa: PLR0912  # calls would cost more
    """Texts of whole lines, the number of lines, and the totals, without sign."""
    parts: list[str] = []
    add = parts.append
    receipts: list[Decimal] = []
    payments: list[Decimal] = []
    last_sequence = last_detail = count = 0
    for movement in movements:
        sequence, detail, amount = movement.sequence, movement.detail, movement.amount
        # By way of text, since arithmetic would depend on the precision of the context.
        digits = str(amount)
        if digits[-4:-3] != ".":
            digits = _with_three_decimals(digits)
        signed = digits.replace(".", "").zfill(16)
        if signed[0] != "0":
            if signed[0] != "-" or not amount:  # an amount of too many digits, or a zero with a sign
                raise _InDoubt
            signed = "1" + signed[1:]
        if detail:
            if sequence != last_sequence or detail != last_detail + 1:
                raise _InDoubt
        else:
            if sequence != last_sequence + 1:
                raise _InDoubt
            (receipts if signed < "1" else payments).append(amount)
        last_sequence, last_detail = sequence, detail
        kind, text, information = movement.communication_type, movement.communication, movement.information
        if kind is not None:
            text = _typed(kind, text)
        if movement.has_details and movement.has_counterparty:
            make, height = _full, 3
        else:
            make, height = _maker(movement, text)
        if movement.counterparty_street or movement.counterparty_locality:
            raise _InDoubt
        count += height
        booked, entered, codes = _MOVEMENT_TEXTS[
            movement.value_date,
            movement.transaction_code,
            kind is not None,
            movement.entry_date,
            movement.paper_number,
            movement.globalisation,
            movement.r_type,
            movement.r_reason,
            movement.category_purpose,
            movement.purpose,
        ]
        numbers = _NUMBERS[sequence] + _NUMBERS[detail]
        add(make(movement, text, "1" if information else "0", numbers, signed, booked, entered, codes))
        if information:
            left = len(information)
            for addition in information:
                left -= 1
                last_detail += 1
                if (
                    addition.sequence != sequence
                    or addition.detail != last_detail
                    or addition.bank_reference != movement.bank_reference
                ):
                    raise _InDoubt
                kind, text = addition.communication_type, addition.communication
                if kind is not None:
                    text = _typed(kind, text)
                (coded,) = _INFORMATION_TEXTS[addition.transaction_code, kind is not None]
                count += addition.parts
                make_information = _INFORMATION[addition.parts]
                add(
                    make_information(
                        addition, text, "1" if left else "0", _NUMBERS[sequence] + _NUMBERS[last_detail], coded
                    )
                )
    with localcontext(EXACT):
        return parts, count, -sum(payments, ZERO), sum(receipts, ZERO)


def _with_three_decimals(digits: str) -> str:
    whole, _, fraction = digits.partition(".")
    if len(fraction) > 3 or not whole.removeprefix("-").isdecimal():
        raise _InDoubt
    return f"{whole}.{fraction:0<3}"


def _maker(movement: Movement, text: str) -> tuple[Callable[..., str], int]:
    """The function for a movement that has not all parts, and how many it has."""
    if not movement.has_counterparty and (movement.counterparty_zone or movement.counterparty_name):
        raise _InDoubt
    if movement.has_details:
        return _with_details, 2
    codes = movement.r_type or movement.r_reason or movement.category_purpose or movement.purpose
    if codes or movement.customer_reference or movement.counterparty_bic:
        raise _InDoubt
    if not movement.has_counterparty:
        return _alone, 1
    if text[_TEXT_OF_22].strip():
        raise _InDoubt
    return _without_details, 2


def _typed(kind: str, text: str) -> str:
    if len(kind) != 3 or not (kind.isascii() and kind.isdecimal()):
        raise _InDoubt
    return kind + text


# What the functions are given, by the fields that each stands for.
_GIVEN: Mapping[str, tuple[str, ...]] = {
    "numbers": ("sequence", "detail"),
    "signed": ("amount",),
    "booked": BOOKED,
    "entered": ENTERED,
    "codes": RARE,
    "coded": CODED,
}


def _compiled(arguments: tuple[str, ...], ends: Sequence[int], *parts: tuple[type[Record], int]) -> Callable[..., str]:
    """Function that makes the lines of a movement or information with these records.

    It is compiled from their layouts, as dataclasses compile their `__init__`. `ends` are where the columns for the
    communication end, beside each record stands which of them are its own. The last takes whatever is left: what is too
    wide makes its line too long. As banks do, only the last record has a link code.
    """
    lines = []
    for record, index in parts:
        is_last = (record, index) == parts[-1]
        given = {"next_code": "0" if is_last else "1", "link_code": "{link}" if is_last else "0"}
        given["communication"] = f"{{text[{ends[index - 1] if index else 0}:{'' if is_last else ends[index]}]}}"
        for argument in arguments:
            first, *others = _GIVEN[argument]
            given |= {first: f"{{{argument}}}"} | dict.fromkeys(others, "")
        for column in record.layout:
            if column.codec is None:
                lines.append(column.fixed)
            elif column.name in given:
                lines.append(given[column.name])
            else:
                assert isinstance(column.codec, Text), "values of other kinds are given as text"
                lines.append(f"{{values.{column.name}.ljust({column.codec.length})}}")
        lines.append("\\r\\n")
    source = (
        f"def lines(values, text, link, {', '.join(arguments)}):\n"
        f"    text = text.ljust({ends[parts[-1][1]]})\n"
        f"    return f'{''.join(lines)}'\n"
    )
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102  # made of the names and fixed texts of our own records only
    return namespace["lines"]  # type: ignore[no-any-return]  # the function defined above


_MOVEMENT = ("numbers", "signed", "booked", "entered", "codes"), tuple(accumulate(MOVEMENT_WIDTHS))
_MAIN, _DETAILS, _COUNTERPARTY = (MovementMain, 0), (MovementDetails, 1), (MovementCounterparty, 2)
_full = _compiled(*_MOVEMENT, _MAIN, _DETAILS, _COUNTERPARTY)
_with_details = _compiled(*_MOVEMENT, _MAIN, _DETAILS)
_without_details = _compiled(*_MOVEMENT, _MAIN, _COUNTERPARTY)
_alone = _compiled(*_MOVEMENT, _MAIN)

_PARTS = (InformationMain, 0), (InformationPart2, 1), (InformationPart3, 2)
_INFORMATION = {
    count: _compiled(("numbers", "coded"), tuple(accumulate(INFORMATION_WIDTHS)), *_PARTS[:count])
    for count in (1, 2, 3)
}
