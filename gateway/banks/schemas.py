"""API shapes of banks."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.api import MomentText, Shape
from gateway.banks.access import LACK_TEXTS
from gateway.banks.directory import DirectoryEntry
from gateway.banks.models import BankRequest
from gateway.banks.status import UNKNOWN, LiveState, LiveStatus
from gateway.i18n import translate
from gateway.ids import BankRequestId
from gateway.offices.schemas import Name


class BankCapabilities(Shape):
    """What the bank's interface offers: `yes`, `no` or `unknown`; unknowns are marked, not invented."""

    booked_balance: str = Field(description="Needed to prove a day for CODA.")
    pending: str
    single_payments: str
    bulk_payments: str
    instant_payments: str


class BankMissing(Shape):
    """Something the installation lacks before this bank can be linked."""

    code: str = Field(
        description="`access`, `tls_certificate`, `tls_certificate_unusable`, `seal_certificate`, "
        "`seal_certificate_unusable`, `identifier_differs`, `key_id`, `api_key` or `client_secret`."
    )
    text: str = Field(description="The same for people, in the caller's language.")


class BankLiveStatus(Shape):
    """How the bank works just now, as the readings of this office met it in the last 24 hours."""

    state: LiveState = Field(
        description="`working`, `disturbed` (its newest reading failed at the bank), `refused` (it does not accept "
        "this installation) or `unknown` (nothing was read there)."
    )
    as_of: MomentText | None = Field(description="The reading that tells it.")


class BankRead(Shape):
    """A bank of the directory."""

    id: str
    name: str
    former_names: list[str] = Field(description="Banks whose accounts live here now.")
    bics: list[str]
    is_configured: bool = Field(description="False: this installation has no access yet, and cannot offer it.")
    missing: list[BankMissing] = Field(
        description="What the operator must see to before the bank is offered; empty for one that is configured."
    )
    route: str = Field(description="`direct`, or `ponto` for what is read from the copy Ponto keeps.")
    linked_as: str = Field(
        description="The bank id of a consent for accounts at this bank. Another than `id` where the bank has no "
        "connection of its own and the account holder chooses it at that other one."
    )
    consent_days_max: int
    is_consent_maximum_confirmed: bool
    history_days: int
    capabilities: BankCapabilities
    live_status: BankLiveStatus
    proof: str = Field(description="How far the connection was proven: described, simulated, sandbox, live.")
    user_hint: str | None = Field(description="What the account holder needs at hand, in the caller's language.")

    @classmethod
    def of(cls, entry: DirectoryEntry, language: str, status: LiveStatus = UNKNOWN) -> BankRead:
        """The shape of an entry."""
        profile = entry.profile
        return cls(
            id=profile.bank_id,
            name=profile.name,
            former_names=list(profile.routed_from),
            bics=list(profile.bics),
            is_configured=entry.is_configured,
            missing=[BankMissing(code=str(lack), text=translate(language, LACK_TEXTS[lack])) for lack in entry.missing],
            route="ponto" if profile.family == "ponto" else "direct",
            linked_as=entry.linked_as,
            consent_days_max=profile.consent_validity.days,
            is_consent_maximum_confirmed=profile.is_consent_validity_confirmed,
            history_days=profile.history.days,
            capabilities=BankCapabilities(
                booked_balance=str(profile.gives_booked_balance),
                pending=str(profile.gives_pending),
                single_payments=str(profile.pays_single),
                bulk_payments=str(profile.pays_bulk),
                instant_payments=str(profile.pays_instant),
            ),
            live_status=BankLiveStatus(state=status.state, as_of=status.as_of),
            proof=str(profile.proof),
            user_hint=profile.user_hints.get(language) or profile.user_hints.get("en"),
        )


class BankRequestWrite(Shape):
    """A bank that is missing."""

    name: Annotated[Name, Field(examples=["Bank Voorbeeld"], description="As its customers know it.")]


class BankRequestRead(Shape):
    """A bank the office asked for."""

    id: BankRequestId
    name: str = Field(description="As the first who asked wrote it.")
    created_at: MomentText

    @classmethod
    def of(cls, found: BankRequest) -> BankRequestRead:
        """The shape of a request."""
        return cls(id=found.id, name=found.name, created_at=found.created_at)
