"""The last day of a consent: the earliest of what bank and office allow, and the same within a sitting (CON-09, 12)."""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import Session

from connectors.profile import BankProfile
from gateway.consents.models import Consent, ConsentSitting
from gateway.offices.models import Office


def last_day(profile: BankProfile, office: Office, today: date, answer: date | None) -> date:
    """The earliest of the bank's answer, its maximum and the office's cap; the first day counts (CON-09)."""
    limits = [today + profile.consent_validity, today + timedelta(days=office.consent_days_max)]
    days = [limit - timedelta(days=1) for limit in limits]
    return min([*days, answer] if answer is not None else days)


def last_day_of(
    session: Session, consent: Consent, profile: BankProfile, office: Office, *, today: date, answer: date | None
) -> date:
    """The same for one consent: those of one sitting end together, with the shortest of them."""
    day = last_day(profile, office, today, answer)
    sitting = session.get(ConsentSitting, consent.sitting_id) if consent.sitting_id is not None else None
    return day if sitting is None or sitting.ends_on is None else min(day, sitting.ends_on)
