"""Where data of our people lies: every table with a person in it, and what erasing does there (SEC-11).

A test walks all tables: one that refers to a person, or has a column named like personal data, must stand here. Data of
account holders, creditors and counterparties is the client's bookkeeping and kept as long as that must be.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.database import Base
from gateway.notices.models import MailMessage
from gateway.notices.outbox import Mail, opened_in
from gateway.people.models import Invitation
from gateway.profiles.models import ClientProfile


class Treatment(StrEnum):
    """What erasing a person does with a table."""

    OWN = "own"
    """The person itself: name, address and sign-in become a pseudonym."""
    SIGN_IN = "sign_in"
    """Rows of signing in, deleted when no other office knows the person."""
    OFFICE = "office"
    """Rows of this office about the person, deleted."""
    REWRITTEN = "rewritten"
    """Rows of this office in which name and address become a pseudonym."""
    IDS = "ids"
    """Ids only: who decided, made or had what; evidence that must be kept, and says no name."""
    SHORT = "short"
    """Goes by itself within days."""


TABLES: Final[Mapping[str, Treatment]] = {
    "app_user": Treatment.OWN,
    "passkey": Treatment.SIGN_IN,
    "passkey_challenge": Treatment.SIGN_IN,
    "recovery_code": Treatment.SIGN_IN,
    "password_reset": Treatment.SIGN_IN,
    "email_change": Treatment.SIGN_IN,
    "web_session": Treatment.SIGN_IN,
    "oidc_link": Treatment.OFFICE,
    "assertion_subject": Treatment.REWRITTEN,
    "client_assignment": Treatment.OFFICE,
    "client_group_user": Treatment.OFFICE,
    "invitation": Treatment.REWRITTEN,
    "client_profile": Treatment.REWRITTEN,
    "mail_message": Treatment.REWRITTEN,
    "address_change": Treatment.IDS,
    "approval": Treatment.IDS,
    "approver_group_member": Treatment.IDS,
    "decision_signature": Treatment.IDS,
    "membership": Treatment.IDS,
    "operator": Treatment.IDS,
    "proposal": Treatment.IDS,
    "client_import_row": Treatment.SHORT,
}
"""By table; `gateway.custody.erasures` applies it, `client_import_row` is erased a day after its import."""

PERSONAL: Final = frozenset({
    "first_name", "last_name", "email", "contact_name", "contact_email", "mobile", "phone", "device", "user_agent",
    "address", "birth_date",
})  # fmt: skip
"""Names of columns that hold personal data of our people or of contacts."""


def count(session: Session, office_id: UUID, user_id: UUID, treatment: Treatment) -> int:
    """How many rows of that treatment there are of the person."""
    total = 0
    for table in _tables(treatment):
        query = select(func.count()).select_from(table).where(*_of(table, office_id, user_id, treatment))
        total += session.execute(query).scalar_one()
    return total


def remove(session: Session, office_id: UUID, user_id: UUID, treatment: Treatment) -> None:
    """Delete them."""
    for table in _tables(treatment):
        session.execute(delete(table).where(*_of(table, office_id, user_id, treatment)))


def invitations(office_id: UUID, user_id: UUID, email: str) -> Any:
    """What names invitations of the person at this office."""
    table = Base.metadata.tables[Invitation.__tablename__]
    return (table.c.office_id == office_id) & or_(table.c.user_id == user_id, table.c.email == email)


def profiles(office_id: UUID, user_id: UUID, email: str) -> Any:
    """What names clients whose contact or responsible the person is."""
    table = Base.metadata.tables[ClientProfile.__tablename__]
    return (table.c.office_id == office_id) & or_(table.c.responsible_id == user_id, table.c.contact_email == email)


def mails(session: Session, gateway: Gateway, office_id: UUID, email: str) -> list[Mail]:
    """Mails to the person whose content is still kept."""
    return [mail for mail in opened_in(session, gateway, office_id) if mail.to.casefold() == email.casefold()]


def rewrite(session: Session, gateway: Gateway, office_id: UUID, user_id: UUID, *, email: str, pseudonym: str) -> None:
    """Put the pseudonym, or nothing, where the person is named in rows that stay."""
    tables = Base.metadata.tables
    session.execute(
        update(tables["invitation"])
        .where(invitations(office_id, user_id, email))
        .values(first_name="–", last_name=pseudonym, email=f"{pseudonym}@erased.invalid")
    )
    profile = tables["client_profile"]
    session.execute(
        update(profile)
        .where(profile.c.office_id == office_id, profile.c.contact_email == email)
        .values(contact_name=None, contact_email=None, mobile=None, contact_confirmed_at=None)
    )
    session.execute(
        update(profile)
        .where(profile.c.office_id == office_id, profile.c.responsible_id == user_id)
        .values(responsible_id=None)
    )
    subject = tables["assertion_subject"]
    session.execute(
        update(subject)
        .where(subject.c.office_id == office_id, subject.c.user_id == user_id)
        .values(subject=func.concat("erased-", subject.c.id), ended_at=gateway.real_now())
    )
    ids = [mail.id for mail in mails(session, gateway, office_id, email)]
    session.execute(
        update(tables[MailMessage.__tablename__])
        .where(tables["mail_message"].c.office_id == office_id, tables["mail_message"].c.id.in_(ids))
        .values(content_cipher=None, state="failed", fault="erased")
    )


def _tables(treatment: Treatment) -> list[Any]:
    return [Base.metadata.tables[name] for name, one in TABLES.items() if one is treatment]


def _of(table: Any, office_id: UUID, user_id: UUID, treatment: Treatment) -> list[Any]:
    found = [table.c.user_id == user_id]
    if treatment is Treatment.OFFICE:
        found.append(table.c.office_id == office_id)
    return found
