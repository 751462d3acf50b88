"""Setting and reading the pairs of any object that takes them (API-06)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session, select

from gateway.accounts.errors import AccountNotFound
from gateway.accounts.models import Account
from gateway.act import Act
from gateway.approvals.guard import require_client_of
from gateway.assembly import Gateway
from gateway.consents.errors import ConsentNotFound
from gateway.consents.models import Consent
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.metadata.reading import pairs_of
from gateway.metadata.writing import Holder, set_pairs
from gateway.offices.errors import ClientNotFound
from gateway.offices.models import Client
from gateway.payments.errors import BasketNotFound, PaymentNotFound
from gateway.payments.models import Basket, Payment


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object that takes pairs; its name is that of its table, of its ids and of its events."""

    table: Any
    missing: type[NotFound]

    @property
    def name(self) -> str:
        """`client`, `account` …"""
        return str(self.table.__tablename__)


CLIENT: Final = Kind(Client, ClientNotFound)
ACCOUNT: Final = Kind(Account, AccountNotFound)
CONSENT: Final = Kind(Consent, ConsentNotFound)
BASKET: Final = Kind(Basket, BasketNotFound)
PAYMENT: Final = Kind(Payment, PaymentNotFound)


class MetadataService:
    """Pairs of one office's objects; whoever may read or change the object may do so with its pairs."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def get(self, act: Act, kind: Kind, object_id: UUID, permission: Permission) -> dict[str, str]:
        """The pairs, by key; raises the kind's own "not found"."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            self._client(session, act, kind, object_id, permission, is_change=False)
            return pairs_of(session, act.office_id, kind.name, [object_id])[object_id]

    def put(
        self, act: Act, kind: Kind, object_id: UUID, permission: Permission, wanted: Mapping[str, str]
    ) -> dict[str, str]:
        """Exactly these pairs; repeated, it changes nothing. No seal and no version of the object depends on them."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            client = self._client(session, act, kind, object_id, permission, is_change=True)
            set_pairs(self.gateway.audit, session, act, Holder(kind.name, object_id, client.id), wanted)
        return dict(sorted(wanted.items()))

    def _client(
        self, session: Session, act: Act, kind: Kind, object_id: UUID, permission: Permission, *, is_change: bool
    ) -> Client:
        """The client of the object, when the caller may do this with it; the object's row is held for a change."""
        query = select(kind.table).where(kind.table.office_id == act.office_id, kind.table.id == object_id)
        found = session.exec(query.with_for_update(key_share=True) if is_change else query).one_or_none()
        if found is None:
            raise kind.missing
        client_id = found.id if kind.table is Client else found.client_id
        return require_client_of(session, act, client_id, permission, missing=kind.missing, is_change=is_change)
