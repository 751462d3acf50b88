"""REST: consents. The account holder's own steps are web pages (`/link/…`), without sign-in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gateway.api import ActDep, GatewayDep, PageDep, problem_responses
from gateway.consents.evidence_endpoints import router as evidence_router
from gateway.consents.inviting import Invitations
from gateway.consents.reauthorising import Reauthorisations
from gateway.consents.schemas import (
    ConsentCreated,
    ConsentRead,
    ConsentWrite,
    InvitationCodeRead,
    InvitationWrite,
    ReauthorisationCreated,
    RenewalLinkRead,
)
from gateway.consents.service import ConsentService, ConsentView
from gateway.consents.sittings import Sittings
from gateway.consents.states import ConsentState
from gateway.ids import AccountId, ClientId, ConsentId
from gateway.operations import ANSWER_NOT_KEPT, KEY_REQUIRED
from gateway.pagination import Page

own = APIRouter(prefix="/v1", tags=["consents"])


@own.post(
    "/consents",
    operation_id="create_consent",
    status_code=201,
    responses=problem_responses(404, 409, 503),
    openapi_extra=KEY_REQUIRED,
)
def create_consent(body: ConsentWrite, response: Response, act: ActDep, gateway: GatewayDep) -> ConsentCreated:
    """Ask for an account holder's permission; the answer carries the `authorisation_url` to send that person to.

    With `replaces` it renews another consent: that one works on until this one is valid and reads its accounts.
    409 `renewal_too_early` while its end is far away.
    """
    consent, url = ConsentService(gateway).create(
        act,
        client_id=body.client_id,
        bank_id=body.bank_id,
        language=body.language,
        return_url=body.return_url,
        metadata=body.metadata,
        replaces=body.replaces,
    )
    shape = ConsentRead.of(ConsentView(consent, ()), act)
    response.headers["Location"] = f"/v1/consents/{shape.model_dump(mode='json')['id']}"
    response.headers["Cache-Control"] = "no-store"
    return ConsentCreated(consent=shape, authorisation_url=url)


@own.get("/consents", operation_id="list_consents", responses=problem_responses(400))
def list_consents(
    act: ActDep,
    gateway: GatewayDep,
    page: PageDep,
    client_id: Annotated[ClientId | None, Query(description="Only consents of this client.")] = None,
    state: Annotated[ConsentState | None, Query(description="Only consents in this state.")] = None,
) -> Page[ConsentRead]:
    """Consents, the newest first."""
    views, cursor = ConsentService(gateway).page(act, page, client_id=client_id, state=state)
    return Page(items=[ConsentRead.of(view, act) for view in views], next_cursor=cursor)


@own.get("/consents/{consent_id}", operation_id="get_consent", responses=problem_responses())
def get_consent(consent_id: ConsentId, act: ActDep, gateway: GatewayDep) -> ConsentRead:
    """One consent."""
    return ConsentRead.of(ConsentService(gateway).get(act, consent_id), act)


@own.post(
    "/consents/{consent_id}/invitations",
    operation_id="create_consent_invitation",
    status_code=201,
    responses=problem_responses(409),
    openapi_extra=KEY_REQUIRED | ANSWER_NOT_KEPT,
)
def create_consent_invitation(
    consent_id: ConsentId, body: InvitationWrite, response: Response, act: ActDep, gateway: GatewayDep
) -> InvitationCodeRead:
    """Have the address of a consent open with a code of six digits only, handed over apart from it.

    A code made before opens nothing any more; five wrong codes in all end the invitation. 409
    `authorisation_not_open` once the accounts are chosen or the consent is over, `contact_missing` when there is
    nobody to mail to.
    """
    invited = Invitations(gateway).make(act, consent_id, is_mailed=body.mail)
    response.headers["Cache-Control"] = "no-store"
    return InvitationCodeRead(
        consent_id=consent_id, authorisation_url=invited.url, code=invited.code, expires_at=invited.expires_at,
        is_mailed=invited.is_mailed,
    )  # fmt: skip


@own.post(
    "/consents/{consent_id}/revocations",
    operation_id="create_consent_revocation",
    status_code=201,
    responses=problem_responses(409),
)
def create_consent_revocation(consent_id: ConsentId, act: ActDep, gateway: GatewayDep) -> ConsentRead:
    """End a consent here at once, and at the bank; tokens are destroyed, data stays for its retention."""
    service = ConsentService(gateway)
    service.revoke(act, consent_id)
    return ConsentRead.of(service.get(act, consent_id), act)


@own.post(
    "/clients/{client_id}/renewal-links",
    operation_id="create_renewal_link",
    status_code=201,
    responses=problem_responses(409),
    openapi_extra=KEY_REQUIRED,
)
def create_renewal_link(client_id: ClientId, response: Response, act: ActDep, gateway: GatewayDep) -> RenewalLinkRead:
    """One address at which the account holder renews every permission of a client, bank after bank.

    Also those that are not due yet, so that they end together; each can be stopped there as well. 409
    `nothing_to_renew` when the client has none.
    """
    asked = Sittings(gateway).ask(act, client_id)
    response.headers["Cache-Control"] = "no-store"
    return RenewalLinkRead(client_id=client_id, renewal_url=asked.url, expires_at=asked.expires_at)


@own.post(
    "/accounts/{account_id}/reauthorisations",
    operation_id="create_account_reauthorisation",
    status_code=201,
    responses=problem_responses(409, 503),
    openapi_extra=KEY_REQUIRED,
)
def create_account_reauthorisation(
    account_id: AccountId, response: Response, act: ActDep, gateway: GatewayDep
) -> ReauthorisationCreated:
    """Have one account authorised anew, where each has an end of its own (Ponto); the others stay as they are.

    409 `reauthorisation_not_offered` where a permission covers its accounts together.
    """
    asked = Reauthorisations(gateway).ask(act, account_id)
    response.headers["Cache-Control"] = "no-store"
    return ReauthorisationCreated(account_id=account_id, authorisation_url=asked.url, expires_at=asked.expires_at)


router = APIRouter()
router.include_router(own)
router.include_router(evidence_router)
