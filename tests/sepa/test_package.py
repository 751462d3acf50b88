import csv
from pathlib import Path

import sepa
from sepa.findings import CATALOGUE

PUBLIC = {
    *("AddressMode", "CATALOGUE", "ClosedDay", "ConfigError", "DateChoice", "DebtorAccount", "Finding", "Group"),
    *("InputError", "Order", "OrderInvalid", "Party", "Payment", "PostalAddress", "ReferenceKind", "SepaError"),
    *("Severity", "Structured", "Summary", "Unstructured", "arrange", "build", "check_payment", "execution_date"),
    *("is_blocked", "is_business_day", "next_business_day", "previous_business_day", "sendable", "split", "write"),
}


def test_the_public_face_is_what_was_agreed() -> None:
    assert set(sepa.__all__) == PUBLIC
    assert all(hasattr(sepa, name) for name in sepa.__all__)


def test_every_finding_has_a_sentence_and_a_remedy() -> None:
    for code, text in CATALOGUE.items():
        assert code == code.lower(), code
        assert text.text.endswith("."), code
        assert text.hint.endswith("."), code


def test_every_finding_code_is_used_by_the_package() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(sepa.__file__).parent.glob("*.py"))
    made_up = {f"{kind}_{fault}" for kind in ("belgian_reference", "rf_reference") for fault in ("format", "checksum")}
    made_up |= {"category_purpose_unknown", "purpose_unknown"}
    unused = [code for code in CATALOGUE if source.count(f'"{code}"') < 2 and code not in made_up]
    assert unused == []


def test_the_data_files_are_sorted_and_without_doubles() -> None:
    for path in (Path(sepa.__file__).parent / "data").glob("*.csv"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("# ")]
        keys = [tuple(row[:2]) if "codes" in path.name else row[0] for row in list(csv.reader(lines))[1:]]
        assert len(set(keys)) == len(keys), path.name
