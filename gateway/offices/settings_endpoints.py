"""REST: settings of the office, its logo and template, settings of a client (OFF-01)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from gateway.api import ActDep, GatewayDep, problem_responses
from gateway.files import FILE_HEADERS, IfNoneMatch, file_answer
from gateway.identity.rights import Permission
from gateway.ids import ClientId
from gateway.offices.applications import TemplateApplicationService
from gateway.offices.logos import BYTES_MAX, LogoRefused, LogoService
from gateway.offices.schemas import OfficeRead
from gateway.offices.settings import ClientSettingsService, OfficeSettingsService
from gateway.offices.settings_schemas import (
    ClientSettingsRead,
    ClientSettingsWrite,
    OfficeWrite,
    TemplateApplicationWrite,
    TemplateRead,
    TemplateResultsRead,
    TemplateShape,
    client_settings_read,
    results_read,
    template_read,
)
from gateway.operations import KEY_REQUIRED
from gateway.payments.etags import IfMatch, etag, version_in
from gateway.problems import language_of

router = APIRouter(prefix="/v1", tags=["offices"])

PICTURES: Final = ("image/png", "image/jpeg", "image/webp")
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The picture itself, at most 256 KiB and 2,000 by 2,000 pixels; told by its content.",
        "content": dict.fromkeys(PICTURES, _BINARY),
    }
}


async def sent_picture(request: Request, act: ActDep) -> bytes:
    """The body; raises `LogoRefused` before more than the limit is read."""
    act.require(Permission.ADMIN)
    content = b""
    async for piece in request.stream():
        content += piece
        if len(content) > BYTES_MAX:
            raise LogoRefused
    return content


@router.put("/office", operation_id="put_office", responses=problem_responses(412, 428))
def put_office(
    body: OfficeWrite, response: Response, act: ActDep, gateway: GatewayDep, if_match: IfMatch = None
) -> OfficeRead:
    """Name, language and default delivery; administrators of the office only."""
    office = OfficeSettingsService(gateway).put(act, body.columns(), version=version_in(if_match))
    response.headers["ETag"] = etag(office.version)
    return OfficeRead.model_validate(office)


@router.get(
    "/office/logo",
    operation_id="get_office_logo",
    response_class=Response,
    responses={
        200: {"description": "The picture.", "content": dict.fromkeys(PICTURES, _BINARY)},
        **FILE_HEADERS,
        **problem_responses(416),
    },
)
def get_office_logo(request: Request, act: ActDep, gateway: GatewayDep, _if_none_match: IfNoneMatch = None) -> Response:
    """The office's logo, with its ETag."""
    logo = LogoService(gateway).get(act)
    name = f"logo.{logo.media_type.partition('/')[2]}"
    return file_answer(
        request, logo.content, sha256=logo.sha256, media_type=logo.media_type, name=name, cache="private, no-cache"
    )


@router.put(
    "/office/logo",
    operation_id="put_office_logo",
    status_code=204,
    responses=problem_responses(),
    openapi_extra=_BODY,
)
def put_office_logo(content: Annotated[bytes, Depends(sent_picture)], act: ActDep, gateway: GatewayDep) -> Response:
    """Show this picture on invitations, consent pages and in the head of the office's pages."""
    logo = LogoService(gateway).put(act, content)
    return Response(status_code=204, headers={"ETag": etag(logo.sha256)})


@router.delete("/office/logo", operation_id="delete_office_logo", status_code=204, responses=problem_responses())
def delete_office_logo(act: ActDep, gateway: GatewayDep) -> Response:
    """Show no picture any more."""
    LogoService(gateway).delete(act)
    return Response(status_code=204)


@router.get("/office/template", operation_id="get_office_template", responses=problem_responses())
def get_office_template(response: Response, act: ActDep, gateway: GatewayDep) -> TemplateRead:
    """What each new client begins with."""
    template, version = OfficeSettingsService(gateway).template(act)
    response.headers["ETag"] = etag(version)
    return template_read(template, version)


@router.put("/office/template", operation_id="put_office_template", responses=problem_responses(412, 428))
def put_office_template(
    body: TemplateShape, response: Response, act: ActDep, gateway: GatewayDep, if_match: IfMatch = None
) -> TemplateRead:
    """What new clients begin with from now on; clients that are there change by `template-applications` only.

    Other approval rules are set by a person with a fresh second factor, never by a key.
    """
    template, version = OfficeSettingsService(gateway).put_template(act, body.template(), version=version_in(if_match))
    response.headers["ETag"] = etag(version)
    return template_read(template, version)


@router.post(
    "/office/template-applications",
    operation_id="create_template_application",
    responses=problem_responses(412),
    openapi_extra=KEY_REQUIRED,
)
def create_template_application(
    body: TemplateApplicationWrite, request: Request, act: ActDep, gateway: GatewayDep
) -> TemplateResultsRead:
    """Bring selected clients to the template, with a result each; a dry run says what would change.

    Approval rules become a proposal per client, confirmed by its administrator; a destination waits for another
    administrator of the office.
    """
    outcomes = TemplateApplicationService(gateway).apply(
        act, body.client_ids, body.parts, version=body.template_version, is_dry_run=body.dry_run
    )
    return results_read(outcomes, language_of(request))


@router.get("/clients/{client_id}/settings", operation_id="get_client_settings", responses=problem_responses())
def get_client_settings(
    client_id: ClientId, response: Response, act: ActDep, gateway: GatewayDep
) -> ClientSettingsRead:
    """Numbering and reminders of a client."""
    row = ClientSettingsService(gateway).get(act, client_id)
    response.headers["ETag"] = etag(row.version)
    return client_settings_read(row)


@router.put(
    "/clients/{client_id}/settings", operation_id="put_client_settings", responses=problem_responses(409, 412, 428)
)
def put_client_settings(
    *,
    client_id: ClientId,
    body: ClientSettingsWrite,
    response: Response,
    act: ActDep,
    gateway: GatewayDep,
    if_match: IfMatch = None,
) -> ClientSettingsRead:
    """Set numbering and reminders; for accounts connected and reminders sent from now on."""
    row = ClientSettingsService(gateway).put(act, client_id, body.columns(), version=version_in(if_match))
    response.headers["ETag"] = etag(row.version)
    return client_settings_read(row)
