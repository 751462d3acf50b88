from pathlib import Path

from coda.layout import layout_table


def test_the_layout_table_of_the_documentation_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "coda" / "layout.md"
    assert page.read_text("utf-8") == layout_table(), "run: python -m coda.layout > docs/coda/layout.md"
