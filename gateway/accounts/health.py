"""Who must act for an account: the one place where its health changes (SYN-12, SYN-13)."""

from __future__ import annotations

from typing import Final

from sqlmodel import Session

from connectors.errors import ConnectorError, ConsentError
from gateway.accounts.models import Account
from gateway.accounts.states import SyncHealth, check_step
from gateway.act import Act
from gateway.events.log import EventLog
from gateway.i18n import _

NEXT_STEPS: Final[dict[str, str]] = {
    "consent_expired": _("The permission at the bank has ended: send the account holder a new link."),
    "consent_revoked": _("The permission at the bank was stopped: send the account holder a new link."),
    "consent_replaced": _("A newer permission reads this account."),
    "token_lost": _("The bank's access was lost: send the account holder a new link."),
    "consent_error": _("The bank asks the account holder to act in its own internet banking."),
    "account_ended": _("The permission for this account has ended: have its holder authorise it anew."),
    "account_gone": _("The account holder took this account out of the permission: send a new link."),
    "consent_refused": _("The bank refused the permission: send the account holder a new link."),
    "token_rejected": _("The bank does not accept our access; it is tried again automatically."),
    "bank_quota_exhausted": _("The bank allows no more reads today; reading goes on by itself."),
    "bank_unavailable": _("The bank does not answer; it is asked again automatically."),
    "bank_answer_invalid": _("The bank answered something unexpected; it is asked again automatically."),
    "bank_request_refused": _("The bank refused our request; the operator looks into it."),
    "bank_error": _("The bank refused; it is asked again automatically."),
    "operator_error": _("The operator must check the certificate and registration at this bank."),
    "account_moved": _("The client moved this account to another office; what is here stays readable."),
    "not_connected": _("The account is not connected: send the account holder a link to its bank."),
    "first_sync_due": _("The first reading is under way."),
}
"""Next step per health code, in the reader's language when shown."""


def set_health(
    session: Session, events: EventLog, act: Act, account: Account, health: SyncHealth, *, code: str | None
) -> None:
    """Change a locked account's health; unchanged it keeps its moment."""
    check_step(account.health, health)
    if (account.health, account.health_code) != (health, code):
        account.health, account.health_code, account.health_since = health, code, act.now
        account.alerted_at = None
        session.add(account)
        events.record(
            session, act, "account.health_changed", "account", account.id,
            client_id=account.client_id, data={"state": str(health), "code": code},
        )  # fmt: skip


def health_of(error: ConnectorError) -> SyncHealth:
    """Who must act after a failed reading: the person at the bank, or time and us."""
    return SyncHealth.YOU_ACT if isinstance(error, ConsentError) else SyncHealth.WE_ACT
