"""Claiming a key, keeping the answer, replaying it (API-03, SEC-15).

A key is claimed in a transaction of its own before the operation runs. The first transaction in which the operation
changes something also marks the key, so a crash leaves one of two states: not marked, then nothing was changed and a
repetition runs it; or marked, then a repetition is told that the outcome is unknown, and never runs it again. A run
that outlived its lease and was taken over cannot mark the key, and so cannot commit.
Decision record: docs/decisions/0016-idempotency.md.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CursorResult, delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.act import DECIDER, SECOND_FACTOR, Act, Check
from gateway.assembly import Gateway
from gateway.errors import NotFound
from gateway.idempotency.errors import (
    IdempotencyAnswerNotKept,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    IdempotencyOutcomeUnknown,
)
from gateway.idempotency.models import IdempotencyKey
from gateway.identity.rights import Permission, Principal
from gateway.ids import new_id
from gateway.offices.service import require_client
from gateway.proposals.service import ProposalService

KEPT_FOR: Final = timedelta(days=7)
LEASE: Final = timedelta(seconds=60)
"""How long a run without any change may take before a repetition takes over."""
LEASE_WITH_EFFECTS: Final = timedelta(minutes=10)
"""How long a run that changed something counts as running; banks may be slow."""
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
KEPT_HEADERS: Final = (
    "content-type", "location", "content-location", "etag", "cache-control", "content-language", "repr-digest",
)  # fmt: skip
_TABLE: Final = "idempotency_key"
_PRUNED_AT_ONCE: Final = 20


class ClaimLost(Exception):
    """Another request took the key over; this one must not change anything any more."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept and replayed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run the request of a key, until another run takes it over."""

    row_id: UUID
    office_id: UUID
    attempt: int


