"""Shapes of the settings of an office and its clients in the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from gateway.api import MoneyShape, Shape, money
from gateway.errors import GatewayError
from gateway.i18n import _, translate
from gateway.ids import ClientId, ProposalId
from gateway.offices.applications import ClientOutcome
from gateway.offices.models import ClientSettings, Service
from gateway.offices.schemas import ONE_LINE, Channel, Language, Name, Package, PortalFlags, Services
from gateway.offices.template import (
    APPROVAL_EXPIRY_DAYS,
    APPROVAL_REMINDERS,
    CONSENT_REMINDERS,
    Part,
    StatementsFrom,
    Template,
    TemplateRule,
)

Text = Annotated[str, StringConstraints(min_length=1, max_length=70, strip_whitespace=True, pattern=ONE_LINE)]
CODA_NUMBER = Field(ge=1, le=999, description="Number of the first file of an account for which none is known.")


class OfficeWrite(Shape):
    """What an office says of itself."""

    name: Name
    language: Language
    default_delivery: Channel | None = Field(default=None, description="Of clients that have no channel of their own.")
    consent_days_max: Annotated[int, Field(ge=1, le=180)] | None = Field(
        default=None, description="The office's cap on the life of a consent, in days; null: as it is."
    )

    def columns(self) -> dict[str, Any]:
        """As stored."""
        wanted = self.model_dump()
        return {name: value for name, value in wanted.items() if name != "consent_days_max" or value is not None}


class TemplateDelivery(Shape):
    """How files reach a new client's package; what is null is left open."""

    channel: Channel | None = Field(default=None, description="Null: the default delivery of the office.")
    destination: Annotated[str, StringConstraints(min_length=1, max_length=254, strip_whitespace=True)] | None = Field(
        default=None, description="Gets nothing until another administrator has confirmed it."
    )
    package: Package | None = None


class Numbering(Shape):
    """Where statements of a newly connected account begin."""

    statements_from: Annotated[StatementsFrom, Field(strict=False)] = Field(
        default=StatementsFrom.ASK, description="`ask`: chosen per account, and no statement is made until then."
    )
    first_coda_number: Annotated[int, CODA_NUMBER] | None = None


class Reminders(Shape):
    """When people are reminded."""

    consent_days: Annotated[list[Literal[30, 14, 7, 3, 0]], Field(max_length=5)] = Field(
        default=list(CONSENT_REMINDERS), description="Days before a consent ends."
    )
    approval_days: Annotated[list[Annotated[int, Field(ge=1, le=60)]], Field(max_length=5)] = Field(
        default=list(APPROVAL_REMINDERS), description="Business days that a payment has been waiting."
    )
    approval_expiry_days: Annotated[int, Field(ge=1, le=60)] = Field(
        default=APPROVAL_EXPIRY_DAYS, description="Business days after which a waiting payment is a draft again."
    )

    def columns(self) -> dict[str, Any]:
        """As a client's settings hold them: each day once, those of consents from early to late."""
        return {
            "consent_reminder_days": sorted(set(self.consent_days), reverse=True),
            "approval_reminder_days": sorted(set(self.approval_days)),
            "approval_expiry_days": self.approval_expiry_days,
        }


class TemplateRuleShape(Shape):
    """An approval rule by the name of its approver group, which each client fills with its own people."""

    name: Text
    group: Text
    count: Annotated[int, Field(ge=1, le=20)] = Field(default=1, description="So many different people of the group.")
    amount_from: MoneyShape | None = Field(default=None, description="In EUR, inclusive; null: every payment.")

    @model_validator(mode="after")
    def _euro(self) -> TemplateRuleShape:
        if self.amount_from is not None and self.amount_from.currency != "EUR":
            raise ValueError(_("Amounts of rules are in EUR."))
        return self


class TemplateShape(Shape):
    """What each new client begins with."""

    services: Services
    portal: PortalFlags
    delivery: TemplateDelivery = TemplateDelivery()
    numbering: Numbering = Numbering()
    reminders: Reminders = Reminders()
    approval_rules: Annotated[list[TemplateRuleShape], Field(max_length=20, default_factory=list)]

    @model_validator(mode="after")
    def _names(self) -> TemplateShape:
        names = [rule.name for rule in self.approval_rules]
        if len(set(names)) != len(names):
            raise ValueError(_("Each rule has a name of its own."))
        return self

    def template(self) -> Template:
        """As the service takes it."""
        reminders: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in self.reminders.columns().items()
        }
        return Template(
            services=tuple(service.value for service in Service if service in self.services),
            portal_shows_transactions=self.portal.show_transactions,
            portal_shows_coda=self.portal.show_coda,
            portal_prepares_while_processing=self.portal.prepare_while_processing,
            channel=self.delivery.channel,
            destination=self.delivery.destination,
            package=self.delivery.package,
            statements_from=self.numbering.statements_from.value,
            first_coda_number=self.numbering.first_coda_number,
            **reminders,
            rules=tuple(
                TemplateRule(
                    rule.name,
                    rule.group,
                    rule.count,
                    None if rule.amount_from is None else f"{Decimal(rule.amount_from.amount):.2f}",
                )
                for rule in self.approval_rules
            ),
        )


