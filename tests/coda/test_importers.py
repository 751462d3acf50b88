from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

import coda
from coda.importer_tests import TESTS
from coda.importers import MARKS, importers, importers_page
from tests.coda.builders import ACCOUNT, entry, statement
from tests.peers import read_with_peer

GOLDEN = Path(__file__).parent / "golden"
PUBLISHED = [key for key, importer in importers().items() if importer.knowledge == "source"]
COMPOSED = coda.write([statement([entry("A"), entry("B", amount=Decimal(-3), transaction_code="00101000")])])


def codes(verdict: coda.Verdict) -> set[str]:
    return {reason.code for reason in verdict.reasons}


@pytest.mark.parametrize("importer", PUBLISHED)
def test_what_we_compose_is_accepted_by_every_importer_whose_source_is_known(importer: str) -> None:
    verdict = coda.would_accept(COMPOSED, importer, account=ACCOUNT, last_closing=Decimal(100))
    assert (verdict.accepted, verdict.reasons, verdict.unchecked) == ("yes", (), ())


@pytest.mark.parametrize("importer", sorted(set(importers()) - set(PUBLISHED)))
def test_an_importer_known_from_help_pages_only_is_never_sure(importer: str) -> None:
    verdict = coda.would_accept(COMPOSED, importer, account=ACCOUNT, last_closing=Decimal(100))
    assert (verdict.accepted, verdict.reasons) == ("unknown", ())


@pytest.mark.parametrize("importer", importers())
def test_a_file_that_is_no_coda_is_refused_by_all(importer: str) -> None:
    verdict = coda.would_accept(b"%PDF-1.7", importer)
    assert verdict.accepted == "no"
    assert codes(verdict) == {"not_coda"}


def test_rules_about_the_setup_are_listed_when_it_is_not_given() -> None:
    verdict = coda.would_accept(COMPOSED, "business_central")
    assert verdict.accepted == "yes"
    assert len(verdict.unchecked) == 4
    wrong = replace(ACCOUNT, bic="GEBABEBBXXX", bank_id="001", company_id="00000000001", number="BE14636960615783")
    verdict = coda.would_accept(COMPOSED, "business_central", account=wrong)
    assert codes(verdict) == {"bc_bic", "bc_bank_id", "bc_company", "bc_account"}
    assert verdict.accepted == "no"


@pytest.mark.parametrize(
    ("importer", "accepted", "code"),
    [("noviat", "no", "noviat_opening"), ("octopus", "no", "octopus_opening"), ("winbooks", "unknown",
      "winbooks_opening"), ("yuki", "unknown", "yuki_opening")],
)  # fmt: skip
def test_an_opening_that_is_not_the_last_closing(importer: str, accepted: str, code: str) -> None:
    verdict = coda.would_accept(COMPOSED, importer, last_closing=Decimal("99.99"))
    assert (verdict.accepted, code in codes(verdict)) == (accepted, True)
    two = coda.write([statement(number=1), statement(number=2)])  # the second opens as the first did
    assert code in codes(coda.would_accept(two, importer))


def test_groups_are_booked_differently() -> None:
    path = GOLDEN / "syn_globalisation.cod"
    assert codes(coda.would_accept(path, "oca")) == {"oca_groups"}
    assert codes(coda.would_accept(path, "tryton")) == {"tryton_groups", "tryton_type_9"}


@pytest.mark.parametrize(
    ("name", "importer"),
    [("febelfin-coda", "tryton"), ("pycoda", "oca")],
)
def test_the_verdict_is_that_of_the_reader_itself(name: str, importer: str, shared: Path) -> None:
    for path in sorted((shared / "samples/coda").glob("*.cod")):
        verdict = coda.would_accept(path, importer)
        try:
            read_with_peer(name, path)
        except AssertionError:
            assert verdict.accepted != "yes", path.name
        else:
            assert verdict.accepted != "no", (path.name, verdict.reasons)


def changed(**changes: object) -> bytes:
    one = statement([entry("A"), entry("B")])
    return coda.write([replace(one, movements=(replace(one.movements[0], **changes), *one.movements[1:]))])


@pytest.mark.parametrize(
    ("content", "importer", "code"),
    [
        (changed(value_date=None), "oca", "oca_value_date"),
        (changed(value_date=None), "tryton", "tryton_value_date"),
        (changed(transaction_code="00000000"), "business_central", "bc_undefined_code"),
        (changed(transaction_code="06650000"), "noviat", "noviat_code"),
        (changed(transaction_code="50150000"), "tryton", "tryton_types"),
        (changed(communication="1" * 12, communication_type="103"), "oca", "oca_structured"),
        (changed(communication="X", communication_type="121"), "noviat", "noviat_not_decoded"),
        (changed(communication="X", communication_type="199"), "noviat", "noviat_structured"),
        (changed(communication="a" * 52 + " b"), "noviat", "noviat_seam"),
        (changed(counterparty_zone="BE14636960615783".ljust(34) + "EUR"), "tryton", "tryton_counterparty_currency"),
        (coda.write([statement().as_duplicate()]), "noviat", "noviat_duplicate"),
        (coda.write([replace(statement(), application="00")]), "oca", "oca_header"),
        (b"\xef\xbb\xbf" + COMPOSED, "oca", "oca_byte_order_mark"),
        (COMPOSED.replace(b"Alfa Handel BV ", "Alfa Hañdel BV ".encode()), "oca", "oca_encoding"),
        (coda.write([statement(), statement()]), "noviat", "noviat_number_repeated"),
        (coda.write([statement(), statement()]), "business_central", "bc_statement_key"),
        (coda.write([statement(), statement()]), "winbooks", "winbooks_twice"),
        (coda.write(coda.read(GOLDEN / "syn_empty_with_free.cod")), "business_central", "bc_free_communication"),
        (coda.write([statement(account=coda.Account.of_iban("NL22ABNA5891807615", "EUR"))]), "business_central",
         "bc_foreign_iban"),
    ],
)  # fmt: skip
def test_each_stumbling_block_is_named(content: bytes, importer: str, code: str) -> None:
    verdict = coda.would_accept(content, importer)
    assert code in codes(verdict)
    assert verdict.accepted != "yes"


def test_an_unknown_importer_is_refused_with_the_known_ones() -> None:
    with pytest.raises(coda.InvalidValue, match="business_central, noviat, oca"):
        coda.would_accept(COMPOSED, "abacus")


def test_every_rule_has_a_test_an_effect_and_a_source() -> None:
    ids = [rule["id"] for importer in importers().values() for rule in importer.rules]
    assert len(ids) == len(set(ids))
    used = set()
    for importer in importers().values():
        for rule in importer.rules:
            assert rule["test"] in TESTS
            assert rule["mark"] in MARKS
            assert rule["effect"] in ("refuses", "misreads", "warns", "unknown")
            used.add(rule["test"])
    assert used == set(TESTS)


def test_the_page_of_the_importers_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "coda" / "importers.md"
    assert page.read_text("utf-8") == importers_page(), "run: python -m coda.importers > docs/coda/importers.md"
