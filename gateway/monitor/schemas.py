"""The monitor in the API: no amounts, no addresses, of IBANs the last four."""

from __future__ import annotations

from pydantic import Field

from gateway.accounts.health import NEXT_STEPS
from gateway.api import Day, MomentText, Shape
from gateway.i18n import translate
from gateway.ids import AccountId, ClientId, ConsentId, JobId, WebhookDeliveryId, WebhookEndpointId
from gateway.monitor.service import Monitor


class MonitoredAccount(Shape):
    """An account that is not read as it should be."""

    id: AccountId
    client_id: ClientId
    client_name: str
    bank_id: str
    iban: str = Field(description="The last four characters; the others are masked.")
    health: str = Field(description="Who must act: `we_act` or `you_act`.")
    health_code: str | None
    health_since: MomentText
    last_sync_at: MomentText | None
    next_step: str | None


class EndingConsent(Shape):
    """A permission that ends within 30 days."""

    id: ConsentId
    client_id: ClientId
    client_name: str
    bank_id: str
    valid_until: Day | None


class MonitoredEndpoint(Shape):
    """Where messages go; its address stays with the admins."""

    id: WebhookEndpointId
    description: str
    state: str
    is_failing: bool = Field(description="The last attempt failed.")


class MonitoredDelivery(Shape):
    """A message that did not arrive."""

    id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    event_type: str
    state: str
    attempts: int
    last_status: int | None
    last_fault: str | None
    created_at: MomentText
    due_at: MomentText


class MonitoredMail(Shape):
    """A mail whose last attempt failed: which one it is, not to whom or what it says."""

    template: str
    state: str
    attempts: int
    fault: str | None
    created_at: MomentText
    due_at: MomentText


class MonitoredJob(Shape):
    """Long work that failed."""

    id: JobId
    client_id: ClientId | None
    kind: str
    ended_at: MomentText | None
    codes: list[str]


class MonitorRead(Shape):
    """Where something stands still; lists hold at most 100 rows each, counts say how many there are."""

    accounts_by_health: dict[str, int]
    accounts: list[MonitoredAccount] = Field(description="Those that are not well, the longest first.")
    consents_ending: list[EndingConsent]
    webhook_endpoints: list[MonitoredEndpoint]
    deliveries_by_state: dict[str, int] = Field(description="Webhook deliveries of the last seven days.")
    deliveries: list[MonitoredDelivery] = Field(description="Those that did not arrive, the newest first.")
    mails_by_state: dict[str, int] = Field(description="Mails of the last seven days.")
    mails: list[MonitoredMail]
    jobs_failed: list[MonitoredJob]

    @classmethod
    def of(cls, found: Monitor, language: str) -> MonitorRead:
        """The shape of a look."""
        return cls(
            accounts_by_health=dict(found.healths),
            accounts=[
                MonitoredAccount(
                    id=account.id,
                    client_id=account.client_id,
                    client_name=client.name,
                    bank_id=account.bank_id,
                    iban=masked(account.iban),
                    health=account.health,
                    health_code=account.health_code,
                    health_since=account.health_since,
                    last_sync_at=account.last_sync_at,
                    next_step=_step(account.health_code, language),
                )
                for account, client in found.accounts
            ],
            consents_ending=[
                EndingConsent(
                    id=consent.id,
                    client_id=client.id,
                    client_name=client.name,
                    bank_id=consent.bank_id,
                    valid_until=consent.valid_until,
                )
                for consent, client in found.consents
            ],
            webhook_endpoints=[
                MonitoredEndpoint(
                    id=row.id, description=row.description, state=row.state.value, is_failing=row.is_failing
                )
                for row in found.endpoints
            ],
            deliveries_by_state=dict(found.delivery_counts),
            deliveries=[
                MonitoredDelivery.model_validate(
                    {name: getattr(row, name) for name in MonitoredDelivery.model_fields} | {"state": row.state.value}
                )
                for row in found.deliveries
            ],
            mails_by_state=dict(found.mail_counts),
            mails=[
                MonitoredMail.model_validate(
                    {name: getattr(row, name) for name in MonitoredMail.model_fields} | {"state": row.state.value}
                )
                for row in found.mails
            ],
            jobs_failed=[
                MonitoredJob(
                    id=row.id,
                    client_id=row.client_id,
                    kind=row.kind,
                    ended_at=row.ended_at,
                    codes=[str(fault.get("code")) for fault in row.faults],
                )
                for row in found.jobs
            ],
        )


def _step(code: str | None, language: str) -> str | None:
    step = NEXT_STEPS.get(code or "")
    return translate(language, step) if step is not None else None


def masked(iban: str) -> str:
    """The last four characters, whoever looks (OFF-08)."""
    return f"{'*' * (len(iban) - 4)}{iban[-4:]}"
