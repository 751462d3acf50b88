"""Settings of the office: name, logo, services, the template of new clients, and applying it (OFF-01, OFF-06)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData, UploadFile

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.errors import FieldFault, GatewayError, InputError
from gateway.files import etag_matches
from gateway.i18n import LANGUAGES
from gateway.identity.rights import Permission
from gateway.ids import OfficeIdField, decode
from gateway.offices.applications import TemplateApplicationService
from gateway.offices.logos import BYTES_MAX, LOGO_PATH, LogoService
from gateway.offices.models import Service
from gateway.offices.service import ClientService
from gateway.offices.settings import OfficeSettingsService
from gateway.offices.switches import SwitchService
from gateway.offices.template import Part, StatementsFrom, Template, TemplateRule
from gateway.pagination import PageRequest
from gateway.profiles.packages import CHANNELS, PACKAGES
from gateway.web.reading import client_names
from gateway.web.rendering import YEAR_SECONDS, page, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of
from gateway.web.settings_forms import CONSENT_DAYS, SETTINGS_FAULT, number_of, settings_in

router = page_router()

CLIENTS_PER_PAGE: Final = 50
EMPTY_RULES: Final = 2
"""Rows for new rules, below those that are there."""
RULES_MAX: Final = 20
CONSENT_DAYS_MAX: Final = 180


@router.get(LOGO_PATH + "/{office_id}/{sha256}")
def logo(request: Request, office_id: OfficeIdField, sha256: str, gateway: GatewayDep) -> Response:
    """The picture, for whoever was given its address; it changes with the picture, so it is kept for a year."""
    found = LogoService(gateway).shown(office_id, sha256)
    etag = f'"{found.sha256}"'
    headers = {
        "ETag": etag,
        "Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if etag_matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)


@router.get("/office")
def settings(request: Request, gateway: GatewayDep, visit: VisitDep, cursor: str | None = None) -> Response:
    """Everything an office says of itself."""
    return _page(request, gateway, visit, cursor=cursor)


@router.post("/office")
def put(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Name, language, default delivery."""
    name, language = text_of(form, "name"), text_of(form, "language")
    channel = text_of(form, "default_delivery") or None
    faults = []
    if not 1 <= len(name) <= 70 or not name.isprintable():
        faults.append(FieldFault("/name", "name_invalid", "Give it a name of at most 70 characters."))
    if language not in LANGUAGES or (channel is not None and channel not in CHANNELS):
        faults.append(FieldFault("/language", "choice_invalid", "Choose from the list."))
    days = number_of(form, "consent_days_max")
    if not 1 <= days <= CONSENT_DAYS_MAX:
        faults.append(FieldFault("/consent_days_max", "days_invalid", "Give a number of days from 1 to 180."))
    if faults:
        return _page(request, gateway, visit, error=InputError(faults=faults))
    wanted = {"name": name, "language": language, "default_delivery": channel, "consent_days_max": days}
    return _done(
        request,
        gateway,
        visit,
        lambda: OfficeSettingsService(gateway).put(visit.act, wanted, version=number_of(form, "version")),
    )


