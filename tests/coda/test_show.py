from pathlib import Path

import coda
from tests.coda.builders import entry, statement

GOLDEN = Path(__file__).parent / "golden"


def test_fields_of_records_that_are_not_there_are_left_out() -> None:
    bare = entry("A", counterparty_iban="", counterparty_name="", counterparty_bic="", end_to_end_id="")
    (shown,) = coda.show(coda.write([statement([bare])]))["statements"]
    (movement,) = shown["movements"]
    assert list(movement)[-2:] == ["globalisation", "communication"]


def test_the_facts_of_the_bytes_come_first() -> None:
    content = coda.write([statement()])
    shown = coda.show(content.replace(b"\r\n", b"\n").rstrip(b"\n"))
    assert (shown["line_end"], shown["final_line_end"], shown["lines"]) == ("LF", False, 7)
    assert (shown["file"], shown["encoding"]) == ("", "ascii")
    mixed = content.replace(b"\r\n", b"\n", 1)
    assert coda.show(mixed)["line_end"] == "mixed"


def test_a_statement_is_rendered_as_text() -> None:
    bare = entry("B", counterparty_name="", communication="")
    rendered = coda.render(coda.write([statement([entry("A"), bare])]), "nl")
    assert rendered.splitlines() == [
        "Statement 007  BE81797030970124 EUR  Voorbeeld NV",
        "2026-03-13  old balance                                                            100.000",
        "2026-03-16  Alfa Handel BV Factuur 2026-17                                          12.500",
        "2026-03-16  Binnenlandse/lokale overschrijvingen - SEPA credit transfer             12.500",
        "2026-03-16  new balance                                                            125.000",
    ]


def test_details_are_indented_and_free_communications_follow() -> None:
    assert "\n2026-03-16    ALFA TRADING NV DETAIL 1" in coda.render(GOLDEN / "syn_globalisation.cod")
    assert coda.render(GOLDEN / "syn_empty_with_free.cod").endswith("\n            NOTICE TWO")
