"""Who the demo is about: an office, its people, four companies of the simulated world with their banks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.identity.rights import ClientRole, OfficeRole

PASSWORD: Final = "sluispoort aan de Leie"  # noqa: S105 - everyone may sign in to the demo
OFFICE: Final = "Kantoor Sluiswachter"
CONSENT_DAYS_MAX: Final = 90
CLIENT_ID: Final = "PSDBE-NBB-0123456749"
"""Organisation identifier the simulated banks know; a real one stands in the QWAC."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person of the demo; `client` is the company id of client roles."""

    key: str
    first_name: str
    last_name: str
    language: str
    office_roles: tuple[OfficeRole, ...] = ()
    client_roles: tuple[ClientRole, ...] = ()
    client: str | None = None

    @property
    def email(self) -> str:
        """Sign-in address."""
        return f"{self.key}@sluis.example"


TEXTILE: Final = "leieweve"

PEOPLE: Final = (
    DemoPerson("an", "An", "Sluiswachter", "nl", office_roles=(OfficeRole.ADMIN,)),
    DemoPerson("lotte", "Lotte", "Opsteller", "nl", client_roles=(ClientRole.PREPARER,), client=TEXTILE),
    DemoPerson("karel", "Karel", "Bestuurder", "nl", client_roles=(ClientRole.APPROVER,), client=TEXTILE),
    DemoPerson(
        "mieke",
        "Mieke",
        "Directrice",
        "fr",
        client_roles=(ClientRole.APPROVER, ClientRole.EXPORTER),
        client=TEXTILE,
    ),
)


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """A client of the office: its id in the simulated world, who signs in at its banks, and which banks."""

    company_id: str
    holder_id: str
    banks: tuple[str, ...]


COMPANIES: Final = (
    DemoCompany("korenhof", "lien.lindenaar", ("crelan", "keytrade")),
    DemoCompany(TEXTILE, "pieter.dhaenekint", ("vanbreda", "nagelmackers")),
    DemoCompany("beguin", "amelie.beguin", ("nagelmackers", "crelan")),
    # One bank of every other family, and an intermediary.
    DemoCompany("wouters", "erik.wouters", ("kbc", "argenta", "triodos", "bnppf", "ponto")),
)
