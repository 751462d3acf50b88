"""Support sees no amounts and of IBANs the last four only (OFF-08)."""

from __future__ import annotations

import pytest

from gateway.consents.models import Consent, ConsentAccount
from gateway.consents.schemas import ConsentRead
from gateway.consents.service import ConsentView
from gateway.identity.models import User
from gateway.identity.rights import OFFICE_PERMISSIONS, ClientRole, OfficeRole, Permission
from gateway.ids import new_id
from gateway.offices.models import Client, Office
from tests.gateway.builders import NOW, Person, act_of

IBAN = "BE68539007547034"
AMOUNTS = {
    Permission.ACCOUNTS_READ, Permission.TRANSACTIONS_READ, Permission.STATEMENTS_READ, Permission.PAYMENTS_READ,
    Permission.AUDIT_READ,
}  # fmt: skip
"""What shows an amount, or a value of one."""


def shown_iban(role: OfficeRole | ClientRole) -> str | None:
    office_id, client_id = new_id(), new_id()
    office, client = Office(id=office_id), Client.model_construct(id=client_id)
    person = Person(User(id=new_id()), None)
    consent = Consent(
        id=new_id(), office_id=office_id, client_id=client_id, bank_id="crelan", state="valid", state_since=NOW,
        end_code=None, refusal_code=None, language="nl", valid_until=None, created_at=NOW, link_expires_at=NOW,
    )  # fmt: skip
    account = ConsentAccount(
        id=new_id(), office_id=office_id, consent_id=consent.id, iban=IBAN, currency="EUR", kind="current",
        name=None, product=None, account_id=new_id(),
    )  # fmt: skip
    (read,) = ConsentRead.of(ConsentView(consent, (account,)), act_of(person, office, role, client=client)).accounts
    return read.iban


@pytest.mark.parametrize("role", [OfficeRole.ADMIN, OfficeRole.STAFF, ClientRole.VIEWER, ClientRole.ADMINISTRATOR])
def test_who_reads_accounts_sees_the_iban_of_a_consent(role: OfficeRole | ClientRole) -> None:
    assert shown_iban(role) == IBAN


def test_support_sees_the_last_four() -> None:
    """OFF-08: masked in consents too, the one place where support meets an IBAN."""
    assert shown_iban(OfficeRole.SUPPORT) == "************7034"


def test_support_has_no_permission_that_shows_an_amount() -> None:
    assert OFFICE_PERMISSIONS[OfficeRole.SUPPORT].isdisjoint(AMOUNTS)
