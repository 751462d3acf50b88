"""Pages of the documentation that are made from the tables are up to date."""

from pathlib import Path

from coda.codes_page import codes_page
from coda.findings_page import findings_page

DOCS = Path(__file__).parents[2] / "docs" / "coda"


def test_the_page_of_the_codes_is_up_to_date() -> None:
    page = (DOCS / "codes.md").read_text("utf-8")
    assert page == codes_page(), "run: python -m coda.codes_page > docs/coda/codes.md"


def test_the_page_of_the_findings_is_up_to_date() -> None:
    page = (DOCS / "findings.md").read_text("utf-8")
    assert page == findings_page(), "run: python -m coda.findings_page > docs/coda/findings.md"


def test_the_guide_leads_to_every_page() -> None:
    guide = (DOCS / "guide.md").read_text("utf-8")
    assert all(f"({page.name})" in guide for page in DOCS.glob("*.md") if page.name != "guide.md")
