"""Documents of a bank that state a balance: kept encrypted, with their hash (STA-03)."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, delete, select

from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.numbers import document_of
from gateway.offices.service import require_client
from gateway.statements.errors import BankDocumentNotFound
from gateway.statements.models import BankDocument

TABLE: Final = "bank_document"
"""Name to which the encrypted bytes are bound."""


def keep_document(gateway: Gateway, session: Session, act: Act, account: Account, text: str) -> BankDocument:
    """Store a document given in base64; raises `DocumentRefused`."""
    content, media_type = document_of(text)
    document_id = new_id()
    document = BankDocument(
        id=document_id,
        office_id=account.office_id,
        account_id=account.id,
        document_cipher=gateway.keys.encrypt(content, office_id=account.office_id, table=TABLE, row_id=document_id),
        document_sha256=hashlib.sha256(content).hexdigest(),
        document_type=media_type,
        uploaded_by=act.principal.id,
        uploaded_at=act.now,
    )
    session.add(document)
    return document


def document_by_id(session: Session, office_id: UUID, document_id: UUID) -> BankDocument | None:
    """One document, whoever asks."""
    return session.exec(
        select(BankDocument).where(BankDocument.office_id == office_id, BankDocument.id == document_id)
    ).one_or_none()


def drop_document(gateway: Gateway, act: Act, document_id: UUID) -> None:
    """Take back what was stored for a proposal that was refused."""
    with gateway.database.unit_of_work(act.office_id) as session:
        session.exec(
            delete(BankDocument).where(
                col(BankDocument.office_id) == act.office_id, col(BankDocument.id) == document_id
            )
        )


def read_document(gateway: Gateway, act: Act, document_id: UUID) -> tuple[BankDocument, bytes]:
    """The bytes as they were sent, for who may read the account's statements; raises `BankDocumentNotFound`."""
    with gateway.database.unit_of_work(act.office_id) as session:
        document = document_by_id(session, act.office_id, document_id)
        if document is None:
            raise BankDocumentNotFound
        account = AccountRepository(session).get(act.office_id, document.account_id)
        assert account is not None, "a document belongs to an account"
        try:
            require_client(session, act, account.client_id, Permission.STATEMENTS_READ)
        except NotFound:
            raise BankDocumentNotFound from None
        cipher = document.document_cipher
        return document, gateway.keys.decrypt(cipher, office_id=act.office_id, table=TABLE, row_id=document.id)
