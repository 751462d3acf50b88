from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepa import seal as seals
from sepa.errors import SealKeyTooShort

KEY = bytes(range(32))
FIELDS: dict[str, object] = {
    "office_id": "off_1",
    "client_id": "cli_1",
    "payment_id": "pay_1",
    "source_reference": None,
    "debtor_iban": "BE33363291417746",
    "creditor_name": "Leverancier 1 BV",
    "creditor_iban": "BE12310291417792",
    "creditor_bic": None,
    "creditor_address": {"town": "Namur", "country": "BE", "lines": ["Rue 1"]},
    "amount": Decimal("1210.00"),
    "currency": "EUR",
    "asked_date": date(2027, 1, 5),
    "date_choice": "fixed",
    "remittance": ["belgian", "291417776370"],
    "category_purpose": None,
    "invoice_sha256": None,
}
APPROVAL: dict[str, object] = {
    "seal": "v1:00",
    "user_id": "usr_1",
    "acting_for": None,
    "verdict": "approve",
    "rule_versions": {"rul_1": 3},
    "decided_at": datetime(2027, 1, 4, 9, 0, tzinfo=UTC),
}


def test_the_seal_of_a_version_never_changes() -> None:
    assert seals.seal(FIELDS, KEY) == "v1:05c47ea2b30db113978efa94c665c1bb615749167ade2668f08d571ed0200a66"


def test_a_seal_fits_its_payment_and_no_other_key() -> None:
    given_seal = seals.seal(FIELDS, KEY)
    assert seals.verify(given_seal, dict(reversed(FIELDS.items())), KEY)
    assert not seals.verify(given_seal, FIELDS, bytes(32))
    assert not seals.verify("v0:" + given_seal[3:], FIELDS, KEY)


@pytest.mark.parametrize("name", sorted(seals.PAYMENT_FIELDS))
def test_changing_any_field_breaks_the_seal(name: str) -> None:
    changed = FIELDS | {name: "something else"}
    assert not seals.verify(seals.seal(FIELDS, KEY), changed, KEY)


@pytest.mark.parametrize("name", sorted(seals.PAYMENT_FIELDS))
def test_no_field_can_be_forgotten(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        seals.seal({field: value for field, value in FIELDS.items() if field != name}, KEY)


def test_equal_amounts_seal_alike_however_they_are_written() -> None:
    assert seals.seal(FIELDS, KEY) == seals.seal(FIELDS | {"amount": Decimal("1.21E+3")}, KEY)
    assert seals.canonical({"amount": Decimal("-0.00")}) == seals.canonical({"amount": Decimal(0)})


def test_a_moment_seals_alike_in_every_zone() -> None:
    brussels = datetime(2027, 1, 4, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert seals.seal_approval(APPROVAL, KEY) == seals.seal_approval(APPROVAL | {"decided_at": brussels}, KEY)


def test_a_payment_seal_cannot_serve_as_an_approval() -> None:
    both = FIELDS | APPROVAL
    assert seals.seal(both, KEY) != seals.seal_approval(both, KEY)
    assert seals.verify_approval(seals.seal_approval(APPROVAL, KEY), APPROVAL, KEY)


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), datetime(2027, 1, 4), b"x", {1: "a"}, object()])  # noqa: DTZ001
def test_what_has_no_exact_form_is_not_sealed(value: object) -> None:
    with pytest.raises(TypeError):
        seals.seal(FIELDS | {"amount": value}, KEY)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(SealKeyTooShort):
        seals.seal(FIELDS, b"short")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(blacklist_categories=("Cs",))) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(values, values)
def test_different_values_have_different_canonical_forms(first: object, second: object) -> None:
    same_form = seals.canonical({"a": first}) == seals.canonical({"a": second})
    assert same_form == (repr(_sorted(first)) == repr(_sorted(second)))


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
