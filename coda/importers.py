"""Would an accounting package take this file? Profiles of importers, from what is publicly known of each.

The rules are data: `importers.toml` beside this file, each with the mark of its source. Of a package known from its
help pages only, the answer is never yes: at best nobody outside knows.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from coda.blocks import blocks_of
from coda.checks import check_block, check_facts, identify
from coda.errors import Finding, InvalidValue, Severity
from coda.importer_tests import TESTS, Case, History, NotInFile, Rule
from coda.model import Account
from coda.reader import statement_of
from coda.source import Source, facts_of, lines_of, opened

Accepted = Literal["yes", "no", "with warnings", "unknown"]
Knowledge = Literal["source", "help"]

REASONS_MAX = 20  # of one rule; the first ones tell enough


@dataclass(frozen=True, slots=True)
class Importer:
    """A package, and the rules known of it. `knowledge`: from its published source, or from help pages only."""

    key: str
    name: str
    knowledge: Knowledge
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an importer makes of a file.

    `reasons` are findings whose code is the id of a rule and whose hint is its text, with the mark of its source;
    a fault is a reason to refuse. Of each rule the first `REASONS_MAX` are there; `counts` has how many there are.
    `unchecked` are the texts of rules about things that are not in the file.
    """

    importer: str
    accepted: Accepted
    reasons: tuple[Finding, ...]
    unchecked: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)  # id of a rule → how often it is broken


@dataclass(slots=True)
class _Answer:
    reasons: list[Finding] = field(default_factory=list)
    effects: set[str] = field(default_factory=set)
    unchecked: dict[str, str] = field(default_factory=dict)  # id of a rule → its text
    counts: dict[str, int] = field(default_factory=dict)


def would_accept(
    source: Source, importer: str, *, account: Account | None = None, last_closing: Decimal | None = None
) -> Verdict:
    """Whether the importer takes the file: yes, no, with warnings, or unknown.

    `importer` is a key of `importers()`. `account` is the account as it is set up there, `last_closing` its closing
    balance before this file; without them the rules that need them are listed in `unchecked`. A file that is no CODA
    is refused by all. Raises `InvalidValue` for an importer that is not known.
    """
    profile = importers().get(importer)
    if profile is None:
        raise InvalidValue("importer", f"must be one of {', '.join(importers())}")
    answer = _Answer()
    with opened(source) as (stream, name):
        facts = facts_of(stream, name)
        stranger = identify(facts)
        if stranger is not None:
            return Verdict(importer, "no", (stranger,), (), {stranger.code: 1})
        about_file = tuple(check_facts(facts))
        history = History()
        for block in blocks_of(lines_of(stream, facts)):
            statement = statement_of(block)
            key = (statement.account.number, statement.account.currency)
            if last_closing is not None and not history.contents:
                history.closings[key] = last_closing
            findings = (*check_block(block), *(about_file if block.first_line == 1 else ()))
            case = Case(facts, block, statement, findings, history, account)
            for rule in profile.rules:
                case.rule = rule
                _apply(case, answer)
            _remember(history, case)
    accepted, unchecked = _accepted(profile, answer), tuple(answer.unchecked.values())
    return Verdict(importer, accepted, tuple(answer.reasons), unchecked, answer.counts)


@lru_cache(maxsize=1)
def importers() -> Mapping[str, Importer]:
    """The profiles by key, in the order of the table."""
    text = files("coda").joinpath("importers.toml").read_text(encoding="utf-8")
    return {
        key: Importer(key, entry["name"], entry["knowledge"], tuple(entry["rules"]))
        for key, entry in tomllib.loads(text).items()
    }


MARKS: Mapping[str, str] = {
    "B": "Business Central, Belgian base application (MIT)",
    "N": "l10n_be_coda_advanced of Noviat (LGPL-3)",
    "P": "pycoda 1.1.0 (GPL-3) and the OCA importer on it",
    "T": "febelfin-coda 0.5.0 (BSD-3), the reader under Tryton",
    "H": "public help pages of makers, banks and deliverers",
    "E": "Exthand.FinanceExports (GPL-3), which writes CODA for importers",
}

_EFFECTS: Mapping[str, str] = {
    "refuses": "refuses the file",
    "misreads": "accepts and misreads",
    "warns": "accepts with a warning",
    "unknown": "may refuse; not confirmed",
}


def importers_page() -> str:
    """The page docs/coda/importers.md, from the profiles: `python -m coda.importers > docs/coda/importers.md`."""
    return "\n".join(_page())


def _apply(case: Case, answer: _Answer) -> None:
    rule = case.rule
    severity: Severity = "fault" if rule["effect"] == "refuses" else "warning"
    try:
        for place in TESTS[rule["test"]](case):
            answer.effects.add(rule["effect"])
            answer.counts[rule["id"]] = answer.counts.get(rule["id"], 0) + 1
            if answer.counts[rule["id"]] <= REASONS_MAX:
                hint = f"{rule['text']} [{rule['mark']}]"
                answer.reasons.append(
                    Finding(rule["id"], severity, place.line, None, place.field, place.found, place.expected, hint)
                )
    except NotInFile:
        answer.unchecked[rule["id"]] = f"{rule['text']} [{rule['mark']}]"


def _accepted(profile: Importer, answer: _Answer) -> Accepted:
    if "refuses" in answer.effects:
        return "no"
    if "unknown" in answer.effects or profile.knowledge == "help":
        return "unknown"
    return "with warnings" if answer.effects else "yes"


def _remember(history: History, case: Case) -> None:
    statement = case.statement
    history.closings[case.account] = statement.closing_balance
    if statement.number:
        history.numbers.add((*case.account, case.year, statement.number))
    history.paper_numbers.add((*case.account, case.year, statement.old_balance.paper_number))
    history.contents.add(hash(statement))


def _page() -> Iterator[str]:
    yield "# What importers make of a CODA file"
    yield ""
    yield "Made from `coda/importers.toml` by `python -m coda.importers`; do not edit. `coda.would_accept` and"
    yield "`sluis coda check --importer NAME` apply these rules to a file. Where only help pages are public, the answer"
    yield "is at best *unknown*: where no rule speaks, nobody outside knows."
    yield ""
    yield "| Mark | Source |"
    yield "|---|---|"
    yield from (f"| {mark} | {text} |" for mark, text in MARKS.items())
    for profile in importers().values():
        yield ""
        yield f"## {profile.name}: `{profile.key}`"
        yield ""
        yield "Known from its published source." if profile.knowledge == "source" else "Known from help pages only."
        yield ""
        yield "| Rule | Effect | What | Source |"
        yield "|---|---|---|---|"
        for rule in profile.rules:
            yield f"| `{rule['id']}` | {_EFFECTS[rule['effect']]} | {_cell(rule)} | {rule['mark']} |"
    yield ""


def _cell(rule: Mapping[str, Any]) -> str:
    outside = " (not in the file)" if rule["test"] == "stated" else ""
    return str(rule["text"]).replace("|", "\\|") + outside


if __name__ == "__main__":
    import sys

    sys.stdout.write(importers_page())
