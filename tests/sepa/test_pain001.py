import hashlib
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from sepaxml import SepaTransfer

from sepa import (
    AddressMode,
    DateChoice,
    DebtorAccount,
    Order,
    OrderInvalid,
    Party,
    Payment,
    PostalAddress,
    ReferenceKind,
    Structured,
    Unstructured,
    arrange,
    build,
    check_payment,
    is_blocked,
    split,
    write,
)
from sepa.pain_check import check_file
from sepa.schema import NAMESPACE, PAIN001_09, parse, schema_faults
from tests.sepa.samples import CREDITOR_IBAN, DEBTOR_IBAN, GERMAN_IBAN, OGM, SWISS_IBAN, TODAY, belgian_iban, payment

NS = {"p": NAMESPACE.format(PAIN001_09)}
HOLDER = Party(
    "Voorbeeld Logistiek NV",
    "0401234560",
    PostalAddress(street="Havenlaan", building_number="86C", post_code="1000", town="Brussel", country="BE"),
)
ACCOUNT = DebtorAccount(holder=HOLDER, iban=DEBTOR_IBAN, bic="BBRUBEBB", address_mode=AddressMode.HYBRID)
MOMENT = datetime(2027, 1, 4, 9, 15, tzinfo=timezone(timedelta(hours=1)))


def order_of(*payments: Payment, account: DebtorAccount = ACCOUNT, **changes: Any) -> Order:
    groups = arrange(payments, {account.iban: account}, today=TODAY, payment_information_prefix="GW-1", **changes)
    return Order(message_id="GW-1", created_at=MOMENT, initiating_party=HOLDER, groups=groups)


def numbered(count: int, **changes: Any) -> list[Payment]:
    return [payment(payment_id=f"pay_{n}", end_to_end_id=f"E2E-{n}", **changes) for n in range(count)]


def texts(document: bytes, path: str) -> list[str]:
    found = parse(document).xpath("//" + "/".join(f"p:{step}" for step in path.split("/")), namespaces=NS)
    assert isinstance(found, list)
    return [element.text or "" for element in found if isinstance(element, etree._Element)]


REFERENCE = [
    payment(
        payment_id="pay_1",
        end_to_end_id="E-1",
        remittance=Structured(ReferenceKind.BELGIAN, OGM),
        creditor_bic="KREDBEBB",
    ),
    payment(
        payment_id="pay_2",
        end_to_end_id="E-2",
        remittance=Structured(ReferenceKind.RF, "RF032026INV0042"),
        purpose="SUPP",
    ),
    payment(
        payment_id="pay_3",
        end_to_end_id="E-3",
        creditor=Party(
            "Café & Zoë",
            address=PostalAddress(
                post_code="9000", town="Gent", country="BE", lines=("Korenmarkt 12 bus 4", "9000 Gent")
            ),
        ),
        remittance=Unstructured("Loyer L’Étoile (janvier): 1/2"),
        ultimate_debtor="Dochter A NV",
        ultimate_creditor="Dochter B NV",
    ),
    payment(
        payment_id="pay_4",
        end_to_end_id="E-4",
        category_purpose="SALA",
        date_choice=DateChoice.FIXED,
        asked_date=date(2027, 1, 30),
    ),
    payment(payment_id="pay_5", end_to_end_id="E-5", is_instant=True, amount=Decimal("0.01")),
    payment(
        payment_id="pay_6",
        end_to_end_id="E-6",
        creditor_iban=GERMAN_IBAN,
        remittance=Structured(ReferenceKind.BELGIAN, OGM),
    ),
]


def test_the_file_follows_the_schema_and_our_own_rules() -> None:
    document = build(order_of(*REFERENCE))
    assert schema_faults(parse(document), PAIN001_09) == []
    report = check_file(document, today=TODAY)
    assert report.findings == ()
    assert (report.count, report.total) == (6, Decimal("6050.01"))


