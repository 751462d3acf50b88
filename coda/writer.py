"""Writing: statements in, the bytes of a CODA file out.

Flags, counts, totals and the multiple-file code are computed from what is written, never taken over. The finished
records pass the same checks as a file that is read, so what is written here our strict reader takes.
"""

from collections.abc import Iterable, Iterator, Mapping

from coda.blocks import Block, Line
from coda.checks import check_block, totals_of
from coda.errors import BalanceMismatch, InvalidValue
from coda.model import Information, Movement, Statement
from coda.plain_writer import LINE_END, PlainText, lines_of
from coda.record import Record
from coda.records.free_communication import FreeText
from coda.records.header import Header
from coda.records.information import InformationMain, InformationPart2, InformationPart3
from coda.records.movement import MovementCounterparty, MovementDetails, MovementMain
from coda.records.new_balance import NewBalance
from coda.records.old_balance import OldBalance
from coda.records.trailer import Trailer
from coda.text import INFORMATION_WIDTHS, MOVEMENT_WIDTHS, OutputEncoding, cut_columns, fold_in_place

_NEVER_WRITTEN = ("sequence_number", "detail_number")  # taken from banks, with a warning
CODECS: Mapping[OutputEncoding, str] = {"windows-1252": "cp1252", "ascii": "ascii"}


def write(statements: Iterable[Statement], encoding: OutputEncoding = "windows-1252") -> bytes:
    """A physical file with the statements in their order: lines of 128 characters, CRLF after each, no byte-order mark.

    Characters outside the encoding are folded one for one; `compose` with the same encoding folds them more readably.
    Raises `InvalidValue` naming the field when a value does not fit or the strict reader would refuse the file,
    `BalanceMismatch` when a new balance is not the old one with its entries.
    Source: CODA 2.6; where it leaves a choice, what banks write and importers take.
    """
    if encoding not in CODECS:
        raise InvalidValue("encoding", "must be windows-1252 or ascii")
    every = list(statements)
    if not every:
        raise InvalidValue("statements", "there is none to write")
    parts: list[bytes] = []
    for position, statement in enumerate(every, start=1):
        parts.extend(_encoded(text, encoding) for text in _texts(statement, is_last=position == len(every)))
    return b"".join(parts)


def _encoded(text: PlainText, encoding: OutputEncoding) -> bytes:
    # Without the control characters that no line has, Latin-1 is a part of Windows-1252, so that its bytes will do.
    # A soft hyphen can be encoded, but is never written: programs show it or leave it out.
    latin1 = text.latin1
    if latin1 is not None and b"\xad" not in latin1 and (encoding == "windows-1252" or latin1.isascii()):
        return latin1
    lines = text.text.split(LINE_END)
    return LINE_END.join(fold_in_place(line, encoding) for line in lines).encode(CODECS[encoding])


def _texts(statement: Statement, *, is_last: bool) -> Iterator[PlainText]:
    """The lines of a statement. Raises `InvalidValue` where the strict reader would find a fault."""
    block = Block(first_line=1, is_last=is_last)
    made = lines_of(statement.movements)
    if made is not None:
        block.plain = made.plain
    before, after = _records_before(statement), _records_after(statement)
    for record in before:
        _append(block, record)
    if block.plain is None:
        for movement in statement.movements:
            for record in _movement(movement):
                _append(block, record)
    count_before = len(block.lines)
    for record in after:
        _append(block, record)
    totals = totals_of(block)
    trailer = Trailer(
        record_count=totals.record_count,
        debit_total=totals.debit,
        credit_total=totals.credit,
        multiple_file_code=statement.multiple_file_code or ("2" if is_last else "1"),
    )
    _append(block, trailer)
    for finding in check_block(block):
        if finding.code == "balance":
            raise BalanceMismatch(
                "statement.new_balance", f"is not the old balance with its entries, {finding.expected}"
            )
        if finding.severity == "fault" or finding.code in _NEVER_WRITTEN:
            raise InvalidValue(finding.field, f"{finding.code}, at record {finding.line} of the statement")
    lines = [line.text + LINE_END for line in block.lines]
    yield PlainText("".join(lines[:count_before]))
    if made is not None:
        yield made.text
    yield PlainText("".join(lines[count_before:]))


def _append(block: Block, record: Record) -> None:
    number = len(block.lines) + 1
    if block.plain is not None and len(block.lines) >= 2:
        number += block.plain.record_count  # those after records 0 and 1
    try:
        block.lines.append(Line(number, record.line(), record, record.kind))
    except InvalidValue as error:
        raise InvalidValue(error.field, f"{error.reason}, at record {number} of the statement") from None


