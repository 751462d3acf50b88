"""Shapes of the audit chain in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.api import AmountText, Day, MomentText, Shape
from gateway.ids import (
    ApprovalRuleId,
    AuditBundleId,
    AuditCheckpointId,
    AuditEntryId,
    ClientId,
    JobId,
    MembershipId,
    UserId,
)


class AuditEntryRead(Shape):
    """One act. Values are not shown here; `digests` names the fields that changed."""

    id: AuditEntryId
    position: Annotated[int, Field(description="1, 2, 3 … within the office, without gaps.")]
    occurred_at: MomentText
    actor_kind: str
    actor_id: str
    action: Annotated[str, Field(examples=["payment.approved"])]
    object_kind: str
    object_id: str
    client_id: ClientId | None
    request_id: str | None
    second_factor: str | None
    via: str | None = Field(description="The application through which a person acted.")
    changed_fields: list[str]
    mac: Annotated[str, Field(description="Hexadecimal; covers this entry and the one before it.")]


class AuditChainRead(Shape):
    """Whether the chain holds: what was added since the last signed head is proved now, the whole every night."""

    is_intact: bool
    entries: int
    first_fault: str | None = Field(description="The first broken or missing entry, in words.")
    verified_from: int = Field(
        description="First entry proved just now; those before it were proved when their head was signed."
    )
    verified_until: int = Field(description="Last entry proved just now.")
    whole_verified_at: MomentText | None = Field(
        description="When the chain was last proved from its first entry; null before the first night."
    )
    whole_verified_until: int | None = Field(description="The last entry it had then.")


class AuditCheckpointRead(Shape):
    """The head of the chain at a position, signed by the key that `sluis keys public` prints."""

    id: AuditCheckpointId
    position: int
    link: Annotated[str, Field(description="Hexadecimal; the hash chain after the entry at this position.")]
    made_at: MomentText
    key: Annotated[str, Field(description="Fingerprint of the signing key.")]
    signature: Annotated[str, Field(description="Ed25519, hexadecimal.")]
    document: Annotated[dict[str, Any], Field(description="What the signature covers, as canonical JSON.")]


class AuditBundleWrite(Shape):
    """Which clients and days, whole days in Brussels, both inclusive."""

    client_ids: Annotated[list[ClientId], Field(min_length=1, max_length=500)]
    from_date: Annotated[Day, Field(alias="from")]
    until_date: Annotated[Day, Field(alias="until")]
    seed: Annotated[
        str | None, Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Draws the random sample.")
    ]
    sample_size: Annotated[int, Field(default=25, ge=0, le=1000)]
    first_payment_above: Annotated[
        AmountText, Field(default="0", description="In EUR: limit of the list of first payments.", examples=["5000.00"])
    ]


class AuditBundleRead(Shape):
    """A bundle: being made, ready to be downloaded, or not made because the chain does not hold."""

    id: AuditBundleId
    state: Literal["queued", "ready", "failed"]
    job_id: Annotated[JobId | None, Field(description="The job that makes it: progress, cancelling.")]
    client_ids: list[ClientId]
    from_date: Annotated[Day, Field(serialization_alias="from")]
    until_date: Annotated[Day, Field(serialization_alias="until")]
    seed: str
    created_at: MomentText
    finished_at: MomentText | None
    failure: Annotated[str | None, Field(description="The first broken entry, or `cancelled`, when it was not made.")]
    head_position: int | None
    entries: Annotated[int | None, Field(description="Audit entries shown in full.")]
    sha256: str | None
    size: int | None


class RightRead(Shape):
    """A role somebody held at the moment asked for."""

    membership_id: MembershipId
    user_id: UserId
    role: str
    client_id: Annotated[ClientId | None, Field(description="Null for a role of the office.")]
    salaries: Annotated[bool, Field(description="Whether payments of wages are included.")]
    since: MomentText
    from_date: Annotated[Day | None, Field(description="First day of an auditor.")]
    until_date: Annotated[Day | None, Field(description="Last day of an auditor.")]
    ended_at: MomentText | None


class RuleVersionRead(Shape):
    """What an approval rule said from one moment on."""

    rule_id: ApprovalRuleId
    client_id: ClientId
    version: int
    name: str
    is_active: bool
    conditions: dict[str, Any]
    approvers: list[dict[str, Any]]
    mode: str
    count: int
    created_by: UserId
    created_at: MomentText


class ObjectField(Shape):
    """One field as the audit chain last saw it change."""

    field: str
    value: Any
    is_erased: Annotated[bool, Field(description="The value was erased; that it changed is still proved.")]
    position: int
    changed_at: MomentText
    entry_id: AuditEntryId


class ObjectStateRead(Shape):
    """An object as its audit entries tell it, at the moment asked for."""

    object_id: str
    as_of: MomentText
    items: list[ObjectField]
