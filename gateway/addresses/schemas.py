"""Shapes of addresses in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.addresses.service import CHANGES_MAX, ChangeView
from gateway.addresses.states import AddressKind, ChangeState
from gateway.api import MomentText, Shape
from gateway.ids import AccountId, AddressChangeId, ClientId, ClientImportId, UserId
from gateway.profiles.models import ClientProfile

Text = Annotated[str, Field(min_length=1, max_length=254)]


class AddressesWrite(Shape):
    """The fields to set; null takes one away, those left out stay as they are."""

    contact_name: Annotated[str, Field(min_length=1, max_length=70)] | None = None
    contact_email: Text | None = Field(default=None, examples=["an.voorbeeld@example.be"])
    mobile: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(default=None, examples=["+32470555010"])
    delivery: Annotated[str, Field(max_length=10)] | None = Field(
        default=None, examples=["email"], description="`download`, `sftp`, `ftps`, `email`, `agent` or `manual`."
    )
    destination: Text | None = Field(default=None, examples=["boekhouding@example.be"])


class AddressesRead(Shape):
    """Where a client is written to and where its files go; without a moment of confirmation nothing does."""

    contact_name: str | None = None
    contact_email: str | None = None
    mobile: str | None = None
    contact_confirmed_at: MomentText | None = Field(default=None, description="Null: nothing is sent to the contact.")
    delivery: str | None = None
    destination: str | None = None
    destination_confirmed_at: MomentText | None = Field(default=None, description="Null: nothing is delivered.")

    @classmethod
    def of(cls, profile: ClientProfile | None) -> AddressesRead:
        """The shape of a row."""
        if profile is None:
            return cls()
        return cls.model_validate({name: getattr(profile, name) for name in cls.model_fields})


class AddressChangeRead(Shape):
    """A new or changed address: what it is now, and whether it may get anything."""

    id: AddressChangeId
    client_id: ClientId
    client_name: str
    account_id: AccountId | None = Field(description="The account whose own destination it is; null: the client's.")
    kind: Annotated[AddressKind, Field(strict=False)]
    state: Annotated[ChangeState, Field(strict=False)]
    contact_name: str | None = Field(description="Of a contact.")
    contact_email: str | None = Field(description="Of a contact.")
    mobile: str | None = Field(description="Of a contact.")
    delivery: str | None = Field(description="Of a destination: the channel.")
    destination: str | None = Field(description="Of a destination.")
    import_id: ClientImportId | None
    created_at: MomentText
    effective_at: MomentText | None = Field(description="When it counts by itself: the office has one admin.")
    decided_at: MomentText | None
    decider_id: UserId | None
    can_confirm: bool = Field(description="Whether the caller is an admin who did not set it.")

    @classmethod
    def of(cls, view: ChangeView) -> AddressChangeRead:
        """The shape of a view."""
        row, profile = view.change, view.profile
        is_contact = row.kind is AddressKind.CONTACT
        names = ("contact_name", "contact_email", "mobile") if is_contact else ("delivery", "destination")
        # Only what waits still stands in the profile; later values belong to later changes.
        is_shown = (profile is not None or view.account is not None) and row.state is not ChangeState.REPLACED
        holder = profile if is_contact else view
        shown = {name: getattr(holder, name) if is_shown else None for name in names}
        return cls.model_validate(
            {
                **dict.fromkeys(("contact_name", "contact_email", "mobile", "delivery", "destination")),
                **{name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)},
                **shown,
                "client_name": view.client.name,
                "can_confirm": view.can_confirm,
            }
        )


class AddressDecisionWrite(Shape):
    """What is decided, on these changes or on all that wait of one import."""

    verdict: Literal["confirm", "refuse"]
    change_ids: Annotated[list[AddressChangeId], Field(min_length=1, max_length=CHANGES_MAX)] | None = None
    import_id: ClientImportId | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> AddressDecisionWrite:
        if (self.change_ids is None) == (self.import_id is None):
            raise ValueError("give change_ids or import_id")
        return self


class AddressDecisionRead(Shape):
    """How many addresses were decided on."""

    verdict: Literal["confirm", "refuse"]
    count: int
