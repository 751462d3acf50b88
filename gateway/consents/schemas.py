"""API shapes of consents."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.act import Act
from gateway.api import Day, MomentText, Shape
from gateway.consents.renewing import LEAD, is_expiring, renewable_from
from gateway.consents.service import ConsentView
from gateway.consents.states import RenewalAnswer
from gateway.ids import AccountId, ClientId, ConsentAccountId, ConsentId
from gateway.metadata.schemas import TakesMetadata, WithMetadata


class ConsentWrite(TakesMetadata):
    """What is needed to ask an account holder for permission."""

    client_id: ClientId
    bank_id: Annotated[str, Field(max_length=40, examples=["crelan"])]
    language: Annotated[
        Literal["nl", "fr", "en", "de"], Field(description="Language of the page for the account holder.")
    ] = "nl"
    return_url: Annotated[
        str | None,
        Field(max_length=500, description="Where the page leads back to at the end; registered letter by letter."),
    ] = None
    replaces: Annotated[
        ConsentId | None,
        Field(
            description="The consent that this one renews, of the same client and bank: possible in its last "
            f"{LEAD.days} days and at any time after its end. It works on until the new one reads its accounts."
        ),
    ] = None


class ConnectedAccountRead(Shape):
    """An account the account holder chose for the office."""

    id: ConsentAccountId
    account_id: AccountId
    iban: str | None = Field(description="Only the last four for support, who reads no accounts.")
    currency: str
    kind: str
    name: str | None
    product: str | None


class RenewalAnswerRead(Shape):
    """What the account holder said, at a renewal, of an account that is not as before."""

    account_id: AccountId
    answer: RenewalAnswer = Field(
        description="`added` or `replaces` (new), `gone` or `wanted` (not offered any more), `left_out` (not ticked)."
    )
    instead_of_account_id: AccountId | None = Field(description="For `replaces`: the account whose place it took.")
    answered_at: MomentText


class ConsentRead(WithMetadata):
    """A consent; `valid_until` is the earliest of bank answer, bank maximum and office cap."""

    takes_pairs_as = "consent"

    id: ConsentId
    client_id: ClientId
    bank_id: str
    state: str
    state_since: MomentText
    end_code: str | None
    refusal_code: str | None = Field(description="Why the last try at the bank did not succeed.")
    language: str
    valid_until: Day | None
    is_expiring: bool = Field(description="It holds, and its end is near enough to renew it.")
    renewable_from: Day | None = Field(description="First day on which it can be renewed while it holds.")
    replaces: ConsentId | None = Field(description="The consent that this one renews.")
    created_at: MomentText
    authorisation_url_expires_at: MomentText
    accounts: list[ConnectedAccountRead]
    renewal_answers: list[RenewalAnswerRead]

    @classmethod
    def of(cls, view: ConsentView, act: Act) -> ConsentRead:
        """The shape of a view. Until they are chosen, accounts are the account holder's own matter (CON-07).

        Whoever reads no accounts sees masked IBANs (OFF-08).
        """
        consent = view.consent
        shown = [
            ConnectedAccountRead.model_validate(
                {name: getattr(row, name) for name in ConnectedAccountRead.model_fields}
                | ({"iban": _masked(row.iban)} if act.principal.masks_ibans(consent.client_id) else {})
            )
            for row in view.accounts
            if row.account_id is not None
        ]
        return cls(
            id=consent.id,
            client_id=consent.client_id,
            bank_id=consent.bank_id,
            state=consent.state,
            state_since=consent.state_since,
            end_code=consent.end_code,
            refusal_code=consent.refusal_code,
            language=consent.language,
            valid_until=consent.valid_until,
            is_expiring=is_expiring(consent, act.today),
            renewable_from=renewable_from(consent.valid_until),
            replaces=consent.replaces_id,
            created_at=consent.created_at,
            authorisation_url_expires_at=consent.link_expires_at,
            accounts=shown,
            renewal_answers=[
                RenewalAnswerRead(
                    account_id=row.account_id,
                    answer=row.answer,
                    instead_of_account_id=row.instead_of_id,
                    answered_at=row.answered_at,
                )
                for row in view.answers
            ],
        )


def _masked(iban: str | None) -> str | None:
    return f"{'*' * (len(iban) - 4)}{iban[-4:]}" if iban else iban


class ReauthorisationCreated(Shape):
    """The address at which the account holder authorises one account anew; it is shown this once."""

    account_id: AccountId
    authorisation_url: str = Field(
        description="Send the account holder here; it names office and client, and leads to the bank.",
        examples=["https://sluis.example/reauthorise/8lJd…"],
    )
    expires_at: MomentText = Field(description="Until when the address works, also more than once.")


class ConsentCreated(Shape):
    """A new consent with the address for the account holder; it is shown this once."""

    consent: ConsentRead
    authorisation_url: str = Field(
        description="Send the account holder here; it names office and client, and leads to the bank.",
        examples=["https://sluis.example/link/8lJd…"],
    )


class RenewalLinkRead(Shape):
    """The address at which every permission of a client is renewed; it is shown this once."""

    client_id: ClientId
    renewal_url: str = Field(
        description="Send the account holder here; it names office and client, and works without sign-in.",
        examples=["https://sluis.example/renewal/off_01k…"],
    )
    expires_at: MomentText = Field(description="Until when the address works, also more than once.")


class InvitationWrite(Shape):
    """How an invitation goes out."""

    mail: Annotated[bool, Field(description="Mail the address, never the code, to the client's confirmed contact.")] = (
        False
    )


class InvitationCodeRead(Shape):
    """An address and the code that opens it; both are to reach the account holder by different ways."""

    consent_id: ConsentId
    authorisation_url: str = Field(
        description="For a mail, a letter or a QR code.", examples=["https://sluis.example/link/8lJd…"]
    )
    code: str = Field(description="Six digits, shown this once; never in the mail with the address.")
    expires_at: MomentText = Field(description="Until when the address works.")
    is_mailed: bool = Field(description="The address went to the client's contact.")
