"""Reading: a file in, statements out, one at a time.

The strict reader refuses a file with faults, the tolerant one reads what can be read; there is no third way.
"""

from collections.abc import Iterator, Sequence

from coda.account_zone import split_zone
from coda.blocks import Block, Line, blocks_in
from coda.checks import check_block, check_facts, identify
from coda.errors import FaultyFile, Finding, NotCoda
from coda.fields import ZERO
from coda.model import Account, Balance, FreeCommunication, Information, Movement, Statement
from coda.records.free_communication import FreeText, FreeTextVersion1
from coda.records.header import Header
from coda.records.information import InformationMain, InformationPart2, InformationPart3
from coda.records.movement import (
    MovementCounterparty,
    MovementCounterpartyVersion1,
    MovementDetails,
    MovementDetailsVersion1,
    MovementMain,
)
from coda.records.new_balance import NewBalance
from coda.records.old_balance import OldBalance
from coda.records.trailer import Trailer
from coda.source import Source, opened, text_facts_of, texts_of
from coda.text import INFORMATION_WIDTHS, MOVEMENT_WIDTHS


def read(source: Source, *, tolerant: bool = False) -> Iterator[Statement]:
    """Statements of a CODA file: a path, bytes or a binary stream. One statement is in memory at a time.

    Strict, the default: sound statements are given until the first fault; the whole file is looked through all the
    same, and `FaultyFile` at its end carries every finding. So a caller that stores what it reads does so after the
    last one. Tolerant: every statement is given, with `None` for unreadable dates and zero for unreadable amounts;
    `check` tells what is wrong with them. Either way a file that is no CODA raises `NotCoda`.
    """
    findings: list[Finding] = []
    with opened(source) as (stream, _):
        facts = text_facts_of(stream)
        stranger = identify(facts)
        if stranger is not None:
            raise NotCoda([stranger])
        findings.extend(check_facts(facts))
        is_sound = True
        for block in blocks_in(texts_of(stream, facts)):
            if not tolerant:
                found = check_block(block)
                findings.extend(found)
                is_sound = is_sound and not any(finding.severity == "fault" for finding in found)
            if is_sound:
                yield statement_of(block)
    if not is_sound:
        raise FaultyFile(findings)


def statement_of(block: Block) -> Statement:
    """The values of one logical file; what is missing from it is blank, zero or `None`."""
    header, old, new = block.record(Header), block.record(OldBalance), block.record(NewBalance)
    trailer = block.record(Trailer)
    usual_code = "2" if block.is_last else "1"
    return Statement(
        account=_account(header, old),
        number=old.number if old else 0,
        creation_date=header.creation_date if header else None,
        old_balance=(
            Balance(amount=old.amount, date=old.balance_date, paper_number=old.paper_number)
            if old
            else Balance(amount=ZERO, date=None)
        ),
        movements=(
            block.plain.movements if block.plain else tuple(movement_of(lines) for lines in movement_lines(block.lines))
        ),
        new_balance=(Balance(amount=new.amount, date=new.balance_date, paper_number=new.paper_number) if new else None),
        free_communications=tuple(
            FreeCommunication(sequence=line.record.sequence, detail=line.record.detail, text=line.record.text)
            for line in block.lines
            if isinstance(line.record, FreeText | FreeTextVersion1)
        ),
        addressee=header.addressee if header else "",
        file_reference=header.file_reference if header else "",
        transaction_reference=header.transaction_reference if header else "",
        related_reference=header.related_reference if header else "",
        separate_application=header.separate_application if header else "00000",
        application=header.application if header else "05",
        is_duplicate=header.is_duplicate if header else False,
        version=header.version if header else 2,
        multiple_file_code=(
            trailer.multiple_file_code if trailer and trailer.multiple_file_code != usual_code else None
        ),
    )


