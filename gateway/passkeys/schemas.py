"""Shapes of passkeys in the API; `options` and `credential` have the JSON form of WebAuthn level 3."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.ids import OfficeIdField, PasskeyChallengeId, PasskeyId
from gateway.offices.schemas import Name

Credential = Annotated[
    dict[str, Any],
    Field(
        description="PublicKeyCredential as its toJSON() gives it.",
        max_length=20,
        examples=[{"id": "…", "rawId": "…", "type": "public-key", "response": {}, "clientExtensionResults": {}}],
    ),
]


class PasskeyQuestion(Shape):
    """What to hand to the authenticator; to be answered once, within five minutes."""

    challenge_id: PasskeyChallengeId
    options: dict[str, Any] = Field(description="For parseCreationOptionsFromJSON or parseRequestOptionsFromJSON.")


class PasskeyAnswer(Shape):
    """What the authenticator gave back."""

    challenge_id: PasskeyChallengeId
    credential: Credential


class PasskeyWrite(PasskeyAnswer):
    """A new passkey."""

    name: Name
    enrolment_code: str | None = Field(
        default=None, max_length=12, description="From an administrator; needed for a first second factor with rights."
    )


class PasskeySessionWrite(PasskeyAnswer):
    """Signing in with a passkey alone."""

    office_id: OfficeIdField | None = Field(default=None, description="Needed by people of several offices.")


class PasskeyRead(Shape):
    """A passkey of the person."""

    id: PasskeyId
    name: str
    is_backed_up: bool = Field(description="Kept by a password manager, so it survives the loss of a device.")
    is_blocked: bool = Field(description="Its counter went backwards, so it may have been copied; remove it.")
    created_at: MomentText
    last_used_at: MomentText | None


class PasskeyAdded(Shape):
    """The new passkey, and the session's token to use from now on."""

    passkey: PasskeyRead
    token: str
