"""Routes of pages: what a service refuses becomes a page that names cause and next step, not JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import DataError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from connectors.errors import ConnectorError
from gateway.bank_trouble import BankTrouble
from gateway.cookies import SESSION, forget_cookie
from gateway.errors import GatewayError, InputError, NotFound, SignInError
from gateway.i18n import translate
from gateway.identity.errors import SignInDelayed, SignInRefused
from gateway.identity.rights import SecondFactorRequired
from gateway.passkeys.service import PasskeyService
from gateway.problems import AddressNotFound, InternalError, RequestTooLarge, told
from gateway.signed_decisions.errors import PasskeySignatureRequired
from gateway.signed_decisions.service import SignedDecisionService
from gateway.web.labels import HEADINGS, LABELS
from gateway.web.passkey_forms import ANSWER_FIELD, CHALLENGE_FIELD, SIGNATURE_FIELD, PasskeyShown
from gateway.web.rendering import language_of, own_path, page, see_other
from gateway.web.security import CODE_FIELD, FORM_FIELD, EnrolmentRequired, Visit, safe_next, set_session_cookie

log = logging.getLogger("gateway.web")

ENROL_PATH: Final = "/second-factor/set-up"


class PageRoute(APIRoute):
    """Answers with pages only."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, with refusals turned into pages."""
        original = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                response = await original(request)
            except ClientDisconnect:
                raise
            except HTTPException as error:
                if error.status_code != RequestTooLarge.http_status:
                    raise
                response = refusal(request, RequestTooLarge())
            except Exception as error:  # noqa: BLE001  # the last resort of every page, as `problems` has for the API
                response = refusal(request, _as_ours(request, error))
            renewed: str | None = getattr(request.state, "renewed_token", None)
            if renewed is not None:
                set_session_cookie(request, response, renewed)
            return response

        return handler


def _as_ours(request: Request, error: Exception) -> GatewayError:
    """What a page says of an exception."""
    match error:
        case GatewayError():
            return error
        case ConnectorError():
            log.warning("bank trouble", extra={"code": error.code, "bank_id": error.bank_id})
            return BankTrouble(error)
        case RequestValidationError():
            # An id of another kind or form in the address: as if it were not there.
            return NotFound()
        case DataError():
            # A text the database cannot hold, such as one with U+0000.
            return InputError()
    # Kind and request id are enough to find the defect; the message and traceback may hold anything.
    log.error("defect", extra={"kind": type(error).__name__, "request_id": request.state.request_id})
    return InternalError()


def page_router() -> APIRouter:
    """A router whose routes answer with pages and stay out of the API description."""
    return APIRouter(route_class=PageRoute, include_in_schema=False)


def refusal(request: Request, error: GatewayError) -> Response:
    """The page for a refused request: sign in, set up or confirm the second factor, or the problem itself."""
    form: FormData | None = getattr(request.state, "form", None)
    if isinstance(error, SecondFactorRequired) or (
        _has_code(form) and isinstance(error, SignInRefused | SignInDelayed)
    ):
        return second_factor_page(request, form, error)
    if isinstance(error, PasskeySignatureRequired) and form is not None:
        return signature_page(request, form, error)
    if isinstance(error, EnrolmentRequired):
        return see_other(request, ENROL_PATH)
    if type(error) is SignInError:
        wanted = own_path(request) if request.method == "GET" else "/"
        response = see_other(request, "/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted)}")
        forget_cookie(request, response, SESSION)
        return response
    return problem_page(request, error)


def problem_page(request: Request, error: GatewayError) -> Response:
    """Cause, next step and request id, in the reader's language."""
    language = language_of(request)
    detail = translate(language, error.detail)
    return page(
        request,
        "problem.html",
        status=error.http_status,
        error=error,
        detail=detail.format_map(_Given(_in_words(error.parameters, language))) if detail else "",
        back=_back(request),
        request_id=getattr(request.state, "request_id", None),
    )


def second_factor_page(request: Request, form: FormData | None, error: GatewayError) -> Response:
    """Ask for a code; the refused form goes along, so that the code completes what was begun."""
    fields = _kept_fields(form)
    return page(
        request,
        "second_factor.html",
        status=error.http_status,
        action=own_path(request) if form is not None else "/second-factor",
        fields=fields if form is not None else [("next", own_path(request))],
        error=None if isinstance(error, SecondFactorRequired) else error,
        back=_back(request),
        is_sign_in=is_sign_in(request),
        passkey=passkey_question(request),
    )


def signature_page(request: Request, form: FormData, error: PasskeySignatureRequired) -> Response:
    """Have the passkey sign what is decided; the refused form goes along (SEC-04)."""
    visit: Visit = request.state.visit
    try:
        question = SignedDecisionService(request.app.state.gateway).ask(visit.act, error.decision, error.seals)
    except GatewayError as missing:
        return problem_page(request, missing)
    return page(
        request,
        "sign_decision.html",
        status=error.http_status,
        action=own_path(request),
        fields=[*_kept_fields(form), (SIGNATURE_FIELD, "1")],
        error=None,
        back=_back(request),
        count=len(error.seals),
        total=error.total,
        passkey=PasskeyShown(question.challenge_id, json.dumps(question.options)),
    )


def _kept_fields(form: FormData | None) -> list[tuple[str, str]]:
    """What goes along to the next page; never a code or an answer."""
    left_out = (FORM_FIELD, CODE_FIELD, CHALLENGE_FIELD, ANSWER_FIELD, SIGNATURE_FIELD)
    return [
        (name, value)
        for name, value in (form.multi_items() if form is not None else [])
        if name not in left_out and isinstance(value, str)
    ]


def passkey_question(request: Request) -> PasskeyShown | None:
    """What the person's passkeys are asked on this page; None when there are none or the address cannot have any."""
    visit: Visit | None = getattr(request.state, "visit", None)
    service = PasskeyService(request.app.state.gateway)
    if visit is None or not service.is_available() or not service.passkeys(visit.act):
        return None
    question = service.ask_confirmation(visit.act)
    return PasskeyShown(question.challenge_id, json.dumps(question.options))


def is_sign_in(request: Request) -> bool:
    """Whether the second factor completes a sign-in, rather than confirming a decision."""
    visit: Visit | None = getattr(request.state, "visit", None)
    return visit is not None and visit.act.principal.second_factor_at is None


def not_found_page(request: Request) -> Response:
    """An address that does not exist, for a browser."""
    return problem_page(request, AddressNotFound())


def wants_page(request: Request) -> bool:
    """Whether a browser asks, for a page rather than for the API."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")


def _in_words(parameters: Mapping[str, Any], language: str) -> dict[str, Any]:
    """States as people read them; programs get their codes from the API."""
    words = {
        str(code): text for kind, texts in LABELS.items() if kind not in HEADINGS for code, text in texts.items()
    }  # fmt: skip
    return {
        name: translate(language, words[str(value)]).lower() if str(value) in words else value
        for name, value in told(parameters, language).items()
    }


def _has_code(form: FormData | None) -> bool:
    return form is not None and bool(form.get(CODE_FIELD) or form.get(ANSWER_FIELD))


def _back(request: Request) -> str:
    """The page of ours the person came from, else the start page."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    root = request.scope.get("root_path", "").rstrip("/")
    path = parts.path.removeprefix(root)
    return safe_next(path) if parts.netloc == request.headers.get("host") and path != own_path(request) else "/"


class _Given(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"
