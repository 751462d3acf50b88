"""What every operation of the API has in common: a strict body, and a key under which a POST is done once.

`adopt` makes the routes of a subject's router ours. The order of an operation is: sign-in, shape of the body, claim of
the key, the operation, its answer kept. Requirements API-01, API-02, API-03.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from connectors.errors import ConnectorError
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.bank_trouble import BankTrouble
from gateway.database import UNIT_OFFICE, commit_guard, joined
from gateway.errors import GatewayError
from gateway.idempotency.errors import IdempotencyKeyInUse, IdempotencyKeyInvalid, IdempotencyKeyRequired
from gateway.idempotency.service import KEPT_HEADERS, Answer, Claim, ClaimLost, IdempotencyService, fingerprint_of
from gateway.identity.rights import Principal
from gateway.metadata.answers import with_metadata
from gateway.operations import KEY_MARK, NOT_KEPT_MARK
from gateway.problems import problem
from gateway.strict_body import check_body

KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotency-Replayed"
_KEY: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


class _Replay(Exception):
    """Leaves the operation with the kept answer instead of running it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__("kept answer")


class ApiRoute(APIRoute):
    """An operation of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler behind the checks of the body and around it the key."""
        original = super().get_route_handler()
        marks: Mapping[str, Any] = self.openapi_extra or {}
        has_own_body = "requestBody" in marks

        async def handler(request: Request) -> Response:
            if request.method in ("POST", "PUT", "PATCH", "DELETE"):
                await check_body(request, self.body_field, has_own_body=has_own_body)
            if request.method != "POST":
                return await original(request)
            attempt = _Attempt(
                request,
                body=await request.body(),
                is_key_required=bool(marks.get(KEY_MARK)),
                is_answer_kept=not marks.get(NOT_KEPT_MARK),
            )
            token = _attempt.set(attempt)
            try:
                response = await original(request)
            except _Replay as replay:
                answer = replay.answer
                return Response(answer.body, answer.status, {**answer.headers, REPLAYED_HEADER: "true"})
            except (GatewayError, ConnectorError) as error:
                refusal = await run_in_threadpool(attempt.refused, error)
                if refusal is None:
                    raise
                return refusal
            except ClaimLost:
                # Rolled back; what the other run answers is what counts.
                raise IdempotencyKeyInUse(headers={"Retry-After": "1"}) from None
            except Exception:
                await run_in_threadpool(attempt.broken)
                raise
            finally:
                _attempt.reset(token)
            await run_in_threadpool(attempt.answered, response)
            return response

        return handler


def adopt(router: APIRouter) -> None:
    """Make every route of a subject's router one of ours; once more changes nothing."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            adopt(inner)
        elif isinstance(route, APIRoute) and not isinstance(route, ApiRoute):
            # The framework asks the route for its handler when it first serves it: giving it our class is enough,
            # and subjects need not know of it.
            route.__class__ = ApiRoute
            route.endpoint = with_metadata(route.endpoint)
            if "POST" in (route.methods or ()):
                route.endpoint = _claiming(route.endpoint)


class _Attempt:
    """One POST from its headers to its answer."""

    def __init__(self, request: Request, *, body: bytes, is_key_required: bool, is_answer_kept: bool) -> None:
        self.request = request
        self.is_key_required = is_key_required
        self.is_answer_kept = is_answer_kept
        self.keys = request.headers.getlist(KEY_HEADER)
        self.fingerprint = fingerprint_of(
            query=request.scope["query_string"], if_match=request.headers.get("if-match"), body=body
        )
        gateway: Gateway = request.app.state.gateway
        self.service = IdempotencyService(gateway)
        self.claim: Claim | None = None
        self.caller: Act | Principal | None = None

    def begin(self, arguments: Mapping[str, Any]) -> None:
        """Claim the key for the caller among the operation's arguments; an operation without sign-in has no keys."""
        callers = [value for value in arguments.values() if isinstance(value, Act | Principal)]
        if not callers:
            return
        self.caller = next((caller for caller in callers if isinstance(caller, Act)), callers[0])
        if not self.keys:
            if self.is_key_required:
                raise IdempotencyKeyRequired
            return
        if len(self.keys) > 1 or not _KEY.fullmatch(self.keys[0]):
            raise IdempotencyKeyInvalid
        got = self.service.claim(
            self.caller, path=self.request.scope["path"], key=self.keys[0], fingerprint=self.fingerprint
        )
        if isinstance(got, Answer):
            raise _Replay(got)
        self.claim = got
        if isinstance(self.caller, Act):
            self.caller.checks.clear()

    def guard(self, session: Any) -> None:
        """Called by every unit of work that is about to commit changes."""
        claim = self.claim
        assert claim is not None, "the guard is set once a key is claimed"
        if session.info[UNIT_OFFICE] == claim.office_id:
            self.service.mark(session, claim)
        else:
            # Global tables are written in a transaction of no office, which cannot see the key.
            with joined(session, claim.office_id) as part:
                self.service.mark(part, claim)

    def answered(self, response: Response) -> None:
        """Keep what is about to be sent."""
        if self.claim is None:
            return
        if response.status_code >= 400:
            self.service.release(self.claim)
            return
        self._keep(response)

    def refused(self, error: GatewayError | ConnectorError) -> Response | None:
        """Free the key after a refusal. What failed at the bank after a first change is kept as it is answered."""
        if self.claim is None:
            return None
        ours = error if isinstance(error, GatewayError) else BankTrouble(error)
        if ours.http_status < 500:
            self.service.release(self.claim)
            return None
        if self.service.release_unless_changed(self.claim):
            return None
        response = problem(self.request, ours)
        self._keep(response)
        return response

    def broken(self) -> None:
        """A defect: repeated when nothing was changed, else its outcome is unknown."""
        if self.claim is not None:
            self.service.release_unless_changed(self.claim)

    def _keep(self, response: Response) -> None:
        assert self.claim is not None, "asked before"
        body = getattr(response, "body", None)
        answer = None
        if self.is_answer_kept and isinstance(body, bytes):
            headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
            answer = Answer(response.status_code, headers, body)
        checks = self.caller.checks if isinstance(self.caller, Act) else ()
        self.service.keep(self.claim, answer, status=response.status_code, checks=checks)


_attempt: ContextVar[_Attempt | None] = ContextVar("sluis_attempt", default=None)


def _claiming(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The operation behind the claim of its key; runs where the operation runs, in its thread."""

    @functools.wraps(endpoint)
    def call(**arguments: Any) -> Any:
        attempt = _attempt.get()
        if attempt is None:
            return endpoint(**arguments)
        attempt.begin(arguments)
        if attempt.claim is None:
            return endpoint(**arguments)
        token = commit_guard.set(attempt.guard)
        try:
            return endpoint(**arguments)
        finally:
            commit_guard.reset(token)

    assert not inspect.iscoroutinefunction(endpoint), "operations are synchronous, as everything here"
    return call