def _records_before(statement: Statement) -> Iterator[Record]:
    """Records 0 and 1."""
    if statement.version != 2:
        raise InvalidValue("statement.version", "only version 2 is written")
    account, old = statement.account, statement.old_balance
    yield Header(
        creation_date=statement.creation_date,
        bank_id=account.bank_id,
        application=statement.application,
        is_duplicate=statement.is_duplicate,
        file_reference=statement.file_reference,
        addressee=statement.addressee,
        bic=account.bic,
        company_id=account.company_id,
        separate_application=statement.separate_application,
        transaction_reference=statement.transaction_reference,
        related_reference=statement.related_reference,
        version=statement.version,
    )
    yield OldBalance(
        structure=account.structure,
        paper_number=old.paper_number,
        account_zone=account.zone,
        amount=old.amount,
        balance_date=old.date,
        holder=account.holder,
        description=account.description,
        number=statement.number,
    )


def _records_after(statement: Statement) -> Iterator[Record]:
    """Records 8 and 4; the trailer has counts that come from the others."""
    new, free = statement.new_balance, statement.free_communications
    if new is not None:
        yield NewBalance(
            paper_number=new.paper_number,
            account_zone=statement.account.zone,
            amount=new.amount,
            balance_date=new.date,
            link_code=bool(free),
        )
    for position, line in enumerate(free, start=1):
        yield FreeText(sequence=line.sequence, detail=line.detail, text=line.text, link_code=position < len(free))


def _movement(movement: Movement) -> Iterator[Record]:
    kind = movement.communication_type
    parts = _parts("movement", kind, movement.communication, MOVEMENT_WIDTHS)
    numbers = {"sequence": movement.sequence, "detail": movement.detail}
    is_followed, is_linked = movement.has_details or movement.has_counterparty, bool(movement.information)
    _refuse_lost_values(movement, parts)
    yield MovementMain(
        **numbers,
        bank_reference=movement.bank_reference,
        amount=movement.amount,
        value_date=movement.value_date,
        transaction_code=movement.transaction_code,
        is_structured=kind is not None,
        communication=parts[0],
        entry_date=movement.entry_date,
        paper_number=movement.paper_number,
        globalisation=movement.globalisation,
        next_code=is_followed,
        link_code=is_linked and not is_followed,
    )
    if movement.has_details:
        yield MovementDetails(
            **numbers,
            communication=parts[1],
            customer_reference=movement.customer_reference,
            counterparty_bic=movement.counterparty_bic,
            r_type=movement.r_type,
            r_reason=movement.r_reason,
            category_purpose=movement.category_purpose,
            purpose=movement.purpose,
            next_code=movement.has_counterparty,
            link_code=is_linked and not movement.has_counterparty,
        )
    if movement.has_counterparty:
        yield MovementCounterparty(
            **numbers,
            counterparty_zone=movement.counterparty_zone,
            counterparty_name=movement.counterparty_name,
            communication=parts[2],
            next_code=False,
            link_code=is_linked,
        )
    for position, information in enumerate(movement.information, start=1):
        yield from _information(information, is_linked=position < len(movement.information))


def _information(information: Information, *, is_linked: bool) -> Iterator[Record]:
    kind, count = information.communication_type, information.parts
    parts = _parts("information", kind, information.communication, INFORMATION_WIDTHS)
    if not 1 <= count <= 3 or any(parts[count:]):
        raise InvalidValue("information.parts", "the communication needs more records")
    numbers = {"sequence": information.sequence, "detail": information.detail}
    yield InformationMain(
        **numbers,
        bank_reference=information.bank_reference,
        transaction_code=information.transaction_code,
        is_structured=kind is not None,
        communication=parts[0],
        next_code=count > 1,
        link_code=is_linked and count == 1,
    )
    if count > 1:
        yield InformationPart2(
            **numbers, communication=parts[1], next_code=count > 2, link_code=is_linked and count == 2
        )
    if count > 2:
        yield InformationPart3(**numbers, communication=parts[2], next_code=False, link_code=is_linked)


def _parts(subject: str, kind: str | None, communication: str, widths: tuple[int, ...]) -> tuple[str, ...]:
    """The communication in the columns of its records, after the three digits of its type."""
    if kind is not None and (len(kind) != 3 or not kind.isascii() or not kind.isdecimal()):
        raise InvalidValue(f"{subject}.communication_type", "must be three digits, or None for free text")
    try:
        return cut_columns((kind or "") + communication, widths)
    except ValueError as error:
        raise InvalidValue(f"{subject}.communication", str(error)) from None


def _refuse_lost_values(movement: Movement, parts: tuple[str, ...]) -> None:
    """Raise `InvalidValue` for a value whose record the movement says it has not."""
    homes = {
        "has_details": (
            *("customer_reference", "counterparty_bic", "r_type", "r_reason", "category_purpose", "purpose"),
        ),
        "has_counterparty": ("counterparty_zone", "counterparty_name"),
    }
    for flag, names in homes.items():
        if getattr(movement, flag):
            continue
        for name in names:
            if getattr(movement, name):
                raise InvalidValue(f"movement.{name}", f"needs a record that {flag}=False leaves out")
    if (parts[1].strip() and not movement.has_details) or (parts[2].strip() and not movement.has_counterparty):
        raise InvalidValue("movement.communication", "needs a record that the movement leaves out")
    if movement.counterparty_street or movement.counterparty_locality:
        raise InvalidValue("movement.counterparty_street", "stands in version 1 only; use information 001")
