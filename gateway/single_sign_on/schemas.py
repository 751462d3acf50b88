"""Shapes of single sign-on in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.ids import OidcProviderId
from gateway.offices.schemas import Name


class OidcProviderWrite(Shape):
    """An identity provider of the office."""

    name: Name
    issuer: Annotated[
        str,
        Field(
            max_length=300,
            pattern=r"^https?://[^\s?#@]+$",
            description="To the letter as the provider writes it in `iss`.",
            examples=["https://login.example.be"],
        ),
    ]
    client_id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$", examples=["sluis"])]
    client_secret: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[\x21-\x7e]+$")] | None = Field(
        default=None, description="Left out for a public client; never shown again."
    )


class OidcProviderRead(Shape):
    """An identity provider without its secret."""

    id: OidcProviderId
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    sign_in_url: str = Field(description="Where people of the office sign in through this provider.")
    redirect_url: str = Field(description="To register at the provider.")
    created_at: MomentText


class OidcLinkRead(Shape):
    """An account of the person at a provider of the office."""

    provider_id: OidcProviderId
    created_at: MomentText
    last_used_at: MomentText | None
