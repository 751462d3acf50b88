"""The words for states and kinds as people read them, and the tone of each. English here, translated in the catalogues.

A tone is a shape, a colour and never the only carrier of the meaning: `good`, `wait`, `bad`, `calm`.
"""

from __future__ import annotations

from typing import Final

from gateway.i18n import _
from gateway.profiles.packages import CHANNELS

LABELS: Final[dict[str, dict[str, str]]] = {
    "health": {
        "new": _("First reading under way"),
        "ok": _("Up to date"),
        "we_act": _("We are on it"),
        "you_act": _("Needs your action"),
        "ended": _("Ended"),
    },
    "consent": {
        "created": _("Link not opened yet"),
        "awaiting_authorisation": _("Waiting for the account holder"),
        "partially_authorised": _("Another signatory must act"),
        "valid": _("Valid"),
        "replaced": _("Replaced by a newer one"),
        "expired": _("Expired"),
        "revoked": _("Stopped"),
        "rejected": _("Refused at the bank"),
        "abandoned": _("Never finished"),
        "failed": _("Failed"),
    },
    "statement": {
        "collecting": _("Day still open"),
        "held": _("Held"),
        "proven": _("Proven, about to be issued"),
        "proven_by_span": _("Proven, about to be issued"),
        "computed": _("Computed, about to be issued"),
        "no_entries": _("No movements"),
        "issued": _("Issued"),
        "compared": _("Made to compare"),
        "left_out": _("Left out"),
        "withdrawn": _("Withdrawn"),
    },
    "hold": {
        "difference": _("The balance does not prove"),
        "awaiting_bank_balance": _("Waits for the next balance of the bank"),
        "waits_for_earlier": _("Waits for an earlier day"),
        "no_bank_balance": _("The bank gives no balance"),
    },
    "cause": {
        "twin": _("two equal entries of which one may be double"),
        "changed_row": _("an entry that the bank changed or withdrew"),
        "late_entry": _("an entry that the bank books late"),
        "missing_page": _("a part of the bank's answer that is missing"),
    },
    "basket": {
        "draft": _("Draft"),
        "submitted": _("Waiting for approval"),
        "approved": _("Approved"),
        "processing": _("On its way to the bank"),
        "closed": _("Closed"),
        "cancelled": _("Cancelled"),
    },
    "payment": {
        "draft": _("Draft"),
        "submitted": _("Waiting for approval"),
        "approved": _("Approved"),
        "rejected": _("Rejected"),
        "cancelled": _("Cancelled"),
        "paid_elsewhere": _("Paid elsewhere"),
        "initiating": _("Being handed to the bank"),
        "qr_shown": _("QR code shown"),
        "exported": _("In a file"),
        "sent": _("Sent to the bank"),
        "executed": _("Executed"),
        "altered": _("Booked differently"),
        "refused": _("Refused by the bank"),
        "returned": _("Returned"),
    },
    "export": {
        "created": _("Not downloaded yet"),
        "downloaded": _("Downloaded"),
        "sent": _("Sent to the bank"),
        "accepted": _("Accepted by the bank"),
        "partly_refused": _("Partly refused"),
        "refused": _("Refused by the bank"),
        "settled": _("Settled"),
        "replaced": _("Replaced"),
        "voided": _("Voided"),
    },
    "check": {
        "complete": _("Complete"),
        "warning": _("Warning"),
        "blocked": _("Blocked"),
    },
    "kind": {
        "current": _("current account"),
        "savings": _("savings account"),
        "card": _("card"),
        "loan": _("loan"),
        "investment": _("investment account"),
        "other": _("other product"),
    },
    "creditor": {
        "known": _("known account"),
        "new": _("new creditor"),
        "changed": _("changed account"),
    },
    "role": {
        "admin": _("Admin of the office"),
        "staff": _("Staff"),
        "support": _("Support"),
        "administrator": _("Administrator"),
        "preparer": _("Preparer"),
        "approver": _("Approver"),
        "exporter": _("Exporter"),
        "viewer": _("Viewer"),
        "auditor": _("Auditor"),
    },
    "proposal": {
        "role.grant": _("Give a role"),
        "role.end": _("End a role"),
        "invitation.send": _("Send an invitation"),
        "user.legal_event": _("Suspend a person"),
        "client.unsuspend": _("End the suspension of a client"),
        "person.erase": _("Erase a person"),
        "second_factor.reset": _("Reset a second factor"),
        "client.template_rules": _("Give a client the approval rules of the template"),
        "approval_rule.create": _("Make an approval rule"),
        "approval_rule.change": _("Change an approval rule"),
        "approver_group.change": _("Change a group that rules name"),
        "approval_settings.change": _("Change how a client approves"),
        "signing_limit.set": _("Change the amount from which decisions are signed"),
    },
    "rule_condition": {
        "creditors": _("certain creditors"),
        "labels": _("certain labels"),
        "debtor_accounts": _("certain accounts"),
        "categories": _("certain categories"),
        "sources": _("where it comes from"),
        "creditor_states": _("state of the creditor"),
        "basket_total_from": _("total of the basket"),
        "creditor_total_24h_from": _("total to the creditor in 24 hours"),
        "creditor_total_30d_from": _("total to the creditor in 30 days"),
    },
    "rule_mode": {
        "all": _("each of them"),
        "count": _("some of them"),
        "sequence": _("each of them, in this order"),
    },
    "invitation": {
        "proposed": _("Waits for a second person"),
        "open": _("Sent"),
        "accepted": _("Accepted"),
        "ended": _("Ended"),
    },
    "webhook": {
        "enabled": _("Receives"),
        "disabled": _("Switched off"),
    },
    "delivery": {
        "pending": _("Waiting"),
        "retrying": _("Tried again later"),
        "delivered": _("Delivered"),
        "exhausted": _("Given up"),
        "discarded": _("Not sent"),
    },
    "mail": {
        "not_configured": _("No mail server is set"),
        "queued": _("Waiting"),
        "sending": _("Being sent"),
        "sent": _("Sent"),
        "retrying": _("Tried again later"),
        "failed": _("Given up"),
    },
    "bundle": {
        "queued": _("Being made"),
        "ready": _("Ready"),
        "failed": _("Not made"),
    },
    "exception_list": {
        "prepared_and_exported": _("Prepared and exported by the same person"),
        "decided_by_one_person": _("Decided by a single person"),
        "rule_change_before_payment": _("A rule changed within 7 days before the payment"),
        "approval_after_iban_change": _("Approved soon after the account number changed"),
        "replaced_exports": _("Replaced or voided files"),
        "altered_payments": _("Booked differently than exported"),
        "first_payment_above": _("First payment to an account, above the limit"),
        "reset_second_factors": _("Second factors that were reset"),
    },
    "subject": {
        "client": _("Clients"),
        "consent": _("Permissions at banks"),
        "account": _("Accounts"),
        "statement": _("Statements"),
        "transaction": _("Transactions"),
        "basket": _("Baskets"),
        "payment": _("Payments"),
        "approval_rule": _("Approval rules"),
        "export": _("Payment files"),
        "role": _("Roles"),
        "user": _("People"),
        "invitation": _("Invitations"),
        "proposal": _("Proposals"),
        "client_group": _("Client groups"),
        "client_import": _("Imports of clients"),
        "credential": _("API keys"),
        "application": _("Applications"),
        "webhook_endpoint": _("Webhooks"),
        "audit_bundle": _("Audit bundles"),
        "person": _("Looks and erasures"),
    },
    "family": {
        "client": _("Clients"),
        "consent": _("Permissions at banks"),
        "account": _("Accounts"),
        "sync": _("Readings at the bank"),
        "transaction": _("Transactions"),
        "statement": _("Statements"),
        "coda": _("CODA files"),
        "delivery": _("Deliveries"),
        "basket": _("Baskets"),
        "payment": _("Payments"),
        "approval": _("Decisions"),
        "export": _("Payment files"),
        "duplicate": _("Duplicates"),
        "import": _("Imports of clients"),
        "audit": _("Heads of the audit chain"),
    },
    "condition": {
        "amount_from": _("amount from"),
        "basket_total_from": _("basket from"),
        "creditor_total_24h_from": _("to the same creditor in 24 hours from"),
        "creditor_total_30d_from": _("to the same creditor in 30 days from"),
        "creditors": _("creditors"),
        "labels": _("labels"),
        "debtor_accounts": _("paid from"),
        "categories": _("categories"),
        "sources": _("sources"),
        "creditor_states": _("kinds of creditor"),
    },
    "client": {
        "pending": _("Pending"),
        "active": _("Active"),
        "suspended": _("Suspended"),
        "closed": _("Closed"),
    },
    "address": {"contact": _("Contact"), "destination": _("Destination")},
    "channel": dict(CHANNELS),
}  # fmt: skip

