"""Limits on requests (API-06): per caller and per office over all web processes, per address before anybody is known.

Callers are counted in windows of one minute. A process takes a share of the window's allowance from the database in one
statement and hands it out from memory, so most requests cost no statement, and all processes together never exceed the
allowance. Addresses are counted in memory of each process: refusing a stranger must cost nothing.
Decision record: docs/decisions/0017-rate-limits.md.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import problems
from gateway.assembly import Gateway
from gateway.errors import GatewayError
from gateway.identity.rights import Principal
from gateway.machines.addresses import counted_as
from gateway.machines.models import RateWindow

WINDOW_SECONDS: Final = 60
SHARES: Final = 20
"""A process takes one twentieth of the allowance at a time; that much can lie idle in each."""
ADDRESSES_MAX: Final = 100_000
UNLIMITED_PATHS: Final = ("/static/", "/healthz")


class RateLimited(GatewayError):
    """More requests than the limit allows."""

    code = "rate_limited"
    http_status = 429
    title = "Too many requests"
    hint = "Wait as many seconds as Retry-After says; RateLimit-Policy tells how many requests are possible."


@dataclass(frozen=True, slots=True)
class Standing:
    """How one limit stands after a request."""

    policy: str
    limit: int
    remaining: int
    reset_seconds: int
    is_exceeded: bool = False


@dataclass(slots=True)
class _Share:
    window: int
    left: int = 0
    unclaimed: int = 0
    """What the other processes and later shares can still take, as the database said last."""
    is_spent: bool = False


class RateLimits:
    """The limits of one web process."""

    def __init__(self, gateway: Gateway, *, clock: Callable[[], float] = time.time) -> None:
        self._gateway = gateway
        self._clock = clock
        self._lock = threading.Lock()
        self._shares: dict[bytes, _Share] = {}
        self._window = self._swept = 0
        self._strangers: dict[str, int] = {}
        self._known: set[bytes] = set()

    def spend(self, principal: Principal) -> list[Standing]:
        """Count one request of this caller and of its office; the one that is exceeded comes last, if any is.

        A person who comes through an application counts for the application.
        """
        settings = self._gateway.settings
        caller = principal.via_id or principal.id
        limits = (
            ("default", settings.rate_limit_per_minute, f"{caller}|{principal.office_id}"),
            ("office", settings.rate_limit_office_per_minute, str(principal.office_id)),
        )
        standings = []
        for policy, limit, key in limits:
            if limit:
                standings.append(self._take(policy, limit, key))
                if standings[-1].is_exceeded:
                    break
        return standings

    def _take(self, policy: str, limit: int, key: str) -> Standing:
        now = self._clock()
        window, reset = int(now) // WINDOW_SECONDS, WINDOW_SECONDS - int(now) % WINDOW_SECONDS
        hashed = hashlib.sha256(f"{policy}|{key}".encode()).digest()
        with self._lock:
            self._turn(window)
            share = self._shares.setdefault(hashed, _Share(window))
            if share.left:
                share.left -= 1
                return Standing(policy, limit, share.left + share.unclaimed, reset)
            if share.is_spent:
                return Standing(policy, limit, 0, reset, is_exceeded=True)
        # Outside the lock: other callers do not wait for this one's statement. Two at once take two shares.
        wanted = max(1, limit // SHARES)
        used = self._claim(hashed, window, wanted)
        granted = max(0, min(wanted, limit - (used - wanted)))
        with self._lock:
            share = self._shares.setdefault(hashed, _Share(window))
            share.left += granted
            share.unclaimed = max(0, limit - used)
            share.is_spent = share.unclaimed == 0
            if not share.left:
                return Standing(policy, limit, 0, reset, is_exceeded=True)
            share.left -= 1
            return Standing(policy, limit, share.left + share.unclaimed, reset)

    def _claim(self, key: bytes, window: int, wanted: int) -> int:
        row = insert(RateWindow).values(key=key, window=window, used=wanted)
        counted = row.on_conflict_do_update(
            index_elements=["key", "window"], set_={"used": RateWindow.used + wanted}
        ).returning(col(RateWindow.used))
        with self._gateway.database.unit_of_work(None) as session:
            if self._swept != window:
                # Once a minute a process forgets what nobody counts any more.
                self._swept = window
                session.execute(delete(RateWindow).where(col(RateWindow.window) < window - 1))
            return int(session.execute(counted).scalar_one())

    def _turn(self, window: int) -> None:
        """A new minute: what was counted before no longer matters."""
        if window == self._window:
            return
        self._window = window
        self._shares.clear()
        self._strangers.clear()
        if len(self._known) > ADDRESSES_MAX:
            self._known.clear()

    # Before anybody is known -------------------------------------------------------------------------------------

    def stranger(self, source: str, token: str | None) -> Standing | None:
        """The limit of this address when it is used up; None while the request may go on.

        A token that was good before goes on whatever others behind the same address do.
        """
        limit = self._gateway.settings.rate_limit_unknown_per_minute
        now = self._clock()
        with self._lock:
            self._turn(int(now) // WINDOW_SECONDS)
            if not limit or self._strangers.get(source, 0) < limit:
                return None
            if token is not None and _fingerprint(token) in self._known:
                return None
        return Standing("address", limit, 0, WINDOW_SECONDS - int(now) % WINDOW_SECONDS, is_exceeded=True)

    def note(self, source: str, token: str | None, *, is_known: bool) -> None:
        """Remember the token of a caller who was recognised; else count a request of nobody for its address.

        A token that is no longer good is forgotten, so that it opens no way around the limit.
        """
        with self._lock:
            if token is not None and is_known:
                self._known.add(_fingerprint(token))
                return
            if token is not None:
                self._known.discard(_fingerprint(token))
            if len(self._strangers) < ADDRESSES_MAX or source in self._strangers:
                self._strangers[source] = self._strangers.get(source, 0) + 1


class RateFrame:
    """Refuses strangers above their limit before anything else is done, and tells everybody how the limits stand."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNLIMITED_PATHS):
            await self.app(scope, receive, send)
            return
        limits: RateLimits = scope["app"].state.limits
        headers = Headers(scope=scope)
        token = headers.get("authorization") or headers.get("cookie")
        source = counted_as(scope["client"][0] if scope.get("client") else None)
        state = scope.setdefault("state", {})
        exceeded = limits.stranger(source, token)
        if exceeded is not None:
            response = problems.problem(Request(scope), refusal([exceeded]))
            await response(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                standings = state.get("rate_limits")
                if standings:
                    MutableHeaders(scope=message).update(headers_of(standings))
                limits.note(source, token, is_known=bool(state.get("is_known")))
            await send(message)

        await self.app(scope, receive, send_counted)


def limit_request(request: Request, principal: Principal) -> None:
    """Count this request for its caller; raises `RateLimited`."""
    limits: RateLimits = request.app.state.limits
    request.state.is_known = True
    standings = limits.spend(principal)
    request.state.rate_limits = standings
    if standings and standings[-1].is_exceeded:
        raise refusal(standings)


def refusal(standings: list[Standing]) -> RateLimited:
    """The error, with when to try again."""
    wait = standings[-1].reset_seconds
    return RateLimited(headers={"Retry-After": str(wait), **headers_of(standings)})


def headers_of(standings: list[Standing]) -> dict[str, str]:
    """`RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers."""
    return {
        "RateLimit-Policy": ", ".join(f'"{s.policy}";q={s.limit};w={WINDOW_SECONDS}' for s in standings),
        "RateLimit": ", ".join(f'"{s.policy}";r={s.remaining};t={s.reset_seconds}' for s in standings),
    }


def _fingerprint(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
