"""What every endpoint uses: who acts, the installation, base shapes, limits.

A caller is an API token (machine), a session token (person) in `Authorization: Bearer`, or the cookie of the pages.
With the cookie, a request that changes something must come from our own pages: Origin or Sec-Fetch-Site is checked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request
from fastapi.dependencies.models import Dependant
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from starlette.concurrency import run_in_threadpool

from connectors.model import PsuContext
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.looks import record_look
from gateway.cookies import SESSION, cookie
from gateway.errors import FieldFault, InputError, SignInError
from gateway.i18n import _
from gateway.identity.errors import SignInRefused
from gateway.identity.rights import Principal, SecondFactorRequired
from gateway.identity.service import IdentityService
from gateway.identity.sessions import SESSION_PREFIX
from gateway.machines.addresses import counted_as
from gateway.machines.applications import TOKEN_PREFIX, ApplicationService
from gateway.machines.assertions import HEADER as ASSERTION_HEADER
from gateway.machines.assertions import AssertionService
from gateway.machines.errors import AssertionRefused
from gateway.machines.limits import limit_request
from gateway.machines.service import MachineService
from gateway.metadata.filters import LISTS as METADATA_LISTS
from gateway.metadata.filters import PAIRS_MAX, PARAMETER, VALUE_MAX
from gateway.pagination import PageRequest, page_request

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Shape(BaseModel):
    """Base of every request and answer: unknown fields are refused, nothing is coerced (API-01)."""

    # What was sent may be a password or a name: it stays out of errors and of the repr (SEC-07).
    model_config = ConfigDict(extra="forbid", strict=True, from_attributes=True, hide_input_in_errors=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__

    @classmethod
    def built(cls, values: dict[str, Any]) -> Self:
        """The shape of values that have their types already: every field, by its name, and nothing else.

        As `model_construct`, which looks for aliases and defaults field by field: on a page of rows that costs more
        than writing it out.
        """
        shape = cls.__new__(cls)
        write = object.__setattr__
        write(shape, "__dict__", values)
        write(shape, "__pydantic_fields_set__", set(values))
        write(shape, "__pydantic_extra__", None)
        write(shape, "__pydantic_private__", None)
        return shape


def _cents(value: str) -> str:
    amount = Decimal(value)
    if amount.as_tuple().exponent not in (0, -1, -2):
        raise ValueError(_("At most two decimals are possible."))
    return value


AmountText = Annotated[
    str,
    Field(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,2})?$", examples=["1250.00"], description="Decimal point, no thousands."),
    AfterValidator(_cents),
]
"""A money amount as JSON carries it: a string, never a number."""

Day = Annotated[
    date,
    Field(strict=False, description="Calendar day in Brussels.", examples=["2026-11-21"]),
    PlainSerializer(lambda value: value.isoformat(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-21"]}),
]


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(_("A moment needs its offset, such as Z."))
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(_("A moment lies in the years 1 to 9999.")) from error


MomentText = Annotated[
    datetime,
    Field(strict=False),
    AfterValidator(_utc),
    PlainSerializer(lambda value: value.isoformat().replace("+00:00", "Z"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-21T08:15:00Z"]}),
]


class MoneyShape(Shape):
    """`{"amount": "1250.00", "currency": "EUR"}`."""

    amount: AmountText
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]


_CENT: Final = Decimal("0.01")
_MILL: Final = Decimal("0.001")


def money(amount: Decimal, currency: str) -> MoneyShape:
    """An exact amount as JSON: two decimals, three only where the amount has them."""
    cents = amount.quantize(_CENT)
    return MoneyShape.built({"amount": str(cents if cents == amount else amount.quantize(_MILL)), "currency": currency})


class QueryUnknown(InputError):
    """A parameter of the address that the operation does not know; ignoring it would answer another question."""

    code = "query_unknown"
    http_status = 400
    title = "The address has an unknown parameter"
    hint = "Compare the parameters listed in errors with the documentation."


_known_queries: dict[tuple[str, str], frozenset[str]] = {}


async def refuse_unknown_query(request: Request) -> None:
    """Raise `QueryUnknown` for a query parameter that the operation does not declare (API-01)."""
    if not request.query_params:
        return
    route = request.scope["route"]
    key = (request.method, route.path)
    known = _known_queries.get(key)
    if known is None:
        known = _known_queries[key] = frozenset(_query_names(route.dependant))
    unknown = sorted(set(request.query_params) - known)
    if route.operation_id in METADATA_LISTS:
        given = [name for name in unknown if PARAMETER.fullmatch(name)]
        # More pairs than an object can have, or a value longer than one can be, are a mistake of the same kind.
        is_sane = len(given) <= PAIRS_MAX and all(len(request.query_params[name]) <= VALUE_MAX for name in given)
        unknown = [name for name in unknown if name not in given or not is_sane]
    if unknown:
        raise QueryUnknown(faults=[FieldFault(f"/{name}", QueryUnknown.code, QueryUnknown.title) for name in unknown])


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for below in dependant.dependencies:
        yield from _query_names(below)


async def gateway_of(request: Request) -> Gateway:
    """The installation; set once when the application is made.

    Like every dependency that waits for nothing, a coroutine: the framework gives each of the others a thread.
    """
    gateway: Gateway = request.app.state.gateway
    return gateway


GatewayDep = Annotated[Gateway, Depends(gateway_of)]


def current_principal(
    request: Request,
    gateway: GatewayDep,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Principal:
    """Who calls; raises `SignInError`."""
    identity = IdentityService(gateway)
    scheme, _, token = (authorization or "").partition(" ")
    if authorization is not None:
        if scheme.lower() != "bearer" or not token:
            raise SignInError
        if token.startswith(SESSION_PREFIX):
            principal, _session = identity.principal_of_session(token)
        else:
            principal = _machine(request, gateway, token)
    else:
        held = cookie(request, SESSION)
        if held is None:
            raise SignInError
        # Some reads are recorded or check anew (the first download of a payment file): none is for another site.
        is_foreign = request.headers.get("sec-fetch-site") == "cross-site"
        if is_foreign or (request.method not in SAFE_METHODS and not is_same_origin(request, gateway)):
            raise SignInRefused
        principal, _session = identity.principal_of_session(held)
    if principal.is_person:
        request.state.language = principal.language
    limit_request(request, principal)
    return principal


def _machine(request: Request, gateway: Gateway, token: str) -> Principal:
    """A key, an application, or the person whose signed word the application carries (SEC-04)."""
    asserted = request.headers.getlist(ASSERTION_HEADER)
    if not token.startswith(TOKEN_PREFIX):
        if asserted:
            raise AssertionRefused(reason="key")
        return MachineService(gateway).principal_of_token(token, source=source_of(request))
    caller = ApplicationService(gateway).caller_of_token(token, source=source_of(request))
    if not asserted:
        return caller.principal
    if len(asserted) > 1:
        raise AssertionRefused(reason="malformed")
    return AssertionService(gateway).person(caller, asserted[0])


PrincipalDep = Annotated[Principal, Depends(current_principal)]


async def current_act(request: Request, gateway: GatewayDep, principal: PrincipalDep) -> Act:
    """This request as an act; a person's true network address goes along for attended calls.

    A person acts after a second factor only, whatever the role (SEC-01). Raises `SecondFactorRequired`.
    """
    if principal.is_person and principal.second_factor_at is None:
        raise SecondFactorRequired
    if principal.office_id in gateway.live_offices and not principal.is_watched:
        return _act(request, gateway, principal, timedelta(0))
    return await run_in_threadpool(_watched_act, request, gateway, principal)


def _watched_act(request: Request, gateway: Gateway, principal: Principal) -> Act:
    """An act on an office's own clock, and the look of an auditor or of support: both ask the database."""
    act = _act(request, gateway, principal, gateway.clock_offset(principal.office_id))
    record_look(gateway, act, request)
    return act


