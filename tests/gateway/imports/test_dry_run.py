"""What the dry run says of each row and each cell (OFF-13, OFF-14)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from gateway.errors import InputError, RightsError
from gateway.identity.rights import OfficeRole
from gateway.imports import errors, values
from gateway.offices.models import ClientState
from gateway.offices.service import ClientService
from gateway.pagination import PageRequest
from tests.gateway.builders import act_of, make_client, make_office, make_person
from tests.gateway.imports.conftest import Desk, desk_of
from tests.gateway.imports.files import HEADERS, PERSON, clients, enterprise_number, iban


def test_rows_are_sorted_into_new_existing_only_here_and_invalid(desk: Desk) -> None:
    """OFF-13: with changed fields old and new; the dry run changes nothing."""
    known = make_client(desk.gateway, desk.office, name="Bakkerij Oud BV")
    make_client(desk.gateway, desk.office, name="Alleen hier BV")
    new, wrong = clients(2)
    wrong[1] = "0477.472.702"
    view = desk.check(HEADERS, ["Bakkerij Nieuw BV", known.enterprise_number, "", ""], new, wrong)
    assert view.counts == {
        "new": 1, "existing": 1, "invalid": 1, "only_here": 1, "imported": 0, "undone": 0, "kept": 0,
    }  # fmt: skip
    (existing,) = desk.rows(view, kind="existing")
    assert existing.content["changes"] == [{"field": "name", "old": "Bakkerij Oud BV", "new": "Bakkerij Nieuw BV"}]
    assert existing.row is not None
    assert existing.row.client_id == known.id
    (other,) = desk.rows(view, kind="only_here")
    assert other.client is not None
    assert other.client.name == "Alleen hier BV"
    assert desk.faults(view) == [(4, "B", "enterprise_number_invalid")]
    assert [client.name for client in desk.clients()] == ["Alleen hier BV", "Bakkerij Oud BV"]


@pytest.mark.parametrize(
    ("header", "cell", "code"),
    [
        ("KBO", "0477.472.702", "enterprise_number_invalid"),
        ("Naam", "x" * 71, "too_long"),
        ("Naam", "Bak\tkerij", "control_characters"),
        ("Naam", "Bak\nkerij", "control_characters"),
        ("Naam", "=A1", "formula_refused"),
        ("Klantcode", "../boven", "client_code_invalid"),
        ("Klantcode", PERSON, "national_number_refused"),
        ("Taal", "es", "language_unknown"),
        ("E-mail", "piet@", "email_invalid"),
        ("E-mail", "a@b@example.test", "email_invalid"),
        ("Gsm", "0470 12 34 56", "mobile_invalid"),
        ("Gsm", "+0470123456", "mobile_invalid"),
        ("Dossierbeheerder", "niemand@example.test", "responsible_unknown"),
        ("Dossierbeheerder", "niemand", "email_invalid"),
        ("Groep", "Zuid", "group_unknown"),
        ("Boekhoudpakket", "Excel", "package_unknown"),
        ("Levering", "duif", "delivery_unknown"),
        ("Einde boekjaar", "31/02", "financial_year_end_invalid"),
        ("Einde boekjaar", "05-06", "financial_year_end_invalid"),
        ("Uitnodiging sturen", "misschien", "yes_no_invalid"),
        ("IBAN", "BE68 5390 0754 7035", "iban_invalid"),
        ("IBAN", "BE45 5390 0754 7035", "iban_national"),
        ("Bank", "KREDBEBB", "bank_without_iban"),
        ("Volgend CODA-nummer", "12", "account_needed"),
        ("Laatste saldo", "1,00", "account_needed"),
        ("Uittreksels vanaf", "31/12/2026", "account_needed"),
        ("Uittreksels vanaf", "31/02/2026", "date_invalid"),
    ],
)
def test_a_cell_with_a_fault_names_its_column(desk: Desk, header: str, cell: str, code: str) -> None:
    """OFF-14: every check, with row, column and code; a sentence exists for each."""
    row = {"KBO": "0477472701", "Naam": "Bakkerij Voorbeeld BV"} | {header: cell}
    if cell.startswith("BE45"):
        base = "5390075470"
        wrong = f"{(int(base) % 97 or 97) % 97 + 1:02d}"
        row[header] = f"BE{98 - int(base + wrong + '111400') % 97:02d}{base}{wrong}"
    view = desk.check(list(row), list(row.values()))
    letter = "ABC"[list(row).index(header)]
    assert desk.faults(view) == [(2, letter, code)]
    stored = str(desk.rows(view)[0].content)
    assert PERSON not in stored


@pytest.mark.parametrize(
    ("header", "cell", "code"),
    [
        ("Bank", "Bank van de Maan", "bank_unknown"),
        ("Volgend CODA-nummer", "1000", "coda_number_invalid"),
        ("Volgend CODA-nummer", "000", "coda_number_invalid"),
        ("Laatste saldo", "1.250", "amount_invalid"),
        ("Laatste saldo", "veel", "amount_invalid"),
        ("Laatste saldo", "1,2345", "amount_invalid"),
    ],
)
def test_what_belongs_to_an_account_is_checked_too(desk: Desk, header: str, cell: str, code: str) -> None:
    view = desk.check(["KBO", "Naam", "IBAN", header], ["0477472701", "Bakkerij", iban(1), cell])
    assert desk.faults(view) == [(2, "D", code)]


def test_a_key_or_an_account_twice_in_the_file_names_the_other_row(desk: Desk) -> None:
    """OFF-14."""
    first, second, third, fourth = clients(4)
    second[1] = first[1]
    fourth[2] = third[2]
    view = desk.check(HEADERS, first, second, third, fourth)
    assert desk.faults(view) == [(2, "B", "key_twice"), (3, "B", "key_twice"), (5, "C", "iban_twice")]
    parameters = [row.content["faults"][0]["parameters"] for row in desk.rows(view, kind="invalid")]
    assert parameters == [{"row": 3}, {"row": 2}, {"row": 4}]


def test_one_number_with_two_dossiers_is_two_clients(desk: Desk) -> None:
    """OFF-02."""
    view = desk.check(["KBO", "Naam", "Dossier"], ["0477472701", "A", "1"], ["0477472701", "B", "2"])
    assert view.counts["new"] == 2


def test_an_account_of_another_client_is_a_fault_within_the_office_only(desk: Desk) -> None:
    """OFF-14; OFF-05: whatever another office holds, the answer is the same."""
    row = clients(1)[0]
    desk.import_(desk.check(HEADERS, row))
    elsewhere = desk_of(desk.gateway)
    assert elsewhere.check(HEADERS, row).counts["new"] == 1
    assert elsewhere.check(HEADERS, ["Ander", enterprise_number(9), row[2], ""]).counts["new"] == 1
    view = desk.check(HEADERS, ["Ander", enterprise_number(9), row[2], ""])
    assert desk.faults(view) == [(2, "C", "iban_of_other_client")]


def test_a_person_without_number_needs_an_external_id(desk: Desk) -> None:
    """OFF-02."""
    view = desk.check(["Naam", "External id"], ["Jan Peeters", ""], ["An Peeters", "p-1"])
    assert desk.faults(view) == [(2, None, "key_missing")]
    assert view.counts["new"] == 1


def test_a_new_client_needs_a_name_and_a_closed_one_stays_as_it_is(desk: Desk) -> None:
    closed = make_client(desk.gateway, desk.office)
    ClientService(desk.gateway).change_state(desk.act, closed.id, ClientState.CLOSED)
    view = desk.check(["KBO", "Naam"], ["0477472701", ""], [closed.enterprise_number, "Nieuw"])
    assert desk.faults(view) == [(2, "B", "name_missing"), (3, "A", "client_closed")]


def test_an_empty_cell_leaves_a_value_as_it_is(desk: Desk) -> None:
    row = clients(1)[0]
    desk.import_(desk.check(HEADERS, row))
    (again,) = desk.rows(desk.check(HEADERS, [row[0], row[1], "", ""]), kind="existing")
    assert again.content["changes"] == []


def test_a_row_is_repaired_in_place_and_its_twin_with_it(desk: Desk) -> None:
    """OFF-13: invalid rows can be repaired in place."""
    first, second = clients(2)
    second[1] = first[1]
    view = desk.check(HEADERS, first, second)
    assert view.counts["invalid"] == 2
    repaired = desk.imports.repair(desk.act, view.client_import.id, 3, {"enterprise_number": enterprise_number(2)})
    assert repaired.kind == "new"
    assert desk.again(view).counts["new"] == 2
    desk.imports.repair(desk.act, view.client_import.id, 3, {"contact_email": None, "iban_1": "BE00"})
    assert desk.faults(view) == [(3, "C", "iban_invalid")]
    for cells, kind in (({"colour": "red"}, InputError), ({"iban_0": "x"}, InputError), ({"iban_x": "x"}, InputError)):
        with pytest.raises(kind):
            desk.imports.repair(desk.act, view.client_import.id, 3, cells)
    with pytest.raises(errors.ImportRowNotFound):
        desk.imports.repair(desk.act, view.client_import.id, 9, {})
    desk.import_(view)
    with pytest.raises(errors.RowImported):
        desk.imports.repair(desk.act, view.client_import.id, 2, {"name": "Te laat"})


def test_a_refused_cell_stays_a_fault_until_it_is_given_anew(desk: Desk) -> None:
    """OFF-12: what was not stored cannot be passed over."""
    view = desk.check(["KBO", "Naam", "Klantcode"], ["0477472701", "Bakkerij", PERSON])
    again = desk.imports.repair(desk.act, view.client_import.id, 2, {"name": "Bakkerij Voorbeeld"})
    assert again.kind == "invalid"
    assert desk.imports.repair(desk.act, view.client_import.id, 2, {"client_code": PERSON}).kind == "invalid"
    assert desk.imports.repair(desk.act, view.client_import.id, 2, {"client_code": "BAK"}).kind == "new"


def test_what_the_rows_say_is_encrypted(desk: Desk) -> None:
    """Law 6: the file holds personal data."""
    desk.check(HEADERS, *clients(1))
    with desk.gateway.database.unit_of_work(desk.office.id) as session:
        for table in ("client_import", "client_import_row"):
            stored = str(session.connection().execute(text(f"SELECT t::text FROM {table} t")).all())
            assert "contact1@example.test" not in stored
            assert "Bakkerij 1" not in stored


def test_a_member_of_staff_for_some_clients_cannot_import(desk: Desk) -> None:
    """OFF-09: an import lists and changes clients outside the person's groups."""
    person = make_person(desk.gateway, desk.office, OfficeRole.STAFF, is_enrolled=False)
    staff = act_of(person, desk.office, OfficeRole.STAFF)
    assert desk.imports.page(staff, PageRequest(50, None))[0] == []
    limited = replace(staff, principal=replace(staff.principal, office_clients=frozenset()))
    for attempt in (
        lambda: desk.imports.create(limited, b"Naam;KBO\nx;1"),
        lambda: desk.imports.page(limited, PageRequest(50, None)),
    ):
        with pytest.raises(RightsError):
            attempt()


