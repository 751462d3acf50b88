"""Numbering and reminders as two pages ask for them: what new clients begin with, and what one client has."""

from __future__ import annotations

from typing import Any, Final

from starlette.datastructures import FormData

from gateway.errors import FieldFault
from gateway.offices.template import StatementsFrom
from gateway.web.security import text_of

CONSENT_DAYS: Final = (30, 14, 7, 3, 0)
"""Before the end of a consent; all that can be ticked."""
WAITING_DAYS_MAX: Final = 60
APPROVAL_DAYS_MAX: Final = 5
SETTINGS_FAULT: Final = FieldFault(
    "/template", "template_invalid", "Numbers are 1 to 999, days 1 to 60; choose from the lists."
)


def settings_in(form: FormData) -> dict[str, Any] | None:
    """The columns that the form says; None where one of them cannot be."""
    start, first = text_of(form, "statements_from"), text_of(form, "first_coda_number")
    first_number = number_of(form, "first_coda_number") if first else None
    expiry = number_of(form, "approval_expiry_days")
    approval_days = sorted(
        {int(part) for part in text_of(form, "approval_days").replace(",", " ").split() if part.isdecimal()}
    )
    if (
        start not in set(StatementsFrom)
        or (first_number is not None and not 1 <= first_number <= 999)
        or not 1 <= expiry <= WAITING_DAYS_MAX
        or any(not 1 <= day <= WAITING_DAYS_MAX for day in approval_days)
        or len(approval_days) > APPROVAL_DAYS_MAX
    ):
        return None
    return {
        "statements_from": start,
        "first_coda_number": first_number,
        "consent_reminder_days": tuple(day for day in CONSENT_DAYS if str(day) in form.getlist("consent_day")),
        "approval_reminder_days": tuple(approval_days),
        "approval_expiry_days": expiry,
    }


def number_of(form: FormData, name: str, *, default: int = -1) -> int:
    """A whole number without a sign, the default for anything else."""
    text = text_of(form, name)
    return int(text) if text.isdecimal() and len(text) < 9 else default
