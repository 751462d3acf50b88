"""Files we write, read by two independent readers: same balances, counts, amounts, dates and texts."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import coda
from tests.coda.builders import entry, statement
from tests.peers import NAMES, read_with_peer

LONG = " ".join(f"woord{number}" for number in range(60))
ENTRIES = [
    entry("BANK-0001"),
    entry("BANK-0002", amount=Decimal("-8.05"), transaction_code="00101000", reference="+++505/1686/26077+++"),
    entry("BANK-0003", reference="RF34SYN826003", communication="Met dank – José Łukasz"),
    entry("BANK-0004", communication=LONG, notes=["Bericht van de bank: " + LONG]),
    entry("BANK-0005", counterparty_name="Naamloze vennootschap met een heel lange naam te Gent",
          counterparty_street="Grote Markt 1", counterparty_locality="9000 Gent"),
    entry("BANK-0006", counterparty_iban="NL22ABNA5891807615", r_type="2", r_reason="MS03", purpose="SALA"),
    entry("BANK-0007", counterparty_iban="", counterparty_name="", counterparty_bic="", end_to_end_id="",
          communication=""),
]  # fmt: skip


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "BE81797030970124_EUR_2026_007.cod"
    path.write_bytes(coda.write([statement(ENTRIES, number=7), statement([entry()], number=8)]))
    return path


def read_alike(name: str, path: Path) -> list[tuple[coda.Statement, dict[str, Any]]]:
    return list(zip(coda.read(path), read_with_peer(name, path), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_balances_dates_and_numbers_are_read_alike(name: str, written: Path) -> None:
    for ours, theirs in read_alike(name, written):
        assert ours.new_balance is not None
        assert (ours.account.number, ours.account.currency, ours.number) == (
            theirs["account"],
            theirs["currency"],
            theirs["number"],
        )
        assert ours.old_balance.amount == Decimal(theirs["old_balance"])
        assert ours.new_balance.amount == Decimal(theirs["new_balance"])
        assert str(ours.old_balance.date) == theirs["old_balance_date"]
        assert str(ours.new_balance.date) == theirs["new_balance_date"]


@pytest.mark.parametrize("name", NAMES)
def test_entries_are_read_alike(name: str, written: Path) -> None:
    for ours, theirs in read_alike(name, written):
        for movement, peer in zip(ours.movements, theirs["entries"], strict=True):
            assert movement.amount == Decimal(peer["amount"])
            assert (str(movement.entry_date), str(movement.value_date)) == (peer["entry_date"], peer["value_date"])
            for field in ("transaction_code", "bank_reference", "counterparty_bic", "customer_reference"):
                assert getattr(movement, field) == peer[field], field
            assert movement.counterparty_account == peer["counterparty_account"]
            assert words(movement.counterparty_name) == words(peer["counterparty_name"])


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_read_alike_after_collapsing_blanks(name: str, written: Path) -> None:
    for ours, theirs in read_alike(name, written):
        for movement, peer in zip(ours.movements, theirs["entries"], strict=True):
            if movement.communication_type is None:
                assert words(movement.communication) == words(peer["communication"])
            elif name == "febelfin-coda":
                assert movement.communication_type + movement.communication == peer["communication"].strip()
            else:
                shown = peer["communication"].replace("+", "").replace("/", "")
                assert movement.communication[:12] == shown
            free = [each for each in movement.information if each.communication_type is None]
            assert len(movement.information) == len(peer["information"])
            for information, text in zip(movement.information, peer["information"], strict=True):
                if information in free:
                    assert words(information.communication) == words(text)
                else:
                    # One of the readers joins the parts without the blanks between them.
                    assert "".join(information.communication.split()) in "".join(text.split())


@pytest.mark.parametrize("name", NAMES)
def test_a_foreign_account_and_a_debit_balance_are_read_alike(name: str, tmp_path: Path) -> None:
    account = coda.Account.of_iban("NL22ABNA5891807615", "GBP", holder="Voorbeeld NV")
    path = tmp_path / "foreign.cod"
    path.write_bytes(coda.write([statement(account=account, old_balance=Decimal("-100.25"))]))
    (peer,) = read_with_peer(name, path)
    assert (peer["account"], peer["currency"]) == ("NL22ABNA5891807615", "GBP")
    assert Decimal(peer["old_balance"]) == Decimal("-100.25")
    assert Decimal(peer["new_balance"]) == Decimal("-87.75")


def test_an_empty_statement_is_read_by_the_reader_that_checks(tmp_path: Path) -> None:
    path = tmp_path / "empty.cod"
    path.write_bytes(coda.write([statement([])]))
    (peer,) = read_with_peer("febelfin-coda", path)
    assert (Decimal(peer["old_balance"]), peer["entries"]) == (Decimal(100), [])
