"""REST: identity providers of an office, and the person's own links to them."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.assembly import Gateway
from gateway.ids import OidcProviderId, encode
from gateway.pagination import Page
from gateway.single_sign_on.models import OidcProvider
from gateway.single_sign_on.schemas import OidcLinkRead, OidcProviderRead, OidcProviderWrite
from gateway.single_sign_on.service import SingleSignOnService

router = APIRouter(prefix="/v1", tags=["identity"])


@router.post(
    "/oidc-providers", operation_id="create_oidc_provider", status_code=201, responses=problem_responses(409, 502)
)
def create_oidc_provider(body: OidcProviderWrite, act: ActDep, gateway: GatewayDep) -> OidcProviderRead:
    """Let the office's people sign in through its own identity provider; needs a fresh second factor."""
    provider = SingleSignOnService(gateway).add_provider(
        act, name=body.name, issuer=body.issuer, client_id=body.client_id, client_secret=body.client_secret
    )
    return _read(gateway, provider)


@router.get("/oidc-providers", operation_id="list_oidc_providers", responses=problem_responses(400))
def list_oidc_providers(act: ActDep, gateway: GatewayDep, page: PageDep) -> Page[OidcProviderRead]:
    """Identity providers of the office, newest first."""
    providers, cursor = SingleSignOnService(gateway).providers(act, page)
    return Page(items=[_read(gateway, provider) for provider in providers], next_cursor=cursor)


@router.delete(
    "/oidc-providers/{oidc_provider_id}",
    operation_id="delete_oidc_provider",
    status_code=204,
    responses=problem_responses(),
)
def delete_oidc_provider(oidc_provider_id: OidcProviderId, act: ActDep, gateway: GatewayDep) -> None:
    """Stop using a provider at once; sessions it opened end, links go with it."""
    SingleSignOnService(gateway).end_provider(act, oidc_provider_id)


@router.get("/me/oidc-links", operation_id="get_oidc_links", responses=problem_responses())
def get_oidc_links(act: ActDep, gateway: GatewayDep) -> list[OidcLinkRead]:
    """The person's accounts at providers of this office; a link is made on the page My security."""
    return [OidcLinkRead.model_validate(link) for link in SingleSignOnService(gateway).links(act)]


@router.delete(
    "/me/oidc-links/{oidc_provider_id}", operation_id="delete_oidc_link", status_code=204, responses=problem_responses()
)
def delete_oidc_link(oidc_provider_id: OidcProviderId, act: ActDep, gateway: GatewayDep) -> None:
    """Unlink the account at this provider; sessions it opened end."""
    SingleSignOnService(gateway).unlink(act, oidc_provider_id)


def _read(gateway: Gateway, provider: OidcProvider) -> OidcProviderRead:
    base = gateway.settings.base_url.rstrip("/")
    path = f"{encode('office', provider.office_id)}/{encode('oidc_provider', provider.id)}"
    return OidcProviderRead(
        id=provider.id,
        name=provider.name,
        issuer=provider.issuer,
        client_id=provider.client_id,
        has_secret=provider.secret_cipher is not None,
        sign_in_url=f"{base}/single-sign-on/{path}",
        redirect_url=SingleSignOnService(gateway).redirect_uri(),
        created_at=provider.created_at,
    )
