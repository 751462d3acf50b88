"""Tables of consents, the accounts a bank offered under them, and the hashes that lead back to them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from gateway.consents.states import RenewalAnswer
from gateway.database import Base, Moment, office_key, office_reference, words


class CallbackToken(Base, table=True):
    """Global, so that a link or a call-back from a bank finds its office; holds hashes only, never the tokens."""

    __tablename__ = "callback_token"

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    consent_id: UUID = Field(index=True)
    account_id: UUID | None = None
    """The one account that is authorised anew, for `account` and `anew`."""
    purpose: str = Field(max_length=10)
    """`link` (our page, CON-06) or `state` (one authorisation at the bank, CON-05); `account` and `anew`, the same for
    one account (CON-16)."""
    token_hash: bytes = Field(unique=True)
    browser_hash: bytes | None = None
    """The only browser in which a state counts."""
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    """Real time, like everything about tokens."""
    used_at: datetime | None = Field(default=None, sa_type=Moment)


class Consent(Base, table=True):
    """The PSU's permission at one bank for one client; `states.TRANSITIONS` is its life."""

    __tablename__ = "consent"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("replaces_id", "consent"),
        office_reference("sitting_id", "consent_sitting"),
        Index("ix_consent_office_state", "office_id", "state"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID = Field(index=True)
    bank_id: str = Field(max_length=40)
    replaces_id: UUID | None = None
    """The consent that this one renews; it works on until its accounts are read under this one (CON-11)."""
    sitting_id: UUID | None = None
    """The sitting in which it renews (CON-12)."""
    state: str = Field(max_length=24)
    state_since: datetime = Field(sa_type=Moment)
    end_code: str | None = Field(default=None, max_length=40)
    """Why it ended, such as `consent_expired`."""
    language: str = Field(max_length=2)
    return_url: str | None = Field(default=None, max_length=500)
    valid_until: date | None = None
    """Last day: the earliest of the bank's answer, the bank's maximum and the office's cap (CON-09)."""
    link_cipher: bytes
    """Our link token, so that the browser of the call-back is led back to its page."""
    link_expires_at: datetime = Field(sa_type=Moment)
    """Real time."""
    handle_cipher: bytes | None = None
    """Bank's consent id and what the connector needs to go on."""
    callback_cipher: bytes | None = None
    """Parameters of a call-back that counted but is not finished yet: a crash in between loses no code."""
    tokens_cipher: bytes | None = None
    tokens_version: int = 0
    refresh_started_at: datetime | None = Field(default=None, sa_type=Moment)
    """A worker is spending the refresh token now; left behind by one that died (CON-15)."""
    browser_hash: bytes | None = None
    """The browser whose call-back counted; the accounts open in it only (CON-07)."""
    is_code_needed: bool = False
    """An invitation: its link opens in a browser only after a code (CON-06)."""
    code_hash: bytes | None = None
    """The code that was not used yet."""
    code_tries: int = 0
    """Wrong codes, of whatever codes there were."""
    code_browser_hash: bytes | None = None
    """The browser in which a code was given."""
    starts_failed: int = 0
    refusal_code: str | None = Field(default=None, max_length=40)
    """Why the last authorisation did not succeed; the link stays usable."""
    polled_at: datetime | None = Field(default=None, sa_type=Moment)
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the bank last accepted a request, real time."""
    accounts_read_at: datetime | None = Field(default=None, sa_type=Moment)
    chosen_at: datetime | None = Field(default=None, sa_type=Moment)
    is_bank_end_due: bool = False
    """Ended here, and the bank does not know yet."""
    created_at: datetime = Field(sa_type=Moment)
    version: int = 1


class ConsentSitting(Base, table=True):
    """A link that leads the account holder through all permissions of a client (CON-12)."""

    __tablename__ = "consent_sitting"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        UniqueConstraint("office_id", "token_hash"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    token_hash: bytes
    link_cipher: bytes
    """The token, so that the browser is led back from one bank to the next."""
    ends_on: date | None = None
    """The last day that all of them get: that of the shortest, once the first was begun."""
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    """Real time."""


class ConsentReminder(Base, table=True):
    """That a consent was reminded of so many days before this last day (CON-10)."""

    __tablename__ = "consent_reminder"
    __table_args__ = (
        office_key(),
        office_reference("consent_id", "consent"),
        UniqueConstraint("consent_id", "valid_until", "days_before"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    consent_id: UUID
    valid_until: date
    """A permission that is prolonged at its source is reminded of anew."""
    days_before: int
    made_at: datetime = Field(sa_type=Moment)


class ConsentAccount(Base, table=True):
    """An account the bank listed under a consent, of any kind; only current ones can be chosen (CON-08)."""

    __tablename__ = "consent_account"
    __table_args__ = (
        office_key(),
        office_reference("consent_id", "consent"),
        office_reference("account_id", "account"),
        UniqueConstraint("consent_id", "bank_account_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    consent_id: UUID = Field(index=True)
    bank_account_id: str = Field(max_length=200)
    iban: str | None = Field(default=None, max_length=34)
    currency: str = Field(max_length=3)
    kind: str = Field(max_length=12)
    name: str | None = Field(default=None, max_length=140)
    product: str | None = Field(default=None, max_length=140)
    holder_name: str | None = Field(default=None, max_length=140)
    bic: str | None = Field(default=None, max_length=11)
    is_closed: bool = False
    account_id: UUID | None = None
    """Our account, once chosen."""


class AccountProof(Base, table=True):
    """An account that was ticked and does not show that it is the client's; unknown to the office (CON-08)."""

    __tablename__ = "account_proof"
    __table_args__ = (
        office_key(),
        office_reference("client_id", "client"),
        office_reference("consent_id", "consent"),
        office_reference("consent_account_id", "consent_account"),
        office_reference("instead_of_id", "account"),
        UniqueConstraint("office_id", "consent_account_id"),
        Index("ix_account_proof_consent", "consent_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    client_id: UUID
    consent_id: UUID
    consent_account_id: UUID
    state: str = Field(max_length=8)
    """`unproven`, then `new` once it is an account, or `ended`: `accounts.states`."""
    state_since: datetime = Field(sa_type=Moment)
    doubt: str = Field(max_length=12)
    """`other_holder` or `no_holder`."""
    proven_by: str | None = Field(default=None, max_length=8)
    """`client` or `operator`."""
    relation: str | None = Field(default=None, max_length=12)
    """What the holder whom the bank names is to the client."""
    reason: str | None = Field(default=None, max_length=200)
    """The operator's, for the audit."""
    end_code: str | None = Field(default=None, max_length=24)
    move_on: date | None = None
    """What was chosen with it, for the day on which it is proven: as `choice.connect`."""
    with_rules: bool = False
    answer: str | None = Field(default=None, max_length=12)
    instead_of_id: UUID | None = None


class ConsentEvidence(Base, table=True):
    """A PDF that proves which accounts were connected, kept encrypted with its hash (CON-07)."""

    __tablename__ = "consent_evidence"
    __table_args__ = (office_key(), office_reference("consent_id", "consent"))

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    consent_id: UUID = Field(index=True)
    text_version: str = Field(max_length=20)
    """As `wording.text_version`."""
    accounts_count: int
    content_cipher: bytes
    sha256: str = Field(max_length=64)
    made_at: datetime = Field(sa_type=Moment)


class ConsentAnswer(Base, table=True):
    """What the account holder said, at a renewal, of an account that is not as before (CON-11)."""

    __tablename__ = "consent_answer"
    __table_args__ = (
        office_key(),
        office_reference("consent_id", "consent"),
        office_reference("account_id", "account"),
        office_reference("instead_of_id", "account"),
        UniqueConstraint("consent_id", "account_id"),
    )

    id: UUID = Field(primary_key=True)
    office_id: UUID = Field(foreign_key="office.id")
    consent_id: UUID
    """The renewal."""
    account_id: UUID
    answer: RenewalAnswer = Field(sa_type=words(RenewalAnswer))
    instead_of_id: UUID | None = None
    """For `replaces`: the account whose place it took."""
    answered_at: datetime = Field(sa_type=Moment)
