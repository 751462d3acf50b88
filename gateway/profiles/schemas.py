"""Shapes of known accounts in the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.accounts.schemas import Alias, DossierCode, Position
from gateway.api import Day, MomentText, Shape
from gateway.ids import AccountId, ClientId, KnownAccountId
from gateway.profiles.models import KnownAccount

Iban = Annotated[
    str,
    Field(min_length=5, max_length=42, examples=["BE34 1030 7142 3390"], description="Blanks are accepted."),
]
Bic = Annotated[str, Field(max_length=11, examples=["NICABEBB"])]


class KnownAccountWrite(Shape):
    """A number of a client, without a consent."""

    client_id: ClientId
    iban: Iban
    bic: Bic | None = None
    alias: Alias = None
    position: Position | None = Field(default=None, description="Without it, after the client's last account.")
    is_visible: bool = True
    is_default_debtor: bool = False
    dossier_code: DossierCode = None
    statements_from: Day | None = Field(
        default=None, description="First day of statements, once the account is connected."
    )


class KnownAccountPatch(Shape):
    """The fields to change; those left out stay as they are. The number itself does not change."""

    bic: Bic | None = None
    alias: Alias = None
    position: Position = 1
    is_visible: bool = True
    is_default_debtor: bool = False
    dossier_code: DossierCode = None
    statements_from: Day | None = None


class KnownAccountRead(Shape):
    """A client's number that is not connected; own transfers are recognised by it, and payments can leave from it."""

    id: KnownAccountId
    client_id: ClientId
    debtor_account_id: AccountId = Field(
        description="What payments name to leave from it; the account's id once it is connected."
    )
    iban: str
    bic: str | None
    bank_id: str | None
    alias: str | None
    position: int
    is_visible: bool
    is_default_debtor: bool
    dossier_code: str | None
    statements_from: Day | None
    created_at: MomentText
    version: int

    @classmethod
    def of(cls, known: KnownAccount) -> KnownAccountRead:
        """The shape of a row."""
        values = {name: getattr(known, name) for name in cls.model_fields if name != "debtor_account_id"}
        return cls.model_validate({**values, "debtor_account_id": known.id})
