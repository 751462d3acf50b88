"""What a bundle says about clients and a period, read from the database as JSON rows (SEC-10).

Ids are plain UUIDs, as in the audit entries, so that everything can be joined; amounts are texts. Before anything is
handed out every seal, approval and file is proved with the key it was made with.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import Session, col, select

from gateway.accounts.models import Account
from gateway.addresses.models import AddressChange
from gateway.approvals.models import Approval, ApprovalRequest, ApprovalRuleVersion, ApprovalSettings
from gateway.approvals.sealing import is_genuine
from gateway.audit.checkpoints import AuditChainBroken
from gateway.clock import BRUSSELS
from gateway.crypto import KeyRing
from gateway.database import Base
from gateway.identity.models import User
from gateway.ids import encode
from gateway.moves.models import ClientMove, ClientMoveAccount
from gateway.offices.models import Client
from gateway.payments.files import file_mac
from gateway.payments.models import Export, ExportFile, ExportPayment, Payment, PaymentPreparer
from gateway.payments.sealing import is_sealed
from gateway.payments.states import PaymentState
from gateway.signed_decisions.models import DecisionSignature, SigningLimit
from gateway.signed_decisions.statements import statement
from gateway.statements.models import Statement, StatementFile
from gateway.transactions.models import BankTransaction

CHUNK: Final = 5000
INTERNAL: Final = frozenset({"office_id", "bank_account_id"})
BOOKED: Final = "booked"
BOOKED_COLUMNS: Final = (
    "account_id", "amount", "booking_date", "coda_code", "counterparty_iban", "counterparty_name", "currency",
    "end_to_end_id", "id", "iso_code", "remittance_information", "structured_reference", "value_date",
)  # fmt: skip
RETURN_CODES: Final = ("00154", "00254")
"""CODA transaction codes of a transfer of one's own that came back, domestic and international."""


TABLES: Final[Mapping[str, type[Base]]] = {
    "accounts": Account, "address_changes": AddressChange, "approval_requests": ApprovalRequest,
    "approval_settings": ApprovalSettings, "approvals": Approval, "clients": Client,
    "decision_signatures": DecisionSignature, "export_payments": ExportPayment, "exports": Export,
    "move_accounts": ClientMoveAccount, "moves": ClientMove, "payments": Payment,
    "rule_versions": ApprovalRuleVersion, "signing_limits": SigningLimit, "statements": Statement,
}  # fmt: skip
"""Kinds of rows that are those of a table."""
MORE: Final[Mapping[str, set[str]]] = {
    "payments": {"preparers"},
    "decision_signatures": {"seals_left_out", "statement_sha256"},
}
"""What they hold besides its columns."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which clients, from the first moment until just before the last."""

    office_id: UUID
    client_ids: tuple[UUID, ...]
    since: datetime
    until: datetime

    @classmethod
    def of(cls, office_id: UUID, client_ids: Iterable[UUID], first: date, last: date) -> Scope:
        """Whole days in Brussels, both inclusive."""
        midnight = time(0, tzinfo=BRUSSELS)
        return cls(
            office_id,
            tuple(sorted(client_ids)),
            datetime.combine(first, midnight),
            datetime.combine(last + timedelta(days=1), midnight),
        )


