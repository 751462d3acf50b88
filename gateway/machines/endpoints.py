"""REST: API keys, applications, the token endpoint, linking one's account at an identity provider."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.act import Act
from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.ids import ApplicationId, ApplicationSecretId, CredentialId
from gateway.machines import token_endpoint
from gateway.machines.applications import ApplicationService, Held
from gateway.machines.issuers import IssuerService
from gateway.machines.schemas import (
    ApplicationCreated,
    ApplicationRead,
    ApplicationWrite,
    AssertionLinkWrite,
    CredentialCreated,
    CredentialRead,
    CredentialWrite,
    SecretCreated,
    SecretRead,
)
from gateway.machines.service import MachineService
from gateway.operations import ANSWER_NOT_KEPT
from gateway.pagination import Page

router = APIRouter(tags=["machines"])
router.include_router(token_endpoint.router)


@router.post(
    "/v1/credentials",
    operation_id="create_credential",
    status_code=201,
    responses=problem_responses(),
    openapi_extra=ANSWER_NOT_KEPT,
)
def create_credential(body: CredentialWrite, act: ActDep, gateway: GatewayDep) -> CredentialCreated:
    """Make an API key; its secret is shown this once. A person with a fresh second factor only."""
    credential, token = MachineService(gateway).create_credential(act, **body.model_dump())
    return CredentialCreated(credential=CredentialRead.model_validate(credential), token=token)


@router.get("/v1/credentials", operation_id="list_credentials", responses=problem_responses(400))
def list_credentials(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[CredentialRead]:
    """API keys of the office, newest first, without their secrets."""
    credentials, cursor = MachineService(gateway).credentials(act, page)
    return Page(items=[CredentialRead.model_validate(row) for row in credentials], next_cursor=cursor)


@router.delete(
    "/v1/credentials/{credential_id}", operation_id="revoke_credential", status_code=204, responses=problem_responses()
)
def revoke_credential(credential_id: CredentialId, act: ActDep, gateway: GatewayDep) -> None:
    """End an API key at once."""
    MachineService(gateway).revoke_credential(act, credential_id)


@router.post(
    "/v1/applications",
    operation_id="create_application",
    status_code=201,
    responses=problem_responses(),
    openapi_extra=ANSWER_NOT_KEPT,
)
def create_application(body: ApplicationWrite, act: ActDep, gateway: GatewayDep) -> ApplicationCreated:
    """Make an application; its first secret is shown this once. A person with a fresh second factor only."""
    application, _, text = ApplicationService(gateway).create(act, **body.model_dump())
    return ApplicationCreated(client_id=application.id, client_secret=text)


@router.get("/v1/applications", operation_id="list_applications", responses=problem_responses(400))
def list_applications(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[ApplicationRead]:
    """Applications that serve the office, newest first, without their secrets."""
    found, cursor = ApplicationService(gateway).page(act, page)
    return Page(items=[_application(act, held) for held in found], next_cursor=cursor)


@router.delete(
    "/v1/applications/{application_id}",
    operation_id="revoke_application",
    status_code=204,
    responses=problem_responses(),
)
def revoke_application(application_id: ApplicationId, act: ActDep, gateway: GatewayDep) -> None:
    """End an application for this office at once, and wholly when this office made it."""
    ApplicationService(gateway).revoke(act, application_id)


@router.post(
    "/v1/applications/{application_id}/secrets",
    operation_id="create_application_secret",
    status_code=201,
    responses=problem_responses(409),
    openapi_extra=ANSWER_NOT_KEPT,
)
def create_application_secret(application_id: ApplicationId, act: ActDep, gateway: GatewayDep) -> SecretCreated:
    """A second secret beside the one in use, to replace it without a stop; shown this once."""
    secret, text = ApplicationService(gateway).add_secret(act, application_id)
    return SecretCreated(id=secret.id, client_secret=text)


@router.delete(
    "/v1/applications/{application_id}/secrets/{secret_id}",
    operation_id="revoke_application_secret",
    status_code=204,
    responses=problem_responses(),
)
def revoke_application_secret(
    application_id: ApplicationId, secret_id: ApplicationSecretId, act: ActDep, gateway: GatewayDep
) -> None:
    """End one secret of an application at once."""
    ApplicationService(gateway).revoke_secret(act, application_id, secret_id)


@router.post(
    "/v1/assertion-links", operation_id="create_assertion_link", status_code=204, responses=problem_responses()
)
def create_assertion_link(body: AssertionLinkWrite, act: ActDep, gateway: GatewayDep) -> None:
    """Say, signed in here, that this assertion is about oneself; decisions can then come through the portal."""
    IssuerService(gateway).link_own(act, body.assertion)


def _application(act: Act, held: Held) -> ApplicationRead:
    is_own = held.application.office_id == act.office_id
    return ApplicationRead(
        id=held.application.id,
        name=held.application.name,
        scopes=held.link.scopes,
        allowed_addresses=held.application.allowed_addresses,
        is_own=is_own,
        created_at=held.link.created_at,
        last_used_at=held.application.last_used_at,
        secrets=[SecretRead.model_validate(secret) for secret in held.secrets] if is_own else [],
    )
