import csv
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import coda
from coda import structured
from coda.descriptions import descriptions
from coda.structured import NO_END, Part, Value
from tests.coda.builders import quick

GOLDEN = Path(__file__).parent / "golden"


def values_of(part: Part) -> st.SearchStrategy[Value]:
    match part.kind:
        case "number":
            digits = st.integers(0, 10**part.length - 1)
            return digits.map(lambda number: Decimal(number).scaleb(-part.decimals))
        case "digits":
            return st.none() | st.text("0123456789", min_size=part.length, max_size=part.length)
        case "date" | "date8":
            return st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31))
        case "time":
            return st.none() | st.times().map(lambda at: time(at.hour, at.minute))
        case _:
            text = st.text("ABC abc-/1", max_size=part.length or 40).map(
                lambda text: text.rstrip() if text.strip() else ""
            )
            return text.map(lambda text: text or None)


@st.composite
def communications(draw: st.DrawFn) -> tuple[str, dict[str, Value]]:
    code = draw(st.sampled_from(structured.types()))
    return code, {part.name: draw(values_of(part)) for part in structured.parts_of(code)}


@quick
@given(communications())
def test_what_is_encoded_decodes_to_the_same_values(case: tuple[str, dict[str, Value]]) -> None:
    code, values = case
    decoded = structured.decode(code, structured.encode(code, values))
    assert decoded is not None
    assert decoded.values == values


def test_the_parts_of_each_type_follow_each_other_without_gaps() -> None:
    for code in structured.types():
        following = 1
        for part in structured.parts_of(code):
            assert part.start == following, (code, part.name)
            assert part.kind in ("number", "digits", "date", "date8", "time", "text")
            following += part.length


def test_every_type_part_and_reader_has_a_description_in_four_languages() -> None:
    texts = descriptions()
    for code in structured.types():
        assert ("type", code) in texts
        for part in structured.parts_of(code):
            assert ("part", part.name) in texts
    for labels in texts.values():
        assert all(labels[language] for language in ("nl", "fr", "en", "de"))


def test_the_table_holds_all_fields_of_the_published_table(shared: Path) -> None:
    with (shared / "spec/coda/structured_communications.csv").open(encoding="utf-8") as file:
        published = [(row["code"], row["field"], int(row["offset"])) for row in csv.DictReader(file)]
    ours = [(code, part.name, part.start) for code in structured.types() for part in structured.parts_of(code)]
    assert ours == published


def test_every_structured_communication_of_the_samples_decodes() -> None:
    (statement,) = coda.read(GOLDEN / "syn_structured_communications.cod")
    found = {}
    for movement in statement.movements:
        if movement.communication_type is not None:
            decoded = coda.decode(movement.communication_type, movement.communication)
            assert decoded is not None
            found[decoded.code] = decoded
    assert found["101"].reference.startswith("+++")
    assert isinstance(found["127"].values["settlement_date"], date)
    assert isinstance(found["113"].values["original_amount"], Decimal)
    assert found["127"].label("nl") == "Europese domiciliëring"


def test_an_unknown_type_is_not_decoded() -> None:
    assert coda.decode("199", "TEXT") is None


def test_a_guarantee_without_fixed_term_has_no_end() -> None:
    text = structured.encode("123", {"maturity_date": NO_END, "start_date": date(2026, 3, 1)})
    assert text.startswith("010326999999")
    decoded = structured.decode("123", text)
    assert decoded is not None
    assert decoded.values["maturity_date"] == NO_END


@pytest.mark.parametrize(
    ("code", "values", "field"),
    [
        ("999", {}, "communication_type"),
        ("103", {"colour": "red"}, "communication.colour"),
        ("103", {"number": "1234567890123"}, "communication.number"),
        ("104", {"equivalent": Decimal("1.0001")}, "communication.equivalent"),
        ("104", {"equivalent": Decimal(-1)}, "communication.equivalent"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_name(code: str, values: dict[str, Value], field: str) -> None:
    with pytest.raises(coda.InvalidValue) as refusal:
        structured.encode(code, values)
    assert refusal.value.field == field


def test_a_coded_value_is_explained() -> None:
    assert structured.value_label("113", "card_scheme", "2") == "Maestro"
    assert structured.value_label("113", "transaction_type", "2", "fr") == "chargement Proton"
    assert structured.value_label("111", "transaction_type", "2", "fr") == "total sur le réseau"
    assert structured.value_label("113", "card_scheme", "7") == ""


def test_every_code_of_a_part_is_explained() -> None:
    for code in structured.types():
        for part in structured.parts_of(code):
            assert all(structured.value_label(code, part.name, value) for value in part.codes), (code, part.name)
    assert structured.parts_of("127")[2].codes == ("0", "1", "2")
