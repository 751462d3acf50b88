"""Shapes of offices and clients in the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from gateway.api import MomentText, Shape
from gateway.i18n import _
from gateway.ids import ClientId, NumberChangeId, OfficeIdField, UserId
from gateway.imports.values import Faulty, email, mobile
from gateway.metadata.schemas import TakesMetadata, WithMetadata
from gateway.offices.models import Client, ClientState, NumberChange, Service
from gateway.offices.numbers import NumberReason, NumberWish
from gateway.offices.service import ClientWish
from gateway.offices.switches import ClientSwitches
from gateway.profiles.models import ClientProfile
from gateway.profiles.records import RECORD_FIELDS

Language = Literal["nl", "fr", "en", "de"]
ONE_LINE = r"^[^\x00-\x1f\x7f]+$"


def _email(value: str) -> str:
    return _checked(email, value, _("This is not an e-mail address."))


def _mobile(value: str) -> str:
    return _checked(mobile, value, _("This is not a phone number with its country code."))


def _checked(read: Callable[[str], str], value: str, sentence: str) -> str:
    try:
        return read(value)
    except Faulty:
        raise ValueError(sentence) from None


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=70, strip_whitespace=True, pattern=ONE_LINE),
    Field(examples=["Bakkerij Voorbeeld BV"]),
]
EnterpriseNumber = Annotated[
    str, Field(max_length=20, examples=["0477472701"], description="10 digits; dots, blanks and BE are accepted.")
]


Services = Annotated[
    list[Annotated[Service, Field(strict=False)]],
    Field(
        max_length=3, examples=[["transactions", "coda"]], description="The services that are on; the others are off."
    ),
]


class OfficeRead(Shape):
    """The office the caller works for."""

    id: OfficeIdField
    name: str
    language: Language
    mode: Literal["live", "test"]
    consent_days_max: int = Field(description="The office's cap on the life of a consent, in days.")
    services: list[Annotated[Service, Field(strict=False)]] = Field(description="Services that are on for the office.")
    default_delivery: str | None = Field(description="Channel of clients that have none of their own.")
    version: int


Channel = Literal["download", "sftp", "ftps", "email", "agent", "manual"]
Package = Literal[
    "winbooks", "bob50", "exact_online", "octopus", "yuki", "horus", "adsolut", "expert_m", "wings", "clearfacts",
    "neutral",
]  # fmt: skip
Label = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True, pattern=ONE_LINE)]
Email = Annotated[str, Field(max_length=254, examples=["boekhouding@example.be"]), AfterValidator(_email)]
Mobile = Annotated[str, Field(max_length=40, examples=["+32470123456"], description="E.164."), AfterValidator(_mobile)]


class ClientRecord(Shape):
    """What the office notes of a client; what is not named stays as it is, null empties a field."""

    client_code: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[^/\\\x00-\x1f\x7f]+$")] | None = Field(
        default=None, description="Names folders: no slashes and no two dots in a row."
    )
    contact_name: Name | None = None
    contact_email: Email | None = Field(default=None, description="Gets nothing until it is confirmed.")
    mobile: Mobile | None = None
    responsible_id: UserId | None = Field(default=None, description="Who of the office looks after the client.")
    labels: Annotated[list[Label], Field(max_length=20, default_factory=list)]
    package: Package | None = Field(default=None, description="Accounting package.")
    delivery: Channel | None = Field(default=None, description="Null: as the office.")
    destination: Annotated[str, StringConstraints(min_length=1, max_length=254, strip_whitespace=True)] | None = Field(
        default=None, description="Gets nothing until it is confirmed."
    )


class ClientRecordRead(ClientRecord):
    """The record, and which of its addresses count."""

    contact_confirmed: bool
    destination_confirmed: bool


class ClientWrite(TakesMetadata):
    """A client by its key: the enterprise number with the dossier code, or `external_id` for a person without one."""

    name: Name
    language: Language = "nl"
    enterprise_number: EnterpriseNumber | None = None
    dossier_code: Annotated[str, Field(max_length=20)] = ""
    external_id: Annotated[str, Field(min_length=1, max_length=70)] | None = None
    financial_year_end: Annotated[
        str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", examples=["12-31"])
    ] = "12-31"
    state: Literal["active", "pending"] = Field(
        default="active",
        description="Of a new client. A pending one is set up and moves nothing until its first bank permission or "
        "accepted invitation, or an administrator of the office, makes it active. One that is there keeps its state.",
    )
    skip_registry_check: bool = Field(
        default=False,
        description="Admit a starter whose number is not registered yet. The check digits hold all the same, and the "
        "client is listed with `registered=false` until that is confirmed.",
    )
    record: ClientRecord | None = None

    def wish(self) -> ClientWish:
        """As the service takes it: of the record what is named only."""
        record = (
            {} if self.record is None else {name: getattr(self.record, name) for name in self.record.model_fields_set}
        )
        if "labels" in record:
            record["labels"] = list(dict.fromkeys(record["labels"]))
        return ClientWish(**self.model_dump(exclude={"record", "state"}), state=ClientState(self.state), record=record)


class PortalFlags(Shape):
    """What the portal shows and does for a client."""

    show_transactions: bool
    show_coda: bool
    prepare_while_processing: bool = Field(description="Prepare payments while invoices are still processed.")


class ClientRead(WithMetadata):
    """A client of the office."""

    takes_pairs_as = "client"

    id: ClientId
    name: str
    language: Language
    state: ClientState
    enterprise_number: str | None
    dossier_code: str
    external_id: str | None
    financial_year_end: str
    registered: bool = Field(description="False: admitted before the registry knew the number, to be confirmed.")
    record: ClientRecordRead
    services: list[Service] = Field(
        description="Services that are on for the client, as far as the office has them on."
    )
    portal: PortalFlags
    created_at: MomentText


def client_read(client: Client, profile: ClientProfile | None) -> ClientRead:
    """A client as the API shows it."""
    other = ("services", "portal", "registered", "record", "metadata")
    columns = {name: getattr(client, name) for name in ClientRead.model_fields if name not in other}
    noted = {} if profile is None else {name: getattr(profile, name) for name in RECORD_FIELDS}
    return ClientRead(
        **columns,
        registered=client.unregistered_since is None,
        record=ClientRecordRead.model_construct(
            **{**dict.fromkeys(RECORD_FIELDS), "labels": [], **noted},
            contact_confirmed=profile is not None and profile.contact_confirmed_at is not None,
            destination_confirmed=profile is not None and profile.destination_confirmed_at is not None,
        ),
        services=[Service(name) for name in client.services],
        portal=PortalFlags(
            show_transactions=client.portal_shows_transactions,
            show_coda=client.portal_shows_coda,
            prepare_while_processing=client.portal_prepares_while_processing,
        ),
    )


class OfficeServicesWrite(Shape):
    """The services of the office."""

    services: Services


class ClientServicesWrite(Shape):
    """The services of a client, and what the portal shows of it."""

    services: Services
    portal: PortalFlags

    def wish(self) -> ClientSwitches:
        """As the service takes it."""
        return ClientSwitches(
            frozenset(self.services),
            self.portal.show_transactions,
            self.portal.show_coda,
            self.portal.prepare_while_processing,
        )


class ClientStateWrite(Shape):
    """The state to move to."""

    state: Annotated[ClientState, Field(strict=False)]


class NumberChangeWrite(Shape):
    """Another number for a client, with the document that proves it."""

    enterprise_number: EnterpriseNumber
    dossier_code: Annotated[str, Field(max_length=20)] = ""
    reason: Annotated[NumberReason, Field(strict=False)]
    document: Annotated[
        str,
        Field(
            max_length=7_000_000, examples=["JVBERi0xLjcK"], description="PDF, PNG or JPEG in base64, at most 5 MiB."
        ),
    ]
    skip_registry_check: bool = False

    def wish(self) -> NumberWish:
        """As the service takes it."""
        return NumberWish(**self.model_dump())


class NumberChangeRead(Shape):
    """A change of a client's number."""

    id: NumberChangeId
    client_id: ClientId
    old_number: str | None
    old_dossier_code: str
    new_number: str
    new_dossier_code: str
    reason: Annotated[NumberReason, Field(strict=False)]
    document_sha256: str
    document_type: str
    changed_by: str = Field(description="Who did it, a person or a key.")
    changed_at: MomentText

    @classmethod
    def of(cls, row: NumberChange) -> NumberChangeRead:
        """A change as the API shows it."""
        columns = {name: getattr(row, name) for name in cls.model_fields if name != "changed_by"}
        return cls(**columns, changed_by=str(row.changed_by))


class ClockRead(Shape):
    """The clock of an office in test mode."""

    now: MomentText
    offset_seconds: int


class ClockWrite(Shape):
    """How far to move the clock forward."""

    advance_days: Annotated[int, Field(ge=0, le=366)] = 0
    advance_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
