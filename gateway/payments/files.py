"""pain.001 files from sealed payments: arranged in blocks, written once, checked against the schema (PAY-13…15)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.clock import BRUSSELS
from gateway.crypto import KeyRing
from gateway.errors import FieldFault
from gateway.ids import encode, new_id
from gateway.offices.models import Client
from gateway.payments.content import sent_order
from gateway.payments.errors import ExportRefused
from gateway.payments.models import Basket, Export, ExportBlock, ExportFile, ExportPayment, Payment
from gateway.payments.states import ExportState
from sepa import AddressMode, DebtorAccount, Order, Party, arrange, build, split
from sepa import Payment as Line
from sepa.errors import OrderInvalid
from sepa.schema import PAIN001_09, parse, schema_faults
from sepa.text import identifier_from


@dataclass(frozen=True, slots=True)
class MadeFile:
    """One file with every row that belongs to it, none stored yet."""

    export: Export
    file: ExportFile
    blocks: Sequence[ExportBlock]
    payments: Sequence[ExportPayment]


def make_files(
    act: Act,
    keys: KeyRing,
    basket: Basket,
    client: Client,
    payments: Sequence[Payment],
    *,
    accounts: Mapping[UUID, Account],
    address_mode: AddressMode,
) -> list[MadeFile]:
    """One file per debtor account, more when it holds more than 5,000 payments; sets each payment's `used_date`.

    Raises `ExportRefused` when the client's own data would not pass the schema or the Belgian profile.
    """
    by_account: dict[UUID, list[Line]] = {}
    for payment in payments:
        by_account.setdefault(payment.debtor_account_id, []).append(sent_order(payment))
    rows = {payment.end_to_end_id: payment for payment in payments}
    initiator = Party(client.name, client.enterprise_number)
    return [
        _make(act, keys, basket, debtor_account(accounts[account_id], initiator, address_mode), part, rows)
        for account_id, lines in by_account.items()
        for part in split(lines)
    ]


def debtor_account(account: Account, holder: Party, address_mode: AddressMode) -> DebtorAccount:
    """The account that pays, as the file names it."""
    return DebtorAccount(holder=holder, iban=account.iban, bic=account.bic or None, address_mode=address_mode)


def file_mac(keys: KeyRing, export_id: UUID, sha256: str) -> bytes:
    """What binds bytes to an export, with a key outside the database."""
    return keys.keyed_hash("export-file", f"{export_id}:{sha256}")


def _make(  # noqa: PLR0917 — what a file is made of
    act: Act,
    keys: KeyRing,
    basket: Basket,
    account: DebtorAccount,
    lines: Sequence[Line],
    rows: Mapping[str, Payment],
) -> MadeFile:
    export_id = new_id()
    message_id = identifier_from(encode("export", export_id))
    groups = arrange(
        lines,
        {account.iban: account},
        today=act.today,
        payment_information_prefix=message_id,
    )
    order = Order(
        message_id=message_id,
        created_at=act.now.astimezone(BRUSSELS),
        initiating_party=account.holder,
        groups=groups,
    )
    content = _written(order)
    sha256 = hashlib.sha256(content).hexdigest()
    blocks, members = [], []
    for group in groups:
        block = ExportBlock(
            id=new_id(),
            office_id=act.office_id,
            client_id=basket.client_id,
            export_id=export_id,
            payment_information_id=group.payment_information_id,
            execution_date=group.execution_date,
            is_batch_booking=group.is_batch_booking,
            payment_count=len(group.payments),
            total=group.total,
        )
        blocks.append(block)
        for line in group.payments:
            payment = rows[line.end_to_end_id]
            payment.used_date = group.execution_date
            members.append(_member(export_id, block, payment))
    export = Export(
        id=export_id,
        office_id=act.office_id,
        client_id=basket.client_id,
        basket_id=basket.id,
        debtor_account_id=rows[lines[0].end_to_end_id].debtor_account_id,
        message_id=message_id,
        state=ExportState.CREATED,
        pain_version=PAIN001_09,
        file_name=f"{_initiator_name(account.holder, basket)}_{message_id}.xml",
        sha256=sha256,
        size=len(content),
        payment_count=order.count,
        total=order.total,
        created_by=act.principal.id,
        created_at=act.now,
    )
    stored = ExportFile(
        id=new_id(),
        office_id=act.office_id,
        export_id=export_id,
        content=content,
        sha256=sha256,
        mac=file_mac(keys, export_id, sha256),
    )
    assert order.count == len(lines), "every payment stands in the file"
    assert order.total == sum((line.amount for line in lines), Decimal(0)), "the file is worth its payments"
    return MadeFile(export, stored, blocks, members)


def _member(export_id: UUID, block: ExportBlock, payment: Payment) -> ExportPayment:
    assert payment.seal is not None, "only sealed payments leave"
    return ExportPayment(
        id=new_id(),
        office_id=payment.office_id,
        export_id=export_id,
        block_id=block.id,
        payment_id=payment.id,
        seal=payment.seal,
    )


def _written(order: Order) -> bytes:
    try:
        content = build(order)
    except OrderInvalid as error:
        faults = _faults((finding.field, finding.code, finding.text) for finding in error.findings)
        raise ExportRefused(count=len(error.findings), faults=faults) from None
    assert not schema_faults(parse(content), PAIN001_09), "what we write follows the schema"
    return content


def _faults(findings: Iterable[tuple[str, str, str]]) -> list[FieldFault]:
    return [FieldFault(field, code, text) for field, code, text in findings]


def _initiator_name(initiator: Party, basket: Basket) -> str:
    """The enterprise number; without one our id of the client. A person's name does not belong in a file name."""
    return initiator.enterprise_number or identifier_from(encode("client", basket.client_id))