HEADINGS: Final = frozenset({"subject", "family", "condition", "exception_list"})
"""Kinds whose words are headings, not states that stand in a sentence."""

TONES: Final[dict[str, dict[str, str]]] = {
    "health": {"new": "wait", "ok": "good", "we_act": "wait", "you_act": "bad", "ended": "calm"},
    "consent": {
        "created": "wait", "awaiting_authorisation": "wait", "partially_authorised": "wait", "valid": "good",
        "expired": "bad", "revoked": "calm", "rejected": "bad", "failed": "bad",
    },
    "statement": {
        "collecting": "wait", "held": "bad", "proven": "wait", "proven_by_span": "wait", "computed": "wait",
        "issued": "good", "left_out": "bad", "withdrawn": "bad",
    },
    "hold": {
        "difference": "bad", "awaiting_bank_balance": "wait", "waits_for_earlier": "wait", "no_bank_balance": "bad",
    },
    "basket": {"submitted": "wait", "approved": "good", "processing": "good"},
    "payment": {
        "submitted": "wait", "approved": "good", "rejected": "bad", "initiating": "wait", "qr_shown": "wait",
        "exported": "good", "sent": "good", "executed": "good", "altered": "bad", "refused": "bad", "returned": "bad",
    },
    "export": {
        "created": "wait", "downloaded": "good", "sent": "good", "accepted": "good", "partly_refused": "bad",
        "refused": "bad", "settled": "good",
    },
    "check": {"complete": "good", "warning": "wait", "blocked": "bad"},
    "creditor": {"known": "calm", "new": "wait", "changed": "bad"},
    "webhook": {"enabled": "good", "disabled": "bad"},
    "delivery": {"pending": "wait", "retrying": "wait", "delivered": "good", "exhausted": "bad"},
    "mail": {
        "not_configured": "bad", "queued": "wait", "sending": "wait", "sent": "good", "retrying": "wait",
        "failed": "bad",
    },
    "bundle": {"queued": "wait", "ready": "good", "failed": "bad"},
    "invitation": {"proposed": "wait", "open": "wait", "accepted": "good"},
    "client": {"pending": "wait", "active": "good", "suspended": "bad"},
}  # fmt: skip


def label(kind: str, value: object) -> str:
    """The English words; a code that has none (of a newer colleague's making) is shown as it is."""
    return LABELS[kind].get(str(value), str(value).replace("_", " "))


def tone(kind: str, value: object) -> str:
    """`calm` unless stated."""
    return TONES.get(kind, {}).get(str(value), "calm")