@dataclass(frozen=True, slots=True)
class Material:
    """Rows by file name without suffix, and files as they were issued by their path in the bundle."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def read(session: Session, keys: KeyRing, scope: Scope) -> Material:
    """Everything of the scope; raises `AuditChainBroken` for a row or file that is not what was sealed."""
    material = Material()
    rows = material.rows
    rows["clients"] = _documents(_of_clients(session, scope, Client, Client.id))
    rows["accounts"] = _documents(_of_clients(session, scope, Account, Account.client_id))
    rows["rule_versions"] = _documents(
        version
        for version in _of_clients(session, scope, ApprovalRuleVersion, ApprovalRuleVersion.client_id)
        if version.created_at < scope.until
    )
    rows["approval_settings"] = _documents(_of_clients(session, scope, ApprovalSettings, ApprovalSettings.client_id))
    exports = [
        export
        for export in _of_clients(session, scope, Export, Export.client_id)
        if scope.since <= export.created_at < scope.until
    ]
    rows["exports"] = _documents(exports)
    members = _by_ids(session, scope, ExportPayment, ExportPayment.export_id, [export.id for export in exports])
    rows["export_payments"] = _documents(members)
    _payments(session, keys, scope, {member.payment_id for member in members}, rows)
    _export_files(session, keys, scope, exports, material)
    _statements(session, scope, material)
    _booked(session, scope, rows)
    _addresses_and_moves(session, scope, rows)
    return material


def decision_signatures(
    session: Session, scope: Scope, ids: Iterable[UUID], payments: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What people signed with a passkey: evidence that the check proves without us (SEC-04).

    One signature may cover payments of clients that the auditor does not see: their seals are left out, and the hash
    of the whole statement stands in their place.
    """
    seen = {encode("payment", UUID(payment["id"])) for payment in payments}
    found = []
    for row in _by_ids(session, scope, DecisionSignature, DecisionSignature.id, sorted(set(ids))):
        document = _document(row)
        document["statement_sha256"] = statement(row.decision, row.seals).hex()
        document["seals"] = {name: seal for name, seal in sorted(row.seals.items()) if name in seen}
        document["seals_left_out"] = len(row.seals) - len(document["seals"])
        found.append(document)
    return found


def columns() -> dict[str, list[str]]:
    """The columns of every kind of row, for the manifest."""
    made = {name: sorted(set(table.model_fields) - INTERNAL | MORE.get(name, set())) for name, table in TABLES.items()}
    return made | {
        "booked_debits": sorted(BOOKED_COLUMNS),
        "returns": sorted(BOOKED_COLUMNS),
        "people": ["first_name", "id", "last_name"],
    }


