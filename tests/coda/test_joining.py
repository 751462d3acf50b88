from decimal import Decimal
from pathlib import Path

import coda
from coda import joining
from tests.coda.builders import entry, statement
from tests.peers import read_with_peer

# Words that end before, on and after the seams at columns 53 and 106, and repeated blanks.
TEXTS = (
    "x" * 53 + "y" * 53 + "z" * 43,
    "word " * 29,
    "a" * 52 + " b" + "c" * 80,
    "short",
)


def movement(text: str, kind: str | None = None) -> coda.Movement:
    return coda.Movement(
        sequence=1, bank_reference="R", amount=Decimal(1), value_date=None, entry_date=None,
        transaction_code="00150000", communication=text, communication_type=kind,
    )  # fmt: skip


def information(text: str, kind: str | None = None) -> coda.Information:
    return coda.Information(
        sequence=1, detail=1, bank_reference="R", transaction_code="00150000", communication=text,
        communication_type=kind, parts=3,
    )  # fmt: skip


def test_pycoda_is_imitated_exactly(tmp_path: Path) -> None:
    entries = [entry(f"BANK-{index}", communication=text) for index, text in enumerate(TEXTS)]
    entries.append(entry("BANK-9", reference="+++505/1686/26077+++"))
    path = tmp_path / "file.cod"
    path.write_bytes(coda.write([statement(entries)]))
    (ours,), (theirs,) = list(coda.read(path)), read_with_peer("pycoda", path)
    assert [joining.pycoda(movement) for movement in ours.movements] == [
        each["communication"] for each in theirs["entries"]
    ]


def test_the_seams_of_each_reader() -> None:
    seam = movement("a" * 52 + " " + "b" * 10)
    assert joining.pycoda(seam) == "a" * 52 + " " + "b" * 10
    assert joining.noviat(seam) == "a" * 52 + "b" * 10
    assert joining.febelfin_coda(seam) == joining.business_central(seam) == seam.communication
    word = movement("a" * 60)
    assert joining.pycoda(word) == "a" * 53 + " " + "a" * 7
    assert joining.noviat(word) == "a" * 60


def test_pycoda_loses_the_end_of_a_record_32() -> None:
    text = "a" * 73 + "b" * 105 + "c" * 10
    assert joining.pycoda(information(text)) == "a" * 73 + "b" * 90 + "c" * 10
    assert joining.business_central(information(text)) == text


def test_febelfin_coda_gives_the_part_of_the_payer() -> None:
    assert joining.febelfin_coda(movement("505168626077", "101")) == "505168626077"
    assert joining.febelfin_coda(movement("x" * 79 + "paid".ljust(62) + "0", "127")) == "paid".ljust(62)
    assert joining.febelfin_coda(movement("1234", "113")) == ""
    assert joining.febelfin_coda(information("text", "002")).rstrip() == "text"
    assert joining.febelfin_coda(information("text")) == ""
    assert set(joining.READERS) == {"pycoda", "noviat", "febelfin_coda", "business_central"}
