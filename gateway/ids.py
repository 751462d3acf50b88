"""Typed ids: `acc_01k…`, a prefix for the kind and a UUIDv7 in Crockford's base 32 (TypeID).

Inside the database and the services ids are plain `uuid.UUID`; at the faces they carry their prefix, so that an id of
one kind is never taken for another. Source: RFC 9562 §5.7 (UUIDv7), TypeID specification 0.3.
"""

from __future__ import annotations

import os
import time
from typing import Annotated, Any, Final, NewType
from uuid import UUID

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_SHIFTS: Final = range(120, -1, -10)
"""An id is written ten bits at a time: a list of 50 rows writes a hundred of them."""

OfficeId = NewType("OfficeId", UUID)

PREFIXES: Final = {
    "office": "off",
    "user": "usr",
    "membership": "mem",
    "decision_signature": "dsg",
    "credential": "key",
    "application": "app",
    "application_secret": "sec",
    "assertion_issuer": "iss",
    "assertion_subject": "sub",
    "session": "ses",
    "passkey": "psk",
    "passkey_challenge": "pkq",
    "oidc_provider": "idp",
    "oidc_link": "idl",
    "email_change": "emc",
    "client": "cli",
    "client_group": "cgr",
    "number_change": "nrc",
    "proposal": "pro",
    "invitation": "inv",
    "access_grant": "gra",
    "bank_request": "brq",
    "consent": "con",
    "consent_account": "coa",
    "account_proof": "apf",
    "consent_evidence": "cev",
    "account": "acc",
    "transaction": "txn",
    "balance": "bal",
    "sync": "syn",
    "statement": "stm",
    "bank_document": "doc",
    "chain_restart": "rst",
    "basket": "bsk",
    "payment": "pay",
    "approval_rule": "rul",
    "approver_group": "grp",
    "approval": "apr",
    "export": "exp",
    "audit_entry": "aud",
    "event": "evt",
    "webhook_endpoint": "whe",
    "webhook_delivery": "whd",
    "audit_checkpoint": "chk",
    "audit_bundle": "bdl",
    "review_item": "rev",
    "job": "job",
    "known_account": "kac",
    "address_change": "adr",
    "client_move": "mov",
    "client_import": "imp",
    "foreign_file": "ffl",
    "bank_file": "bfl",
    "source_switch": "ssw",
    "numbering_handover": "nho",
    "statement_upload": "upl",
    "traffic_recording": "rec",
    "recorded_reading": "rrd",
}


def new_id() -> UUID:
    """A UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def encode(kind: str, value: UUID) -> str:
    """`encode("account", uuid)` gives `acc_` and 26 characters."""
    number = value.int
    return f"{PREFIXES[kind]}_{''.join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])}"


def kind_of(text: str) -> str:
    """The kind a typed id is of, by its prefix; raises `ValueError` for an unknown one."""
    prefix = text.partition("_")[0]
    for kind, known in PREFIXES.items():
        if known == prefix:
            return kind
    raise ValueError("not a typed id")


def decode(kind: str, text: str) -> UUID:
    """The UUID inside a typed id; raises `ValueError` for another prefix, length or alphabet."""
    prefix, _, body = text.partition("_")
    if prefix != PREFIXES[kind] or len(body) != 26 or body[0] > "7":
        raise ValueError(f"not an id of kind {kind}")
    number = 0
    for character in body:
        if character not in _VALUES:
            raise ValueError(f"not an id of kind {kind}")
        number = number * 32 + _VALUES[character]
    return UUID(int=number)


class TypedId:
    """Pydantic annotation: a UUID in Python, its typed id in JSON. Use as `Annotated[UUID, TypedId("account")]`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def parse(value: Any) -> UUID:
            if isinstance(value, UUID):
                return value
            try:
                return decode(self.kind, value)
            except (ValueError, AttributeError) as error:
                raise PydanticCustomError(
                    "invalid_id", "an id of the form {prefix}_… is expected", {"prefix": PREFIXES[self.kind]}
                ) from error

        shown = core_schema.plain_serializer_function_ser_schema(lambda value: encode(self.kind, value))
        return core_schema.no_info_plain_validator_function(parse, serialization=shown)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        prefix = PREFIXES[self.kind]
        return {
            "type": "string",
            "pattern": f"^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$",
            "examples": [encode(self.kind, UUID("019aa72f-0000-7000-8000-000000000001"))],
        }


