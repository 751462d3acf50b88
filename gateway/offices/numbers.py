"""Enterprise numbers of clients: not registered yet, confirmed, changed with proof (OFF-02).

A change keeps the client's id and all its history. The document that proves it is kept encrypted, with its hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import ConflictError, InputError, NotFound
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.models import Client, NumberChange
from gateway.offices.repository import ClientRepository
from gateway.offices.service import checked_number, require_client
from gateway.pagination import PageRequest, Sort

DOCUMENT_TABLE: Final = "client_number_change"
DOCUMENT_BYTES_MAX: Final = 5 * 1024 * 1024
KINDS: Final = ((b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
"""First bytes and media type of the documents that are taken."""


class NumberReason(StrEnum):
    """Why a number changes."""

    START_UP = "start_up"
    MERGER = "merger"
    OTHER = "other"


class NumberTaken(ConflictError):
    """Another client of this office has the number with this dossier code."""

    code = "enterprise_number_taken"
    title = "Another client of the office has this number"
    hint = "Give one of the two a dossier code."


class DocumentRefused(InputError):
    """Not a document that can be kept as proof."""

    code = "document_refused"
    title = "This document cannot be kept as proof"
    hint = "Send a PDF, PNG or JPEG of at most 5 MiB in base64."


class NumberChangeNotFound(NotFound):
    """No such change, or another office's."""

    code = "number_change_not_found"
    title = "There is no such change of a number"


class RegistryConfirmed(ConflictError):
    """Nothing is to be confirmed."""

    code = "registry_confirmed"
    title = "The number was confirmed already"
    hint = "Only a client that was admitted without the registry waits for this."


@dataclass(frozen=True, slots=True)
class NumberWish:
    """Another number for a client, and why."""

    enterprise_number: str
    dossier_code: str
    reason: NumberReason
    document: str
    """Base64."""
    skip_registry_check: bool = False


class NumberService:
    """Numbers of the clients of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def confirm(self, act: Act, client_id: UUID) -> Client:
        """The registry knows the number now; the client leaves the list of those that wait.

        Raises `RegistryConfirmed`.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            client = self._held(session, act, client_id, Permission.CLIENTS_WRITE)
            if client.unregistered_since is None:
                raise RegistryConfirmed
            change = Change(client.unregistered_since, None)
            client.unregistered_since = None
            self._note(session, act, client, "client.number_confirmed", {"unregistered_since": change})
        return client

    def change(self, act: Act, client_id: UUID, wish: NumberWish) -> tuple[Client, NumberChange]:
        """Give the client this number, with the proof kept; raises `NumberTaken`, `DocumentRefused`."""
        act.require(Permission.ADMIN)
        number = checked_number(wish.enterprise_number)
        document = document_of(wish.document)
        try:
            with self.gateway.database.unit_of_work(act.office_id) as session:
                client = self._held(session, act, client_id, Permission.CLIENTS_WRITE)
                taken = ClientRepository(session).by_number(act.office_id, number, wish.dossier_code)
                if taken is not None:
                    raise NumberTaken
                change = self._stored(act, client, number, wish, document)
                session.add(change)
                changes = {
                    "enterprise_number": Change(client.enterprise_number, number),
                    "dossier_code": Change(client.dossier_code, wish.dossier_code),
                    "reason": Change(None, wish.reason.value),
                    "document_sha256": Change(None, change.document_sha256),
                }
                client.enterprise_number, client.dossier_code = number, wish.dossier_code
                client.unregistered_since = act.now if wish.skip_registry_check else None
                self._note(session, act, client, "client.number_changed", changes)
                session.flush()
                return client, change
        except IntegrityError as error:
            # Another request gave this number away between the look and the write.
            raise NumberTaken from error

    def page(self, act: Act, client_id: UUID, request: PageRequest) -> tuple[list[NumberChange], str | None]:
        """Changes of a client's number, newest first."""
        order = [Sort(col(NumberChange.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CLIENTS_READ)
            query = select(NumberChange).where(
                NumberChange.office_id == act.office_id, NumberChange.client_id == client_id
            )
            return self.gateway.pager.page(session, query, order, request, name=f"number-changes:{client_id}")

    def document(self, act: Act, client_id: UUID, change_id: UUID) -> tuple[NumberChange, bytes]:
        """The proof of a change, for administrators of the office; raises `NumberChangeNotFound`."""
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CLIENTS_READ)
            change = session.exec(
                select(NumberChange).where(
                    NumberChange.office_id == act.office_id,
                    NumberChange.client_id == client_id,
                    NumberChange.id == change_id,
                )
            ).one_or_none()
        if change is None:
            raise NumberChangeNotFound
        content = self.gateway.keys.decrypt(
            change.document_cipher, office_id=act.office_id, table=DOCUMENT_TABLE, row_id=change.id
        )
        return change, content

    def _held(self, session: Session, act: Act, client_id: UUID, permission: Permission) -> Client:
        client = require_client(session, act, client_id, permission, is_change=True)
        session.refresh(client, with_for_update=True)
        return client

    def _note(self, session: Session, act: Act, client: Client, action: str, changes: dict[str, Change]) -> None:
        client.version += 1
        session.add(client)
        self.gateway.audit.record(session, act, action, "client", client.id, client_id=client.id, changes=changes)

    def _stored(
        self, act: Act, client: Client, number: str, wish: NumberWish, document: tuple[bytes, str]
    ) -> NumberChange:
        content, media_type = document
        change_id = new_id()
        return NumberChange(
            id=change_id,
            office_id=act.office_id,
            client_id=client.id,
            old_number=client.enterprise_number,
            old_dossier_code=client.dossier_code,
            new_number=number,
            new_dossier_code=wish.dossier_code,
            reason=wish.reason.value,
            document_cipher=self.gateway.keys.encrypt(
                content, office_id=act.office_id, table=DOCUMENT_TABLE, row_id=change_id
            ),
            document_sha256=hashlib.sha256(content).hexdigest(),
            document_type=media_type,
            changed_by=act.principal.id,
            changed_at=act.now,
        )


def document_of(text: str) -> tuple[bytes, str]:
    """Content and media type of a document in base64, told by its first bytes; raises `DocumentRefused`."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DocumentRefused from None
    media_type = next((kind for start, kind in KINDS if content.startswith(start)), None)
    if media_type is None or len(content) > DOCUMENT_BYTES_MAX:
        raise DocumentRefused
    return content, media_type
