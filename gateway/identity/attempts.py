"""Ten failures, then this source waits: counted before the work, in one step, so that a burst cannot exceed ten.

A try is counted first and given back when it succeeds. The key holds person and source: other sources go on, so nobody
can lock others out (SEC-01).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, case, delete, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from gateway.identity.errors import SignInDelayed
from gateway.identity.models import SignInAttempt

FAILURES_MAX: Final = 10
FAILURE_WAIT: Final = timedelta(minutes=15)


def take(
    session: Session, key: bytes, now: datetime, *, limit: int = FAILURES_MAX, wait: timedelta = FAILURE_WAIT
) -> None:
    """Count one try; raises `SignInDelayed` when `limit` failed within `wait`. Waiting is not prolonged by trying."""
    is_old = col(SignInAttempt.last_failure_at) <= now - wait
    row = insert(SignInAttempt).values(key=key, failures=1, last_failure_at=now)
    taken = session.execute(
        row.on_conflict_do_update(
            index_elements=["key"],
            set_={"failures": case((is_old, 1), else_=SignInAttempt.failures + 1), "last_failure_at": now},
            where=or_(is_old, col(SignInAttempt.failures) < limit),
        ).returning(col(SignInAttempt.failures))
    ).one_or_none()
    if taken is None:
        last = session.exec(select(SignInAttempt.last_failure_at).where(SignInAttempt.key == key)).one_or_none()
        left = (last + wait - now) if last is not None else wait
        raise SignInDelayed(headers={"Retry-After": str(max(1, int(left.total_seconds())))})


def give_back(session: Session, key: bytes) -> None:
    """The try was right as far as it went: it does not count, the failures before it still do."""
    session.execute(
        update(SignInAttempt)
        .where(and_(col(SignInAttempt.key) == key, col(SignInAttempt.failures) > 0))
        .values(failures=SignInAttempt.failures - 1)
    )


def forget(session: Session, key: bytes) -> None:
    """Somebody proved to be that person: earlier failures no longer count."""
    session.execute(delete(SignInAttempt).where(col(SignInAttempt.key) == key))