def people(session: Session, ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """Who the ids of people stand for."""
    wanted = sorted(set(ids))
    found: list[User] = []
    for start in range(0, len(wanted), CHUNK):
        found.extend(session.exec(select(User).where(col(User.id).in_(wanted[start : start + CHUNK]))))
    return [
        {"id": str(user.id), "first_name": user.first_name, "last_name": user.last_name}
        for user in sorted(found, key=lambda user: user.id)
    ]


def _payments(
    session: Session, keys: KeyRing, scope: Scope, exported: set[UUID], rows: dict[str, list[dict[str, Any]]]
) -> None:
    touched = _within(scope, Payment.created_at, Payment.submitted_at)
    payments = _of_clients(session, scope, Payment, Payment.client_id, touched)
    decided = _within(scope, Approval.decided_at)
    approvals = session.exec(select(Approval).where(Approval.office_id == scope.office_id, decided))
    missing = exported | {approval.payment_id for approval in approvals}
    missing -= {payment.id for payment in payments}
    others = _by_ids(session, scope, Payment, Payment.id, sorted(missing))
    payments = sorted(
        [*payments, *(one for one in others if one.client_id in scope.client_ids)], key=lambda row: row.id
    )
    ids = [payment.id for payment in payments]
    preparers: dict[UUID, list[UUID]] = defaultdict(list)
    for preparer in _by_ids(session, scope, PaymentPreparer, PaymentPreparer.payment_id, ids):
        preparers[preparer.payment_id].append(preparer.actor_id)
    rows["payments"] = []
    for payment in payments:
        if payment.seal is not None and payment.state is not PaymentState.DRAFT:
            _require(is_sealed(keys, payment, preparers[payment.id]), f"payment {payment.id} is not what was sealed")
        document = _document(payment)
        document["preparers"] = sorted(str(actor) for actor in preparers[payment.id])
        rows["payments"].append(document)
    of_payments = _by_ids(session, scope, Approval, Approval.payment_id, ids)
    for approval in of_payments:
        _require(is_genuine(keys, approval), f"approval {approval.id} is not what was decided")
    rows["approvals"] = _documents(of_payments)
    rows["approval_requests"] = _documents(_by_ids(session, scope, ApprovalRequest, ApprovalRequest.payment_id, ids))


def _export_files(session: Session, keys: KeyRing, scope: Scope, exports: Sequence[Export], material: Material) -> None:
    by_id = {export.id: export for export in exports}
    for file in _by_ids(session, scope, ExportFile, ExportFile.export_id, list(by_id)):
        export = by_id[file.export_id]
        sha256 = hashlib.sha256(file.content).hexdigest()
        is_own = hmac.compare_digest(bytes(file.mac), file_mac(keys, export.id, sha256))
        _require(is_own and sha256 == export.sha256, f"the file of export {export.id} is not what was made")
        material.files[f"exports/{export.id}.xml"] = bytes(file.content)


def _statements(session: Session, scope: Scope, material: Material) -> None:
    first, last = scope.since.date(), (scope.until - timedelta(days=1)).date()
    issued = _of_clients(session, scope, Statement, Statement.client_id, col(Statement.day).between(first, last))
    material.rows["statements"] = _documents(issued)
    by_id = {statement.id: statement for statement in issued}
    for file in _by_ids(session, scope, StatementFile, StatementFile.statement_id, list(by_id)):
        statement = by_id[file.statement_id]
        sha256 = hashlib.sha256(file.content).hexdigest()
        _require(sha256 == statement.sha256, f"the file of statement {statement.id} is not what was issued")
        material.files[f"statements/{statement.id}.cod"] = bytes(file.content)


def _booked(session: Session, scope: Scope, rows: dict[str, list[dict[str, Any]]]) -> None:
    """What left the accounts, and what came back: by the end-to-end id of one of the payments, or as the bank says."""
    first, last = scope.since.date(), (scope.until - timedelta(days=1)).date()
    owned = select(Account.id).where(Account.office_id == scope.office_id, col(Account.client_id).in_(scope.client_ids))
    query = (
        select(BankTransaction)
        .where(
            BankTransaction.office_id == scope.office_id,
            col(BankTransaction.account_id).in_(owned),
            col(BankTransaction.booking_date).between(first, last),
            BankTransaction.state == BOOKED,
        )
        .order_by(col(BankTransaction.id))
        .execution_options(yield_per=CHUNK)
    )
    paid = {payment["end_to_end_id"] for payment in rows["payments"]}
    rows["booked_debits"], rows["returns"] = [], []
    for booked in session.exec(query):
        document = {name: plain(getattr(booked, name)) for name in BOOKED_COLUMNS}
        if booked.amount < 0:
            rows["booked_debits"].append(document)
        elif booked.end_to_end_id in paid or booked.coda_code.startswith(RETURN_CODES):
            rows["returns"].append(document)


def _addresses_and_moves(session: Session, scope: Scope, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Who set and who confirmed an address (DEL-13), accounts that came from another office (OFF-17), limits."""
    touched = _within(scope, AddressChange.created_at, AddressChange.decided_at)
    rows["address_changes"] = _documents(_of_clients(session, scope, AddressChange, AddressChange.client_id, touched))
    moved = _within(scope, ClientMove.created_at, ClientMove.done_at)
    moves = _of_clients(session, scope, ClientMove, ClientMove.client_id, moved)
    rows["moves"] = _documents(moves)
    rows["move_accounts"] = _documents(
        _by_ids(session, scope, ClientMoveAccount, ClientMoveAccount.move_id, [move.id for move in moves])
    )
    rows["signing_limits"] = _documents(_of_clients(session, scope, SigningLimit, SigningLimit.client_id))


def _of_clients(session: Session, scope: Scope, table: type[Any], client: Any, *conditions: Any) -> list[Any]:
    query = select(table).where(table.office_id == scope.office_id, col(client).in_(scope.client_ids), *conditions)
    return list(session.exec(query.order_by(table.id)))


def _by_ids(session: Session, scope: Scope, table: type[Any], column: Any, ids: Sequence[UUID]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(ids), CHUNK):
        query = select(table).where(table.office_id == scope.office_id, col(column).in_(ids[start : start + CHUNK]))
        found.extend(session.exec(query))
    return sorted(found, key=lambda row: row.id)


def _within(scope: Scope, *columns: Any) -> Any:
    return or_(*((col(column) >= scope.since) & (col(column) < scope.until) for column in columns))


def _require(is_true: bool, fault: str) -> None:
    if not is_true:
        raise AuditChainBroken(fault=fault)


def _documents(rows: Iterable[Base]) -> list[dict[str, Any]]:
    return [_document(row) for row in rows]


def _document(row: Base) -> dict[str, Any]:
    return {name: plain(value) for name, value in sorted(row.model_dump().items()) if name not in INTERNAL}


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line per type
    """A value of a row as JSON."""
    match value:
        case Decimal():
            return f"{value:f}"
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value
