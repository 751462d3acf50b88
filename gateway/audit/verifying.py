"""Proving the audit chain: all of it every night, and what was added since a signed head at any time (SEC-09).

A head is signed only after every entry since the one before was proved, so whoever asks in between need not read the
whole chain again: what lies behind the last head was proved when it was signed, and once more by the last night.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.checkpoints import latest
from gateway.audit.log import AuditLog, ChainWalk, changed_value, verify
from gateway.audit.models import AuditEntry, AuditVerification
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.models import OfficeHead
from gateway.offices.repository import OfficeRepository

WALKED_MAX: Final = 5000
"""Entries one request proves. Heads are signed after 1,000, so more wait only when no worker runs."""

log = logging.getLogger("gateway.audit")


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a chain at this moment."""

    entries: int
    verified_from: int
    """First entry proved just now; those before it were when their head was signed."""
    verified_until: int
    first_fault: str | None
    whole: AuditVerification | None
    """The last time all of it was proved; None before the first night."""


class VerificationService:
    """Chains of one installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def run(self) -> None:
        """Prove every office's chain from its first entry."""
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        for office_id in offices:
            try:
                self.prove(office_id)
            except Exception:
                # What is wrong in one office must not keep the chains of the others unproved.
                log.exception("audit chain not verified", extra={"office_id": str(office_id)})

    def prove(self, office_id: UUID) -> AuditVerification:
        """Prove the whole chain of an office and note the result."""
        with self.gateway.database.unit_of_work(office_id) as session:
            # Before the walk: entries that are added meanwhile are for the next time.
            position = _head(session, office_id).audit_position
            fault = verify(session, self.gateway.audit, office_id)
            made = AuditVerification(
                id=new_id(), office_id=office_id, position=position, first_fault=fault, made_at=self.gateway.real_now()
            )
            session.add(made)
        if fault is not None:
            log.error("audit chain broken", extra={"office_id": str(office_id), "fault": fault})
        return made

    def standing(self, act: Act) -> Standing:
        """Prove what was added since the last signed head, at most `WALKED_MAX` entries.

        A fault that the last night found is told until a night finds none.
        """
        act.principal.require_for_office(Permission.AUDIT_READ)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            whole = session.exec(
                select(AuditVerification)
                .where(AuditVerification.office_id == act.office_id)
                .order_by(col(AuditVerification.id).desc())
                .limit(1)
            ).first()
            head = _head(session, act.office_id)
            start, until, fault = _since_signed(session, self.gateway.audit, head)
        known = whole.first_fault if whole is not None else None
        return Standing(head.audit_position, start + 1, until, known or fault, whole)


def _since_signed(session: Session, audit: AuditLog, head: OfficeHead) -> tuple[int, int, str | None]:
    """Position of the signed head, of the last entry proved behind it, and the first fault."""
    office_id = head.office_id
    signed = latest(session, office_id)
    mac = b""
    if signed is not None:
        entry = _entry(session, office_id, signed.position)
        if not audit.is_own(signed) or entry is None or not audit.is_whole(entry):
            return signed.position, signed.position, f"entry {signed.position} is not the one that was signed"
        mac = entry.mac
        if head.audit_position < signed.position:
            return signed.position, signed.position, f"entries after {head.audit_position} are missing"
    walk = audit.walk(office_id, after=signed, mac=mac)
    start = walk.position
    fault = _walked(session, walk, head)
    if fault is None:
        fault = changed_value(session, office_id, after=start, until=walk.position)
    return start, walk.position, fault


def _walked(session: Session, walk: ChainWalk, head: OfficeHead) -> str | None:
    start = walk.position
    entries = session.exec(
        select(AuditEntry)
        .where(
            AuditEntry.office_id == head.office_id,
            col(AuditEntry.position) > start,
            # Entries written while we read lie beyond the head.
            col(AuditEntry.position) <= head.audit_position,
        )
        .order_by(col(AuditEntry.position))
        .limit(WALKED_MAX)
    ).all()
    for entry in entries:
        if not walk.step(entry):
            return walk.fault
    if walk.position < head.audit_position:
        return f"entries after {walk.position} are missing" if len(entries) < WALKED_MAX else None
    return None if walk.mac == head.audit_hash else f"the head of the chain is not entry {head.audit_position}"


def _head(session: Session, office_id: UUID) -> OfficeHead:
    return session.exec(select(OfficeHead).where(OfficeHead.office_id == office_id)).one()


def _entry(session: Session, office_id: UUID, position: int) -> AuditEntry | None:
    query = select(AuditEntry).where(AuditEntry.office_id == office_id, AuditEntry.position == position)
    return session.exec(query).one_or_none()