class TemplateRead(TemplateShape):
    """The template as it is now."""

    version: int = Field(description="0: the defaults, nobody has changed any.")


def template_read(template: Template, version: int) -> TemplateRead:
    """A template as the API shows it."""
    return TemplateRead(
        services=[Service(name) for name in template.services],
        portal=PortalFlags(
            show_transactions=template.portal_shows_transactions,
            show_coda=template.portal_shows_coda,
            prepare_while_processing=template.portal_prepares_while_processing,
        ),
        delivery=TemplateDelivery.model_validate(
            {"channel": template.channel, "destination": template.destination, "package": template.package}
        ),
        numbering=Numbering(
            statements_from=StatementsFrom(template.statements_from), first_coda_number=template.first_coda_number
        ),
        reminders=_reminders(template),
        approval_rules=[
            TemplateRuleShape(
                name=rule.name,
                group=rule.group,
                count=rule.count,
                amount_from=None if rule.amount_from is None else money(Decimal(rule.amount_from), "EUR"),
            )
            for rule in template.rules
        ],
        version=version,
    )


class ClientSettingsWrite(Shape):
    """Numbering and reminders of a client."""

    numbering: Numbering
    reminders: Reminders
    late_entry_date: Literal["file", "booking"] = Field(
        default="file",
        description="Date in the file of an entry that came after its day was issued: `file`, the file's own, with the "
        "bank's in the text; or `booking`, the bank's booking date, where the package takes it.",
    )

    def columns(self) -> dict[str, Any]:
        """As stored."""
        return {
            "late_entry_date": self.late_entry_date,
            "statements_from": self.numbering.statements_from.value,
            "first_coda_number": self.numbering.first_coda_number,
            **self.reminders.columns(),
        }


class ClientSettingsRead(ClientSettingsWrite):
    """As they are now."""

    template_version: int = Field(description="The template they came from last; 0: none.")
    version: int = Field(description="0: the defaults.")


def client_settings_read(row: ClientSettings) -> ClientSettingsRead:
    """A client's settings as the API shows them."""
    return ClientSettingsRead(
        numbering=Numbering(
            statements_from=StatementsFrom(row.statements_from), first_coda_number=row.first_coda_number
        ),
        reminders=_reminders(row),
        late_entry_date="booking" if row.late_entry_date == "booking" else "file",
        template_version=row.template_version,
        version=row.version,
    )


class TemplateApplicationWrite(Shape):
    """Which clients are brought to the template, and in what."""

    client_ids: Annotated[list[ClientId], Field(min_length=1, max_length=500)]
    parts: Annotated[list[Annotated[Part, Field(strict=False)]], Field(min_length=1, max_length=5)]
    template_version: Annotated[int, Field(ge=0)] = Field(description="The version that the user saw and confirms.")
    dry_run: bool = False


class TemplateResultRead(Shape):
    """What became of one client."""

    client_id: ClientId
    changed: list[Part] = Field(description="Parts that differ from the template; of a dry run: would change.")
    proposal_id: ProposalId | None = Field(description="Approval rules wait for a second person under this proposal.")
    destination_waiting: bool = Field(description="The destination gets nothing until another administrator confirms.")
    code: str | None = Field(description="Why it was refused.")
    detail: str | None


class TemplateResultsRead(Shape):
    """A result per client, in the order asked."""

    items: list[TemplateResultRead]


def results_read(outcomes: list[ClientOutcome], language: str) -> TemplateResultsRead:
    """Outcomes as the API shows them."""
    return TemplateResultsRead(
        items=[
            TemplateResultRead(
                client_id=outcome.client_id,
                changed=outcome.changed,
                proposal_id=None if outcome.proposal is None else outcome.proposal.id,
                destination_waiting=outcome.is_destination_waiting,
                code=None if outcome.error is None else outcome.error.code,
                detail=None if outcome.error is None else sentence_of(outcome.error, language),
            )
            for outcome in outcomes
        ]
    )


def sentence_of(error: GatewayError, language: str) -> str:
    """What a refusal says, in the reader's language."""
    return translate(language, error.detail or error.title).format_map(error.parameters)


def _reminders(row: Template | ClientSettings) -> Reminders:
    return Reminders.model_validate(
        {
            "consent_days": list(row.consent_reminder_days),
            "approval_days": list(row.approval_reminder_days),
            "approval_expiry_days": row.approval_expiry_days,
        }
    )
