"""What an auditor looks at first, from the rows of a bundle alone: made when written, made again when checked.

Rows are the JSON objects of the bundle's files. Each list names ids and the reason, in a fixed order. Requirements
SEC-10 and PAY-24. Deputies come with what records them; the manifest says that their list is not there.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]

RULE_CHANGE: Final = timedelta(days=7)
IBAN_CHANGE: Final = timedelta(days=7)
RULES_BESIDE: Final = ("approval_settings.changed", "approver_group.changed")
"""Acts that change who decides beside the rules themselves."""
APPROVE: Final = "approve"
SECOND_FACTOR_RESETS: Final = ("second_factor.reset", "second_factor.removed", "user.second_factor_reset")


def exception_lists(rows: Rows, *, first_payment_above_cents: int) -> dict[str, list[dict[str, Any]]]:
    """Every list by name; an empty list says that nothing of the kind was found."""
    return {
        "prepared_and_exported": _prepared_and_exported(rows),
        "decided_by_one_person": _decided_by_one_person(rows),
        "rule_change_before_payment": _rule_change_before_payment(rows),
        "approval_after_iban_change": _approval_after_iban_change(rows),
        "replaced_exports": _replaced_exports(rows),
        "altered_payments": _altered_payments(rows),
        "first_payment_above": _first_payment_above(rows, Decimal(first_payment_above_cents).scaleb(-2)),
        "reset_second_factors": _reset_second_factors(rows),
    }


def sample(payments: Sequence[Row], *, seed: str, size: int) -> list[str]:
    """Ids of a random sample of payments: with the same seed and payments always the same one."""
    ids = (str(payment["id"]) for payment in payments)
    return sorted(ids, key=lambda row_id: hashlib.sha256(f"{seed}|{row_id}".encode()).digest())[:size]


def _prepared_and_exported(rows: Rows) -> list[dict[str, Any]]:
    exports = {export["id"]: export for export in rows["exports"]}
    payments = {payment["id"]: payment for payment in rows["payments"]}
    found = []
    for member in rows["export_payments"]:
        payment, export = payments.get(member["payment_id"]), exports.get(member["export_id"])
        if payment is not None and export is not None and export["created_by"] in payment["preparers"]:
            found.append({"payment_id": payment["id"], "export_id": export["id"], "user_id": export["created_by"]})
    return found


def _decided_by_one_person(rows: Rows) -> list[dict[str, Any]]:
    """Exported payments that one person's approval alone let out, and those that needed none."""
    deciders: dict[tuple[str, int], set[str]] = defaultdict(set)
    for approval in rows["approvals"]:
        if approval["verdict"] == APPROVE:
            deciders[approval["payment_id"], approval["approval_round"]].add(approval["user_id"])
    exported = {member["payment_id"] for member in rows["export_payments"]}
    found = []
    for payment in rows["payments"]:
        people = deciders[payment["id"], payment["approval_round"]]
        if payment["id"] in exported and len(people) < 2:
            found.append({"payment_id": payment["id"], "user_ids": sorted(people)})
    return found


def _rule_change_before_payment(rows: Rows) -> list[dict[str, Any]]:
    """What decides who approves, changed within days before a payment was submitted: rules, new ones too, and more."""
    changes: list[tuple[str, datetime, dict[str, Any]]] = [
        (
            version["client_id"],
            _moment(version["created_at"]),
            {"rule_id": version["rule_id"], "version": version["version"]},
        )
        for version in rows["rule_versions"]
    ]
    changes += [
        (
            entry["client_id"],
            _moment(entry["occurred_at"]),
            {"action": entry["action"], "object_id": entry["object_id"]},
        )
        for entry in rows["entries"]
        if entry["action"] in RULES_BESIDE
    ]
    found: list[dict[str, Any]] = []
    for payment in rows["payments"]:
        if payment["submitted_at"] is None:
            continue
        submitted = _moment(payment["submitted_at"])
        found.extend(
            {"payment_id": payment["id"], **what}
            for client_id, changed, what in changes
            if client_id == payment["client_id"] and timedelta(0) <= submitted - changed <= RULE_CHANGE
        )
    return found


def _approval_after_iban_change(rows: Rows) -> list[dict[str, Any]]:
    """Approvals within days of a creditor's account number changing: in the payment itself, or since the last one."""
    edits: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for entry in rows["entries"]:
        if entry["action"] == "payment.changed" and "creditor_iban" in entry["digests"]:
            edits[entry["object_id"]].append((_moment(entry["occurred_at"]), "edited"))
    # A creditor paid before on another account: it changed when the first payment on this one was made.
    first_seen: dict[tuple[str, str, str], datetime] = {}
    for payment in rows["payments"]:
        key, created = _creditor(payment), _moment(payment["created_at"])
        first_seen[key] = min(created, first_seen.get(key, created))
    payments = {payment["id"]: payment for payment in rows["payments"]}
    found: list[dict[str, Any]] = []
    for approval in rows["approvals"]:
        approved = payments.get(approval["payment_id"])
        if approved is None or approval["verdict"] != APPROVE:
            continue
        changes = list(edits[approved["id"]])
        if approved["creditor_state"] == "changed":
            changes.append((first_seen[_creditor(approved)], "another_account"))
        decided = _moment(approval["decided_at"])
        found.extend(
            {
                "payment_id": approved["id"],
                "approval_id": approval["id"],
                "user_id": approval["user_id"],
                "change": word,
            }
            for changed, word in sorted(changes)
            if timedelta(0) <= decided - changed <= IBAN_CHANGE
        )
    return found


def _creditor(payment: Row) -> tuple[str, str, str]:
    return payment["client_id"], payment["creditor_key"], payment["creditor_iban"]


def _altered_payments(rows: Rows) -> list[dict[str, Any]]:
    """Booked otherwise than exported, as the bank's answer or the matching said."""
    return [{"payment_id": payment["id"]} for payment in rows["payments"] if payment["state"] == "altered"]


def _replaced_exports(rows: Rows) -> list[dict[str, Any]]:
    return [
        {"export_id": export["id"], "state": export["state"]}
        for export in rows["exports"]
        if export["state"] in ("replaced", "voided")
    ]


def _first_payment_above(rows: Rows, limit: Decimal) -> list[dict[str, Any]]:
    """The first payment to an account number that was new or changed, above the limit."""
    return [
        {"payment_id": payment["id"], "creditor_state": payment["creditor_state"], "amount": payment["amount"]}
        for payment in rows["payments"]
        if payment["creditor_state"] in ("new", "changed") and Decimal(payment["amount"]) > limit
    ]


def _reset_second_factors(rows: Rows) -> list[dict[str, Any]]:
    return [
        {"position": entry["position"], "user_id": entry["object_id"], "action": entry["action"]}
        for entry in rows["entries"]
        if entry["action"] in SECOND_FACTOR_RESETS
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