def test_an_import_of_another_office_is_not_there(desk: Desk) -> None:
    view = desk.check(HEADERS, *clients(1))
    other = desk_of(desk.gateway)
    with pytest.raises(errors.ImportNotFound):
        other.imports.get(other.act, view.client_import.id)
    with pytest.raises(errors.ImportNotFound):
        other.runs.start(other.act, view.client_import.id)
    assert make_office(desk.gateway).id != other.office.id


@pytest.mark.parametrize(
    ("read", "typed", "value"),
    [
        (values.financial_year_end, "31/12", "12-31"), (values.financial_year_end, "30-06", "06-30"),
        (values.financial_year_end, "06-30", "06-30"), (values.financial_year_end, "2026-09-30", "09-30"),
        (values.financial_year_end, "31.3.", None), (values.financial_year_end, "29/02", "02-29"),
        (values.amount, "1.250,00", "1250.00"), (values.amount, "1250,5", "1250.50"), (values.amount, "-3", "-3.00"),
        (values.amount, "1,250.00", "1250.00"), (values.amount, "1.250.000", "1250000.00"),
        (values.amount, "1250.125", "1250.125"), (values.amount, "€ 12,00", "12.00"),
        (values.mobile, "0032 (0)470 12.34.56", "+32470123456"),
        (values.mobile, "+49 (151) 23456789", "+4915123456789"),
        (values.day, "1/2/2026", "2026-02-01"), (values.day, "2026-02-01", "2026-02-01"), (values.day, "1/2/26", None),
        (values.coda_number, "7", 7), (values.coda_number, "007", 7), (values.coda_number, "٧", None),
        (values.email, "Jan.Peeters@Example.TEST", "jan.peeters@example.test"),
        (values.email, "a..b@example.test", None),
        (values.labels, "btw; maandelijks, btw", ["btw", "maandelijks"]),
        (values.package, "bob 50", "bob50"), (values.package, "Expert/M", "expert_m"),
        (values.delivery, "Abholdienst", "agent"), (values.language, "Français", "fr"), (values.yes_no, "Neen", False),
    ],
)  # fmt: skip
def test_what_people_type_is_understood_or_refused(read: object, typed: str, value: object) -> None:
    assert callable(read)
    if value is None:
        with pytest.raises(values.Faulty):
            read(typed)
    else:
        assert read(typed) == value