class IdempotencyService:
    """Keys of one installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def claim(self, caller: Principal | Act, *, path: str, key: str, fingerprint: bytes) -> Claim | Answer:
        """The right to run the request, or the kept answer after asking again for the rights it needed.

        Raises `IdempotencyKeyReused`, `IdempotencyKeyInUse`, `IdempotencyOutcomeUnknown`,
        `IdempotencyAnswerNotKept`, and whatever the caller has no right to any more.
        """
        principal = caller.principal if isinstance(caller, Act) else caller
        office_id, now = principal.office_id, self.gateway.real_now()
        key_hash = _hash(principal.kind, str(principal.id), str(principal.via_id or ""), path, key)
        with self.gateway.database.unit_of_work(office_id) as session:
            made = new_id()
            values = {
                "id": made, "office_id": office_id, "key_hash": key_hash, "fingerprint": fingerprint, "attempt": 1,
                "lease_until": now + LEASE, "has_effects": False, "checks": [],
                "created_at": now, "expires_at": now + KEPT_FOR,
            }  # fmt: skip
            query = insert(IdempotencyKey).values(**values).on_conflict_do_nothing().returning(col(IdempotencyKey.id))
            if session.execute(query).scalar_one_or_none() is not None:
                _prune(session, office_id, now)
                return Claim(made, office_id, 1)
            row = session.exec(
                select(IdempotencyKey)
                .where(IdempotencyKey.office_id == office_id, IdempotencyKey.key_hash == key_hash)
                .with_for_update()
            ).one_or_none()
            if row is None:
                # Released or pruned between the two statements; the caller repeats.
                raise IdempotencyKeyInUse(headers={"Retry-After": "1"})
            if row.expires_at > now:
                _judge(row, fingerprint, now)
            if row.expires_at <= now or row.status is None:
                return _take_over(session, row, values, now)
            kept = row
        self._authorise(caller, kept.checks)
        if kept.answer_cipher is None:
            raise IdempotencyAnswerNotKept
        return self._open(kept)

    def mark(self, session: Session, claim: Claim) -> None:
        """In the transaction of a change: from its commit on the request is never run again. Raises `ClaimLost`."""
        now = self.gateway.real_now()
        result = session.execute(
            _of(claim, update(IdempotencyKey)).values(has_effects=True, lease_until=now + LEASE_WITH_EFFECTS)
        )
        if _count(result) != 1:
            raise ClaimLost

    def keep(self, claim: Claim, answer: Answer | None, *, status: int, checks: Iterable[Check]) -> None:
        """The request is answered. None as `answer` keeps the fact alone."""
        cipher = None
        if answer is not None:
            plain = _packed(answer)
            if len(plain) <= ANSWER_BYTES_MAX:
                cipher = self.gateway.keys.encrypt(plain, office_id=claim.office_id, table=_TABLE, row_id=claim.row_id)
        with self.gateway.database.unit_of_work(claim.office_id) as session:
            session.execute(
                _of(claim, update(IdempotencyKey)).values(
                    status=status, answer_cipher=cipher, checks=[_stored(check) for check in sorted(checks, key=str)]
                )
            )

    def release(self, claim: Claim) -> None:
        """The request was refused and changed nothing that counts: the key is free again."""
        with self.gateway.database.unit_of_work(claim.office_id) as session:
            session.execute(_of(claim, delete(IdempotencyKey)))

    def release_unless_changed(self, claim: Claim) -> bool:
        """Free the key when nothing was changed under it; False, and the lease over, when something was."""
        with self.gateway.database.unit_of_work(claim.office_id) as session:
            unchanged = _of(claim, delete(IdempotencyKey)).where(col(IdempotencyKey.has_effects).is_(False))
            if _count(session.execute(unchanged)) == 1:
                return True
            session.execute(_of(claim, update(IdempotencyKey)).values(lease_until=self.gateway.real_now()))
            return False

    def _authorise(self, caller: Principal | Act, checks: Sequence[Sequence[Any]]) -> None:
        """Ask for every right that the first run needed; raises what the operation itself would raise."""
        if not isinstance(caller, Act):
            return
        for name, client_id in checks:
            factor, _, decision = str(name).partition(":")
            if factor == SECOND_FACTOR:
                caller.require_fresh_second_factor(decision=decision or None)
            elif factor == DECIDER:
                ProposalService(self.gateway).require_decider(caller, UUID(client_id))
            elif client_id is None:
                caller.require(Permission(name))
            else:
                with self.gateway.database.unit_of_work(caller.office_id) as session:
                    try:
                        require_client(session, caller, UUID(client_id), Permission(name))
                    except NotFound:
                        raise NotFound from None

    def _open(self, row: IdempotencyKey) -> Answer:
        assert row.answer_cipher is not None, "asked before"
        assert row.status is not None, "a kept answer has a status"
        plain = self.gateway.keys.decrypt(row.answer_cipher, office_id=row.office_id, table=_TABLE, row_id=row.id)
        head, _, body = zlib.decompress(plain).partition(b"\n")
        return Answer(row.status, json.loads(head), body)


def fingerprint_of(*, query: bytes, if_match: str | None, body: bytes) -> bytes:
    """What makes two requests the same: query, If-Match (a decision on another seal is another one) and raw body."""
    return _hash(query.hex(), if_match or "", hashlib.sha256(body).hexdigest())


def _hash(*parts: str) -> bytes:
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def _judge(row: IdempotencyKey, fingerprint: bytes, now: datetime) -> None:
    if row.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    if row.status is not None:
        return
    if row.lease_until > now:
        raise IdempotencyKeyInUse(headers={"Retry-After": "1"})
    if row.has_effects:
        raise IdempotencyOutcomeUnknown


def _take_over(session: Session, row: IdempotencyKey, values: Mapping[str, Any], now: datetime) -> Claim:
    attempt = row.attempt + 1
    fresh = {name: value for name, value in values.items() if name not in ("id", "office_id", "key_hash")}
    for name, value in {**fresh, "attempt": attempt, "status": None, "answer_cipher": None}.items():
        setattr(row, name, value)
    row.lease_until = now + LEASE
    session.add(row)
    return Claim(row.id, row.office_id, attempt)


def _prune(session: Session, office_id: UUID, now: datetime) -> None:
    """A few keys whose time is over; each claim clears up after others, so that no job is needed."""
    old = (
        select(IdempotencyKey.id)
        .where(IdempotencyKey.office_id == office_id, col(IdempotencyKey.expires_at) <= now)
        .limit(_PRUNED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    session.execute(delete(IdempotencyKey).where(col(IdempotencyKey.id).in_(old)))


def _of(claim: Claim, statement: Any) -> Any:
    return statement.where(
        col(IdempotencyKey.office_id) == claim.office_id,
        col(IdempotencyKey.id) == claim.row_id,
        col(IdempotencyKey.attempt) == claim.attempt,
    ).execution_options(synchronize_session=False)


def _count(result: Any) -> int:
    assert isinstance(result, CursorResult), "of an UPDATE or DELETE"
    return result.rowcount


def _packed(answer: Answer) -> bytes:
    return zlib.compress(json.dumps(dict(answer.headers)).encode() + b"\n" + answer.body)


def _stored(check: Check) -> list[str | None]:
    name, client_id = check
    return [str(name), None if client_id is None else str(client_id)]
