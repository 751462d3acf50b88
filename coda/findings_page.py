"""The page docs/coda/findings.md, made from the rules and their names: `python -m coda.findings_page`."""

import sys
from collections.abc import Iterator, Mapping

from coda.chain import CHAIN_RULES
from coda.descriptions import describe
from coda.rules import RULES

_HEAD = """# Findings

Made from `coda/rules.py`, `coda/chain.py` and `coda/descriptions.csv` by `python -m coda.findings_page`; do not edit.
The codes are stable. A *fault* makes the strict reader refuse the file; a *warning* is what banks are seen to write and
some importers stumble over. Names and hints are there in nl, fr and de too: `sluis coda check --language nl`."""


def findings_page() -> str:
    """The text of the page: the findings of one file, and those across files."""
    return "\n".join((_HEAD, *_table("In a file", RULES), *_table("Across files", CHAIN_RULES))) + "\n"


def _table(title: str, rules: Mapping[str, str]) -> Iterator[str]:
    yield from ("", f"## {title}", "", "| Code | Severity | Name | What to do |", "|---|---|---|---|")
    for code, severity in rules.items():
        yield f"| `{code}` | {severity} | {describe('finding', code)} | {describe('hint', code)} |"


if __name__ == "__main__":
    sys.stdout.write(findings_page())
