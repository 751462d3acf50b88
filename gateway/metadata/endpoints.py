"""REST: meta data of clients, accounts, consents, baskets and payments."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api import ActDep, GatewayDep, problem_responses
from gateway.identity.rights import Permission
from gateway.ids import AccountId, BasketId, ClientId, ConsentId, PaymentId
from gateway.metadata.schemas import MetadataShape
from gateway.metadata.service import ACCOUNT, BASKET, CLIENT, CONSENT, PAYMENT, MetadataService

router = APIRouter(prefix="/v1")


@router.get(
    "/clients/{client_id}/metadata", operation_id="get_client_metadata", tags=["offices"], responses=problem_responses()
)
def get_client_metadata(client_id: ClientId, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """The pairs of key and value on this client; lists are filtered by them with `metadata[key]=value`."""
    return MetadataShape(metadata=MetadataService(gateway).get(act, CLIENT, client_id, Permission.CLIENTS_READ))


@router.put(
    "/clients/{client_id}/metadata",
    operation_id="put_client_metadata",
    tags=["offices"],
    responses=problem_responses(409),
)
def put_client_metadata(client_id: ClientId, body: MetadataShape, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """Set all pairs of this client: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
    service = MetadataService(gateway)
    return MetadataShape(metadata=service.put(act, CLIENT, client_id, Permission.CLIENTS_WRITE, body.metadata))


@router.get(
    "/accounts/{account_id}/metadata",
    operation_id="get_account_metadata",
    openapi_extra={"x-error-codes": ["account_not_found"]},
    tags=["accounts"],
    responses=problem_responses(),
)
def get_account_metadata(account_id: AccountId, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """The pairs of key and value on this account; lists are filtered by them with `metadata[key]=value`."""
    return MetadataShape(metadata=MetadataService(gateway).get(act, ACCOUNT, account_id, Permission.ACCOUNTS_READ))


@router.put(
    "/accounts/{account_id}/metadata",
    operation_id="put_account_metadata",
    openapi_extra={"x-error-codes": ["account_not_found"]},
    tags=["accounts"],
    responses=problem_responses(409),
)
def put_account_metadata(account_id: AccountId, body: MetadataShape, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """Set all pairs of this account: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
    service = MetadataService(gateway)
    return MetadataShape(metadata=service.put(act, ACCOUNT, account_id, Permission.ACCOUNTS_WRITE, body.metadata))


@router.get(
    "/consents/{consent_id}/metadata",
    operation_id="get_consent_metadata",
    openapi_extra={"x-error-codes": ["consent_not_found"]},
    tags=["consents"],
    responses=problem_responses(),
)
def get_consent_metadata(consent_id: ConsentId, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """The pairs of key and value on this consent; lists are filtered by them with `metadata[key]=value`."""
    return MetadataShape(metadata=MetadataService(gateway).get(act, CONSENT, consent_id, Permission.CONSENTS_READ))


@router.put(
    "/consents/{consent_id}/metadata",
    operation_id="put_consent_metadata",
    openapi_extra={"x-error-codes": ["consent_not_found"]},
    tags=["consents"],
    responses=problem_responses(409),
)
def put_consent_metadata(consent_id: ConsentId, body: MetadataShape, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """Set all pairs of this consent: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
    service = MetadataService(gateway)
    return MetadataShape(metadata=service.put(act, CONSENT, consent_id, Permission.CONSENTS_WRITE, body.metadata))


@router.get(
    "/baskets/{basket_id}/metadata",
    operation_id="get_basket_metadata",
    openapi_extra={"x-error-codes": ["basket_not_found"]},
    tags=["payments"],
    responses=problem_responses(),
)
def get_basket_metadata(basket_id: BasketId, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """The pairs of key and value on this basket; lists are filtered by them with `metadata[key]=value`."""
    return MetadataShape(metadata=MetadataService(gateway).get(act, BASKET, basket_id, Permission.PAYMENTS_READ))


@router.put(
    "/baskets/{basket_id}/metadata",
    operation_id="put_basket_metadata",
    openapi_extra={"x-error-codes": ["basket_not_found"]},
    tags=["payments"],
    responses=problem_responses(409),
)
def put_basket_metadata(basket_id: BasketId, body: MetadataShape, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """Set all pairs of this basket: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
    service = MetadataService(gateway)
    return MetadataShape(metadata=service.put(act, BASKET, basket_id, Permission.PAYMENTS_WRITE, body.metadata))


@router.get(
    "/payments/{payment_id}/metadata",
    operation_id="get_payment_metadata",
    openapi_extra={"x-error-codes": ["payment_not_found"]},
    tags=["payments"],
    responses=problem_responses(),
)
def get_payment_metadata(payment_id: PaymentId, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """The pairs of key and value on this payment; lists are filtered by them with `metadata[key]=value`."""
    return MetadataShape(metadata=MetadataService(gateway).get(act, PAYMENT, payment_id, Permission.PAYMENTS_READ))


@router.put(
    "/payments/{payment_id}/metadata",
    operation_id="put_payment_metadata",
    openapi_extra={"x-error-codes": ["payment_not_found"]},
    tags=["payments"],
    responses=problem_responses(409),
)
def put_payment_metadata(payment_id: PaymentId, body: MetadataShape, act: ActDep, gateway: GatewayDep) -> MetadataShape:
    """Set all pairs of this payment: at most 20, keys of 40 and values of 500 characters; what is left out goes."""
    service = MetadataService(gateway)
    return MetadataShape(metadata=service.put(act, PAYMENT, payment_id, Permission.PAYMENTS_WRITE, body.metadata))