def test_the_file_is_written_as_belgian_banks_want_it() -> None:
    document = build(order_of(*REFERENCE))
    assert document.startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain'
    )
    assert texts(document, "GrpHdr/CreDtTm") == ["2027-01-04T09:15:00+01:00"]
    assert texts(document, "InitgPty/Id/OrgId/Othr/Id") == ["0401234560"]
    assert set(texts(document, "Othr/Issr")) == {"KBO-BCE"}
    assert texts(document, "ReqdExctnDt/Dt") == ["2027-01-04", "2027-01-04", "2027-01-29"]
    assert texts(document, "PmtTpInf/LclInstrm/Cd") == ["INST"]
    assert texts(document, "PmtTpInf/CtgyPurp/Cd") == ["SALA"]
    assert texts(document, "BtchBookg") == ["false", "false", "true"]
    assert set(texts(document, "SvcLvl/Cd")) == {"SEPA"}
    assert set(texts(document, "ChrgBr")) == {"SLEV"}
    assert texts(document, "CdtrRefInf/Tp/Issr") == ["BBA", "ISO"]
    assert texts(document, "CdtrRefInf/Ref") == [OGM, "RF032026INV0042"]
    assert texts(document, "RmtInf/Ustrd") == ["Loyer L'Etoile (janvier): 1/2", "+++291/4177/76370+++"]
    assert texts(document, "CdtrAgt/FinInstnId/BICFI") == ["KREDBEBB"]
    assert texts(document, "Cdtr/PstlAdr/AdrLine") == ["Korenmarkt 12 bus 4"], "a line never repeats the town"
    assert texts(document, "PmtId/InstrId")[0] == "PAY-1"


def test_a_debtor_agent_without_bic_is_not_provided() -> None:
    document = build(order_of(payment(), account=replace(ACCOUNT, bic=None)))
    assert texts(document, "DbtrAgt/FinInstnId/Othr/Id") == ["NOTPROVIDED"]


def test_the_same_order_gives_the_same_bytes() -> None:
    out = BytesIO()
    summary = write(order_of(*REFERENCE), out)
    assert out.getvalue() == build(order_of(*REFERENCE))
    assert summary.sha256 == hashlib.sha256(out.getvalue()).hexdigest()
    assert (summary.count, summary.total, summary.size) == (6, Decimal("6050.01"), len(out.getvalue()))


def test_one_block_holds_one_account_date_service_category_and_booking_choice() -> None:
    other = DebtorAccount(holder=HOLDER, iban=belgian_iban(42))
    tomorrow = {"date_choice": DateChoice.FIXED, "asked_date": date(2027, 1, 5)}
    variants: list[dict[str, Any]] = [
        {},
        {"debtor_iban": other.iban},
        tomorrow,
        {"is_instant": True},
        {"category_purpose": "SUPP"},
    ]
    payments = [
        payment(payment_id=f"pay_{n}", end_to_end_id=f"E-{n}", **variant) for n, variant in enumerate(variants * 2)
    ]
    accounts = {ACCOUNT.iban: ACCOUNT, other.iban: other}
    groups = arrange(payments, accounts, today=TODAY, payment_information_prefix="B")
    assert [len(group.payments) for group in groups] == [2] * 5
    assert [group.payment_information_id for group in groups] == [f"B-{n}" for n in range(1, 6)]
    booked = arrange(payments, accounts, today=TODAY, payment_information_prefix="B", batch_booking=True)
    assert all(group.is_batch_booking for group in booked)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"creditor": Party("Café")}, "characters"),
        ({"ultimate_debtor": "é"}, "characters"),
        ({"remittance": Unstructured("a\nb")}, "characters"),
        ({"remittance": Structured(ReferenceKind.BELGIAN, "+++291/4177/76370+++")}, "characters"),
        ({"remittance": Structured(ReferenceKind.BELGIAN, "291417776371")}, "belgian_reference_checksum"),
        ({"remittance": Structured(ReferenceKind.RF, "rf032026inv0042")}, "characters"),
        ({"creditor": Party("A", address=PostalAddress(lines=("x",)))}, "characters"),
        ({"creditor": Party("A", address=PostalAddress(town="é", country="BE"))}, "characters"),
        ({"creditor_iban": "BE12 3102 9141 7792"}, "characters"),
        ({"creditor_iban": "BE12310291417793"}, "iban_checksum"),
        ({"creditor_iban": SWISS_IBAN}, "address_missing"),
        ({"amount": Decimal("0.001")}, "amount_too_small"),
        ({"currency": "USD"}, "currency_not_supported"),
        ({"end_to_end_id": "A//B"}, "identifier_slash"),
    ],
)
def test_nothing_is_written_when_a_payment_may_not_leave(changes: dict[str, Any], code: str) -> None:
    order = order_of(payment())
    group = replace(order.groups[0], payments=[payment(**changes)])
    out = BytesIO()
    with pytest.raises(OrderInvalid) as refusal:
        write(replace(order, groups=[group]), out)
    assert code in [finding.code for finding in refusal.value.findings]
    assert all(finding.field.startswith("/groups/0/payments/0/") for finding in refusal.value.findings)
    assert out.getvalue() == b""