OfficeIdField = Annotated[UUID, TypedId("office")]
UserId = Annotated[UUID, TypedId("user")]
MembershipId = Annotated[UUID, TypedId("membership")]
CredentialId = Annotated[UUID, TypedId("credential")]
ApplicationId = Annotated[UUID, TypedId("application")]
ApplicationSecretId = Annotated[UUID, TypedId("application_secret")]
SessionId = Annotated[UUID, TypedId("session")]
DecisionSignatureId = Annotated[UUID, TypedId("decision_signature")]
PasskeyChallengeId = Annotated[UUID, TypedId("passkey_challenge")]
PasskeyId = Annotated[UUID, TypedId("passkey")]
OidcProviderId = Annotated[UUID, TypedId("oidc_provider")]
OidcLinkId = Annotated[UUID, TypedId("oidc_link")]
ClientId = Annotated[UUID, TypedId("client")]
BankRequestId = Annotated[UUID, TypedId("bank_request")]
ClientGroupId = Annotated[UUID, TypedId("client_group")]
InvitationId = Annotated[UUID, TypedId("invitation")]
ProposalId = Annotated[UUID, TypedId("proposal")]
ConsentId = Annotated[UUID, TypedId("consent")]
ConsentAccountId = Annotated[UUID, TypedId("consent_account")]
AccountProofId = Annotated[UUID, TypedId("account_proof")]
ConsentEvidenceId = Annotated[UUID, TypedId("consent_evidence")]
AccountId = Annotated[UUID, TypedId("account")]
TransactionId = Annotated[UUID, TypedId("transaction")]
SyncId = Annotated[UUID, TypedId("sync")]
StatementId = Annotated[UUID, TypedId("statement")]
BankDocumentId = Annotated[UUID, TypedId("bank_document")]
ChainRestartId = Annotated[UUID, TypedId("chain_restart")]
BasketId = Annotated[UUID, TypedId("basket")]
PaymentId = Annotated[UUID, TypedId("payment")]
ApprovalRuleId = Annotated[UUID, TypedId("approval_rule")]
ApproverGroupId = Annotated[UUID, TypedId("approver_group")]
ApprovalId = Annotated[UUID, TypedId("approval")]
ExportId = Annotated[UUID, TypedId("export")]
EventId = Annotated[UUID, TypedId("event")]
WebhookEndpointId = Annotated[UUID, TypedId("webhook_endpoint")]
WebhookDeliveryId = Annotated[UUID, TypedId("webhook_delivery")]
AuditEntryId = Annotated[UUID, TypedId("audit_entry")]
AuditCheckpointId = Annotated[UUID, TypedId("audit_checkpoint")]
AuditBundleId = Annotated[UUID, TypedId("audit_bundle")]
ReviewItemId = Annotated[UUID, TypedId("review_item")]
JobId = Annotated[UUID, TypedId("job")]
KnownAccountId = Annotated[UUID, TypedId("known_account")]
ClientMoveId = Annotated[UUID, TypedId("client_move")]
AddressChangeId = Annotated[UUID, TypedId("address_change")]
NumberChangeId = Annotated[UUID, TypedId("number_change")]
ClientImportId = Annotated[UUID, TypedId("client_import")]
BankFileId = Annotated[UUID, TypedId("bank_file")]
SourceSwitchId = Annotated[UUID, TypedId("source_switch")]
ForeignFileId = Annotated[UUID, TypedId("foreign_file")]
StatementUploadId = Annotated[UUID, TypedId("statement_upload")]
NumberingHandoverId = Annotated[UUID, TypedId("numbering_handover")]
TrafficRecordingId = Annotated[UUID, TypedId("traffic_recording")]
RecordedReadingId = Annotated[UUID, TypedId("recorded_reading")]
