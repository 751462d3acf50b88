"""Signed heads of the audit chain: one a day for every office that did something, one per thousand entries (SEC-09).

A head is signed only after every entry since the one before was proved by its HMAC. It leaves as an event, by mail
(`gateway.audit.leaving`) and with every backup (`sluis audit heads`); whoever keeps it can later show that nothing
before it was changed, removed or added.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.chain import Head, fingerprint
from gateway.audit.log import ChainWalk
from gateway.audit.models import AuditCheckpoint, AuditEntry
from gateway.clock import brussels_date
from gateway.errors import ConflictError
from gateway.ids import new_id
from gateway.offices.models import OfficeHead
from gateway.offices.repository import OfficeRepository

ENTRIES_MAX: Final = 1000
"""After as many entries a head is signed, whatever the hour."""

log = logging.getLogger("gateway.audit")


class AuditChainBroken(ConflictError):
    """The chain does not hold; nothing is signed or handed out until somebody has looked."""

    code = "audit_chain_broken"
    title = "The audit chain does not hold"
    detail = "The first fault: {fault}."
    hint = "Tell the operator at once: the database was changed past the application. Keep the last backup."


Left = Callable[[Session, Act, AuditCheckpoint], None]
"""Told of a head in the transaction that signs it."""


class CheckpointService:
    """Signs heads; several workers may try at once."""

    def __init__(self, gateway: Gateway, left: Left | None = None) -> None:
        self.gateway = gateway
        self._left = left

    def run(self) -> None:
        """Every office whose head is due."""
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        for office_id in offices:
            try:
                if self.is_due(office_id, self.gateway.real_now()):
                    self.make(office_id)
            except AuditChainBroken as error:
                log.error("audit chain broken", extra={"office_id": str(office_id), "fault": error.parameters["fault"]})  # noqa: TRY400 - the fault is the message, its trace says nothing more
            except Exception:
                # What is wrong in one office must not keep the heads of the others unsigned.
                log.exception("head not signed", extra={"office_id": str(office_id)})

    def is_due(self, office_id: UUID, now: datetime) -> bool:
        """Whether there are entries since the last head, and a new day or many of them."""
        with self.gateway.database.unit_of_work(office_id) as session:
            position = _position(session, office_id)
            last = latest(session, office_id)
        since = position - (last.position if last else 0)
        is_new_day = last is None or brussels_date(last.made_at) < brussels_date(now)
        return since >= ENTRIES_MAX or (since > 0 and is_new_day)

    def make(self, office_id: UUID) -> AuditCheckpoint | None:
        """Prove the entries since the last head and sign; None for an empty chain. Raises `AuditChainBroken`."""
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            position, last = _position(session, office_id), latest(session, office_id)
            if last is not None and last.position == position:
                return last
            if position == 0:
                return None
            walk = self._proved(session, office_id, last, position)
            made = self._signed(office_id, walk)
            values = made.model_dump()
            query = (
                insert(AuditCheckpoint)
                .values(**values)
                .on_conflict_do_nothing(index_elements=["office_id", "position"])
            )
            if session.connection().execute(query).rowcount and self._left is not None:
                self._left(session, act, made)
            return at(session, office_id, position)

    def _proved(self, session: Session, office_id: UUID, last: AuditCheckpoint | None, position: int) -> ChainWalk:
        mac = b""
        if last is not None:
            signed = _entry(session, office_id, last.position)
            if signed is None or not self.gateway.audit.is_own(last):
                raise AuditChainBroken(fault=f"entry {last.position} is not the one that was signed")
            mac = signed.mac
        walk = self.gateway.audit.walk(office_id, after=last, mac=mac)
        query = (
            select(AuditEntry)
            .where(
                AuditEntry.office_id == office_id,
                col(AuditEntry.position) > walk.position,
                col(AuditEntry.position) <= position,
            )
            .order_by(col(AuditEntry.position))
            .execution_options(yield_per=1000)
        )
        with session.exec(query) as entries:
            for entry in entries:
                if not walk.step(entry):
                    raise AuditChainBroken(fault=walk.fault)
        if walk.position != position:
            raise AuditChainBroken(fault=f"entries after {walk.position} are missing")
        return walk

    def _signed(self, office_id: UUID, walk: ChainWalk) -> AuditCheckpoint:
        keys = self.gateway.keys
        head = Head(office_id, walk.position, walk.link, self.gateway.real_now(), fingerprint(keys.public_key))
        return AuditCheckpoint(
            id=new_id(),
            office_id=office_id,
            position=head.position,
            link_hash=head.link,
            made_at=head.made_at,
            key_fingerprint=head.key,
            signature=keys.sign(head.signed_bytes()),
        )


def latest(session: Session, office_id: UUID, *, until: int | None = None) -> AuditCheckpoint | None:
    """The last signed head, at or before a position when one is given."""
    query = select(AuditCheckpoint).where(AuditCheckpoint.office_id == office_id)
    if until is not None:
        query = query.where(col(AuditCheckpoint.position) <= until)
    return session.exec(query.order_by(col(AuditCheckpoint.position).desc()).limit(1)).first()


def at(session: Session, office_id: UUID, position: int) -> AuditCheckpoint | None:
    """The signed head at exactly this position."""
    query = select(AuditCheckpoint).where(AuditCheckpoint.office_id == office_id, AuditCheckpoint.position == position)
    return session.exec(query).one_or_none()


def _position(session: Session, office_id: UUID) -> int:
    return session.exec(select(OfficeHead.audit_position).where(OfficeHead.office_id == office_id)).one()


def _entry(session: Session, office_id: UUID, position: int) -> AuditEntry | None:
    query = select(AuditEntry).where(AuditEntry.office_id == office_id, AuditEntry.position == position)
    return session.exec(query).one_or_none()