@router.post("/office/logo")
def put_logo(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Another picture; what cannot be shown is said on the page."""
    sent = form.get("file")
    content = b""
    if isinstance(sent, UploadFile):
        content = sent.file.read(BYTES_MAX + 1)
        sent.file.close()
    return _done(request, gateway, visit, lambda: LogoService(gateway).put(visit.act, content))


@router.post("/office/logo/removal")
def remove_logo(request: Request, gateway: GatewayDep, visit: PostedDep) -> Response:
    """No picture any more."""
    return _done(request, gateway, visit, lambda: LogoService(gateway).delete(visit.act))


@router.post("/office/services")
def switch(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Services of the whole office."""
    return _done(request, gateway, visit, lambda: SwitchService(gateway).office(visit.act, _services(form)))


@router.post("/office/template")
def put_template(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """What new clients begin with."""
    try:
        template = template_in(form)
    except InputError as error:
        return _page(request, gateway, visit, error=error)
    return _done(
        request,
        gateway,
        visit,
        lambda: OfficeSettingsService(gateway).put_template(visit.act, template, version=number_of(form, "version")),
    )


@router.post("/office/template-applications")
def apply(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Bring the ticked clients to the template; the page says what became of each."""
    chosen = [_client_id(value) for value in form.getlist("client")]
    parts = [Part(str(value)) for value in form.getlist("part") if value in set(Part)]
    if not chosen or not parts:
        fault = FieldFault("/client", "nothing_chosen", "Tick at least one client and one part of the template.")
        return _page(request, gateway, visit, error=InputError(faults=[fault]))
    try:
        outcomes = TemplateApplicationService(gateway).apply(
            visit.act, chosen, parts, version=number_of(form, "version"), is_dry_run=text_of(form, "act") != "apply"
        )
    except GatewayError as error:
        if not _is_of_input(error):
            raise
        return _page(request, gateway, visit, error=error)
    return _page(
        request,
        gateway,
        visit,
        outcomes=outcomes,
        is_dry_run=text_of(form, "act") != "apply",
        chosen={str(client_id) for client_id in chosen},
        parts=parts,
    )


def template_in(form: FormData) -> Template:
    """The template that the form says; raises `InputError`."""
    faults: list[FieldFault] = []
    rules = []
    for index in range(RULES_MAX):
        name, group = text_of(form, f"rule_name_{index}"), text_of(form, f"rule_group_{index}")
        if not name and not group:
            continue
        count = number_of(form, f"rule_count_{index}", default=1)
        amount = _amount(text_of(form, f"rule_amount_{index}"))
        if not name or not group or max(len(name), len(group)) > 70 or not 1 <= count <= 20 or amount is False:
            faults.append(
                FieldFault(
                    "/approval_rules",
                    "rule_invalid",
                    "A rule has a name, a group of at most 70 characters, 1 to 20 people and an amount or none.",
                )
            )
            continue
        rules.append(TemplateRule(name, group, count, None if amount is None else str(amount)))
    if len({rule.name for rule in rules}) != len(rules):
        faults.append(FieldFault("/approval_rules", "rule_invalid", "Each rule has a name of its own."))
    channel, package = text_of(form, "channel") or None, text_of(form, "package") or None
    beginnings = settings_in(form)
    if (channel is not None and channel not in CHANNELS) or (package is not None and package not in PACKAGES):
        beginnings = None
    if beginnings is None:
        faults.append(SETTINGS_FAULT)
    if faults or beginnings is None:
        raise InputError(faults=faults)
    return Template(
        services=tuple(service.value for service in _services(form)),
        portal_shows_transactions="portal_shows_transactions" in form,
        portal_shows_coda="portal_shows_coda" in form,
        portal_prepares_while_processing="portal_prepares_while_processing" in form,
        channel=channel,
        destination=text_of(form, "destination")[:254] or None,
        package=package,
        **beginnings,
        rules=tuple(rules),
    )


def _services(form: FormData) -> list[Service]:
    return [service for service in Service if service.value in form.getlist("service")]


def _amount(text: str) -> Decimal | bool | None:
    """An amount as Belgians type it, None for none, False for what is no amount."""
    if not text:
        return None
    try:
        amount = Decimal(text.replace(".", "").replace(",", ".") if "," in text else text).quantize(Decimal("0.01"))
    except InvalidOperation:
        return False
    return amount if 0 < amount < Decimal(1_000_000_000) else False


def _client_id(value: Any) -> UUID:
    try:
        return decode("client", str(value))
    except ValueError:
        raise InputError(faults=[FieldFault("/client", "client_not_found", "There is no such client.")]) from None


def _is_of_input(error: GatewayError) -> bool:
    """What is said on the page itself; rights and missing codes have pages of their own."""
    return error.http_status in (409, 412, 422)


def _done(request: Request, gateway: Gateway, visit: Visit, call: Any) -> Response:
    try:
        call()
    except GatewayError as error:
        if not _is_of_input(error):
            raise
        return _page(request, gateway, visit, error=error)
    return see_other(request, "/office")


def _page(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    *,
    error: GatewayError | None = None,
    cursor: str | None = None,
    **more: Any,
) -> Response:
    visit.act.require(Permission.ADMIN)
    template, version = OfficeSettingsService(gateway).template(visit.act)
    clients, next_cursor = ClientService(gateway).page(visit.act, PageRequest(CLIENTS_PER_PAGE, cursor))
    shown: dict[str, Any] = {"outcomes": None, "is_dry_run": True, "chosen": set(), "parts": list(Part)} | more
    names = client_names(gateway, visit, [outcome.client_id for outcome in shown["outcomes"] or ()])
    return page(
        request,
        "office.html",
        visit=visit,
        status=error.http_status if error is not None else 200,
        error=error,
        begin=template,
        template_version=version,
        rules=[*template.rules, *[None] * min(EMPTY_RULES, RULES_MAX - len(template.rules))],
        services=list(Service),
        channels=CHANNELS,
        packages=PACKAGES,
        starts=list(StatementsFrom),
        consent_days=CONSENT_DAYS,
        every_part=list(Part),
        clients=clients,
        names=names,
        next_cursor=next_cursor,
        **shown,
    )