def _act(request: Request, gateway: Gateway, principal: Principal, clock_offset: timedelta) -> Act:
    moment = gateway.real_now()
    return Act(
        principal=principal,
        now=moment + clock_offset,
        real_now=moment,
        request_id=request.state.request_id,
        psu=psu_of(request) if principal.is_person and principal.via_id is None else None,
        address=address_of(request),
    )


ActDep = Annotated[Act, Depends(current_act)]
PageDep = Annotated[PageRequest, Depends(page_request)]


def source_of(request: Request) -> str | None:
    """The network address the request came from, as the server saw it."""
    return request.client.host if request.client else None


def psu_of(request: Request) -> PsuContext | None:
    """The person's address and browser, as the bank may ask for them; None when the address is not known."""
    address = address_of(request)
    if address is None:
        return None
    return PsuContext(ip_address=address, user_agent=request.headers.get("user-agent", "")[:200] or None)


def address_of(request: Request) -> str | None:
    """Network address of the caller; None when it is not known."""
    if request.client is None:
        return None
    try:
        return str(ipaddress.ip_address(request.client.host))
    except ValueError:
        return None


def source_address(request: Request) -> str:
    """The caller's network address, for limits; behind a trusted proxy the one the proxy names (`entrance`).

    Of IPv6 the network: whoever has 18 trillion addresses is one source all the same (SEC-01).
    """
    return counted_as(source_of(request))


def is_same_origin(request: Request, gateway: Gateway) -> bool:
    """Whether a changing request comes from our own pages; a browser sends at least one of the two headers."""
    origin = request.headers.get("origin")
    if origin is not None:
        own = urlsplit(gateway.settings.base_url)
        try:
            theirs = urlsplit(origin).netloc
        except ValueError:
            return False
        return origin == f"{own.scheme}://{own.netloc}" or theirs == request.headers.get("host")
    return request.headers.get("sec-fetch-site") in ("same-origin", "none")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI: the problems an operation may answer with, besides those of every operation."""
    names = {
        400: "The request cannot be understood.",
        401: "Nobody is signed in.",
        403: "The right is missing.",
        404: "Not there, or another office's.",
        409: "The state does not allow it, or the PSU must act.",
        410: "It is not kept any more.",
        412: "It changed since it was read.",
        413: "The body is too large.",
        415: "The body is of a kind that is not read here.",
        422: "The request has faults.",
        416: "The file has no such part.",
        428: "If-Match is needed.",
        429: "Too many requests, or the bank's limit.",
        502: "The bank gave no usable answer.",
        503: "The operator must act.",
    }
    every = {401, 403, 404, 422, 429}
    return {
        status: {
            "description": names[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted(every | set(statuses))
    }