def _account(header: Header | None, old: OldBalance | None) -> Account:
    parts = split_zone(old.structure, old.account_zone) if old else {"number": "", "currency": ""}
    return Account(
        **parts,
        structure=old.structure if old else "2",
        holder=old.holder if old else "",
        description=old.description if old else "",
        bic=header.bic if header else "",
        bank_id=header.bank_id if header else "000",
        company_id=header.company_id if header else "00000000000",
    )


def movement_lines(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """The lines of each movement or detail: its record 21 and all records 2 and 3 up to the next."""
    start = None
    for index, line in enumerate(lines):
        if line.kind[0] in "23" and line.kind != "21":
            continue
        if start is not None:
            yield lines[start:index]
        start = index if line.kind == "21" else None
    if start is not None:
        yield lines[start:]


def movement_of(lines: Sequence[Line]) -> Movement:
    """The movement or detail that the lines of `movement_lines` make."""
    main = lines[0].record
    assert isinstance(main, MovementMain), "a movement begins with its record 21"
    values: dict[str, object] = {"has_details": False, "has_counterparty": False}
    parts = [main.communication, "", ""]
    information: list[Information] = []
    for index, line in enumerate(lines):
        match line.record:
            case MovementDetails() as details:
                parts[1] = details.communication
                values |= {
                    "has_details": True,
                    "customer_reference": details.customer_reference,
                    "counterparty_bic": details.counterparty_bic,
                    "r_type": details.r_type,
                    "r_reason": details.r_reason,
                    "category_purpose": details.category_purpose,
                    "purpose": details.purpose,
                }
            case MovementDetailsVersion1() as details:
                parts[1] = details.communication
                values |= {"has_details": True, "customer_reference": details.customer_reference}
            case MovementCounterparty() as counterparty:
                parts[2] = counterparty.communication
                values |= {
                    "has_counterparty": True,
                    "counterparty_zone": counterparty.counterparty_zone,
                    "counterparty_name": counterparty.counterparty_name,
                }
            case MovementCounterpartyVersion1() as counterparty:
                values |= {
                    "has_counterparty": True,
                    "counterparty_zone": counterparty.counterparty_zone,
                    "counterparty_name": counterparty.counterparty_name,
                    "counterparty_street": counterparty.counterparty_street,
                    "counterparty_locality": counterparty.counterparty_locality,
                }
            case InformationMain():
                information.append(_information(lines, index))
    kind, communication = _communication(parts, MOVEMENT_WIDTHS, main.is_structured)
    return Movement(
        sequence=main.sequence,
        detail=main.detail,
        bank_reference=main.bank_reference,
        amount=main.amount,
        value_date=main.value_date,
        entry_date=main.entry_date,
        transaction_code=main.transaction_code,
        communication=communication,
        communication_type=kind,
        paper_number=main.paper_number,
        globalisation=main.globalisation,
        information=tuple(information),
        **values,  # type: ignore[arg-type]  # names and types are those of the records above
    )


def _information(lines: Sequence[Line], start: int) -> Information:
    """The information that begins at `start`: a record 31 and the records 32 and 33 right after it."""
    main = lines[start].record
    assert isinstance(main, InformationMain), "information begins with its record 31"
    parts = [main.communication, "", ""]
    count = 1
    for line in lines[start + 1 :]:
        if isinstance(line.record, InformationPart2):
            parts[1], count = line.record.communication, 2
        elif isinstance(line.record, InformationPart3):
            parts[2], count = line.record.communication, 3
        else:
            break
    kind, communication = _communication(parts, INFORMATION_WIDTHS, main.is_structured)
    return Information(
        sequence=main.sequence,
        detail=main.detail,
        bank_reference=main.bank_reference,
        transaction_code=main.transaction_code,
        communication=communication,
        communication_type=kind,
        parts=count,
    )


def _communication(parts: list[str], widths: tuple[int, ...], is_structured: bool) -> tuple[str | None, str]:
    """Type, or `None` for free text, and the text of the parts at their full width."""
    text = "".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip(" ")
    return (text[:3], text[3:]) if is_structured else (None, text)
