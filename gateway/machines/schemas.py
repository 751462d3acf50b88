"""Shapes of API keys and applications in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.ids import ApplicationId, ApplicationSecretId, ClientId, CredentialId
from gateway.offices.schemas import Name

Scopes = Annotated[
    list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=20, examples=[["coda", "accounts"]])
]
Addresses = Annotated[
    list[Annotated[str, Field(max_length=50)]],
    Field(max_length=50, description="Networks it may call from; empty: from anywhere.", examples=[["192.0.2.0/24"]]),
]


class CredentialWrite(Shape):
    """A new API key."""

    name: Name
    scopes: Scopes
    expires_at: MomentText | None = None
    allowed_addresses: Addresses = Field(default_factory=list)
    client_ids: Annotated[list[ClientId], Field(max_length=1000)] | None = Field(
        default=None, description="The only clients it sees; null: all of the office."
    )


class CredentialRead(Shape):
    """An API key without its secret."""

    id: CredentialId
    name: str
    prefix: str
    scopes: list[str]
    allowed_addresses: list[str]
    client_ids: list[ClientId] | None
    created_at: MomentText
    expires_at: MomentText | None
    last_used_at: MomentText | None
    revoked_at: MomentText | None


class CredentialCreated(Shape):
    """A new API key with its secret, shown this once."""

    credential: CredentialRead
    token: str


class ApplicationWrite(Shape):
    """A new application; scopes for decisions and exports are granted by the operator."""

    name: Name
    scopes: Scopes
    allowed_addresses: Addresses = Field(default_factory=list)


class SecretRead(Shape):
    """A secret in use, without the secret."""

    id: ApplicationSecretId
    created_at: MomentText
    last_used_at: MomentText | None


class ApplicationRead(Shape):
    """An application as this office sees it; `id` is its `client_id`."""

    id: ApplicationId
    name: str
    scopes: list[str] = Field(description="What it has at this office.")
    allowed_addresses: list[str]
    is_own: bool = Field(description="Made by this office, which keeps its secrets; otherwise by the operator.")
    created_at: MomentText
    last_used_at: MomentText | None
    secrets: list[SecretRead] = Field(description="At most two; empty when the operator keeps them.")


class ApplicationCreated(Shape):
    """A new application with its first secret, shown this once."""

    client_id: ApplicationId
    client_secret: str


class SecretCreated(Shape):
    """A new secret, shown this once."""

    id: ApplicationSecretId
    client_secret: str


class AssertionLinkWrite(Shape):
    """An assertion of the person's own, fresh from the identity provider."""

    assertion: Annotated[str, Field(max_length=65536)]
