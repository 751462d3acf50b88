"""Shapes of offices and clients in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gateway.api import MomentText, Shape
from gateway.ids import ClientId, OfficeIdField
from gateway.offices.models import Client, ClientState, Service
from gateway.offices.switches import ClientSwitches

Language = Literal["nl", "fr", "en", "de"]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=70, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$"),
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


class ClientWrite(Shape):
    """A client by its key: the enterprise number with the dossier code, or `external_id` for a person without one."""

    name: Name
    language: Language = "nl"
    enterprise_number: EnterpriseNumber | None = None
    dossier_code: Annotated[str, Field(max_length=20)] = ""
    external_id: Annotated[str, Field(min_length=1, max_length=70)] | None = None
    financial_year_end: Annotated[
        str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", examples=["12-31"])
    ] = "12-31"


class PortalFlags(Shape):
    """What the portal shows and does for a client."""

    show_transactions: bool
    show_coda: bool
    prepare_while_processing: bool = Field(description="Prepare payments while invoices are still processed.")


class ClientRead(Shape):
    """A client of the office."""

    id: ClientId
    name: str
    language: Language
    state: ClientState
    enterprise_number: str | None
    dossier_code: str
    external_id: str | None
    financial_year_end: str
    services: list[Service] = Field(
        description="Services that are on for the client, as far as the office has them on."
    )
    portal: PortalFlags
    created_at: MomentText


def client_read(client: Client) -> ClientRead:
    """A client as the API shows it."""
    columns = {name: getattr(client, name) for name in ClientRead.model_fields if name not in ("services", "portal")}
    return ClientRead(
        **columns,
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


class ClockRead(Shape):
    """The clock of an office in test mode."""

    now: MomentText
    offset_seconds: int


class ClockWrite(Shape):
    """How far to move the clock forward."""

    advance_days: Annotated[int, Field(ge=0, le=366)] = 0
    advance_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