def test_faults_of_the_order_itself_are_all_reported() -> None:
    order = order_of(payment())
    bad_holder = Party("A" * 71, "0401234561", PostalAddress(town="B" * 36, country="BE", lines=("x" * 71,)))
    account = replace(ACCOUNT, holder=bad_holder, bic="X")
    group = replace(order.groups[0], account=account, payment_information_id="/", payments=numbered(1) * 2)
    with pytest.raises(OrderInvalid) as refusal:
        build(replace(order, message_id="x//y", initiating_party=Party("شركة"), groups=[group, group]))
    assert {finding.code for finding in refusal.value.findings} == {
        "identifier_slash",
        "name_empty",
        "name_too_long",
        "enterprise_number_checksum",
        "address_too_long",
        "bic_format",
        "payment_information_id_duplicate",
        "end_to_end_id_duplicate",
    }


def test_a_broken_order_is_an_error_of_the_program() -> None:
    order = order_of(payment())
    with pytest.raises(ValueError, match="offset"):
        build(replace(order, created_at=MOMENT.replace(tzinfo=None)))
    with pytest.raises(ValueError, match="payments"):
        build(replace(order, groups=[]))
    with pytest.raises(AssertionError, match="own account"):
        build(replace(order, groups=[replace(order.groups[0], account=replace(ACCOUNT, iban=CREDITOR_IBAN))]))


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (5, [5]), (6, [3, 3]), (11, [4, 4, 3])])
def test_a_large_basket_is_split_evenly(count: int, sizes: list[int]) -> None:
    payments = numbered(count)
    parts = split(payments, payments_max=5)
    assert [len(part) for part in parts] == sizes
    assert [one for part in parts for one in part] == payments


def test_sepaxml_writes_the_same_payments() -> None:
    payments = [
        replace(
            one,
            creditor_iban=belgian_iban(n),
            amount=Decimal(n * 101 + 1) / 100,
            remittance=Unstructured(f"Factuur {n}"),
        )
        for n, one in enumerate(numbered(25))
    ]
    config = {"name": HOLDER.name, "IBAN": DEBTOR_IBAN, "BIC": "BBRUBEBB", "batch": True, "currency": "EUR"}
    other = SepaTransfer(config, schema=PAIN001_09, clean=True)
    for one in payments:
        assert isinstance(one.remittance, Unstructured)
        other.add_payment(
            {
                "name": one.creditor.name,
                "IBAN": one.creditor_iban,
                "amount": int(one.amount * 100),
                "execution_date": TODAY,
                "description": one.remittance.text,
                "endtoend_id": one.end_to_end_id,
            }
        )
    theirs = other.export(validate=False)
    ours = build(order_of(*payments))
    for path in (
        "GrpHdr/NbOfTxs",
        "GrpHdr/CtrlSum",
        "PmtInf/CtrlSum",
        "Dbtr/Nm",
        "DbtrAcct/Id/IBAN",
        "DbtrAgt/FinInstnId/BICFI",
        "ReqdExctnDt/Dt",
        "EndToEndId",
        "Amt/InstdAmt",
        "Cdtr/Nm",
        "CdtrAcct/Id/IBAN",
        "RmtInf/Ustrd",
    ):
        assert texts(ours, path) == texts(theirs, path), path


names = st.text(max_size=70)


@given(
    st.lists(
        st.tuples(
            names.filter(lambda name: any("a" <= c.lower() <= "z" for c in name)),
            st.text(max_size=140),
            st.integers(1, 99_999_999_999),
            st.integers(0, 9_999_999_999),
            st.dates(date(2026, 12, 1), date(2027, 12, 31)),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_passes_the_checks_makes_a_file_that_passes_schema_and_rules(
    entries: list[tuple[str, str, int, int, date]],
) -> None:
    payments = []
    for n, (name, text, cents, number, day) in enumerate(entries):
        one = payment(
            payment_id=f"pay_{n}",
            end_to_end_id=f"E-{n}",
            creditor=Party(name, address=PostalAddress(town=text[:30], country="BE", street=name)),
            creditor_iban=belgian_iban(number),
            amount=Decimal(cents) / 100,
            remittance=Unstructured(text) if text.strip() else None,
            date_choice=DateChoice.FIXED,
            asked_date=day,
        )
        if not is_blocked(check_payment(one, today=TODAY, address_mode=ACCOUNT.address_mode)):
            payments.append(one)
    if not payments:
        return
    document = build(order_of(*payments))
    report = check_file(document, today=TODAY)
    assert [finding for finding in report.findings if finding.code != "payment_duplicate"] == []
    assert report.total == sum(one.amount for one in payments)
