"""What can go wrong with a CODA file, and the findings that say where.

    CodaError                  any refusal by this package
    ├── FaultyFile             a file that breaks the standard; carries every finding
    │   └── NotCoda            not a CODA file at all
    ├── UnreadableFile         a path that cannot be opened: no such file, a folder, no permission
    │   └── DamagedArchive     a ZIP file, or a member of it, that cannot be unpacked
    └── InvalidValue           a value that cannot be written; names the field
        ├── BalanceMismatch    old balance plus entries is not the new balance
        └── TooManyEntries     more entries than one statement can number

The messages hold places and codes only, so that they may be logged. What was found in the file stands in `findings`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from coda.descriptions import describe

Severity = Literal["fault", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure from the standard, with its place.

    `line` counts from 1 in the physical file; `columns` are the first and last position, from 1, or `None` when the
    whole line is meant; `field` is `record.field`, as in docs/coda/layout.md. A `fault` makes the strict reader refuse
    the file; a `warning` is something banks are seen to do, and that some importers stumble over. `hint` is in English.
    """

    code: str
    severity: Severity
    line: int
    columns: tuple[int, int] | None
    field: str
    found: str
    expected: str
    hint: str

    def __str__(self) -> str:
        return self.told_in("en")

    def told_in(self, language: str) -> str:
        """Place, what was found and expected, and the hint, in nl, fr, en or de."""
        return f"{self.place_in(language)}: {self.found_in(language)} ({self.code}) – {self.hint_in(language)}"

    def found_in(self, language: str) -> str:
        """What was found there and what was expected; the values are those of the file and of the standard."""
        found, expected = describe("word", "found", language), describe("word", "expected", language)
        return f"{found} '{self.found}', {expected} {self.expected}"

    def title_in(self, language: str = "en") -> str:
        """What the code stands for, in nl, fr, en or de; the code itself for rules of importers."""
        return describe("finding", self.code, language) or self.code

    def hint_in(self, language: str = "en") -> str:
        """The hint in nl, fr, en or de. Rules of importers quote their source, in English only."""
        return describe("hint", self.code, language) or self.hint

    @property
    def place(self) -> str:
        """Line, columns and field, without what was found there: safe to log."""
        return self.place_in("en")

    def severity_in(self, language: str = "en") -> str:
        """Fault or warning, in nl, fr, en or de."""
        return describe("word", self.severity, language)

    def place_in(self, language: str) -> str:
        """As `place`, in nl, fr, en or de."""
        line = f"{describe('word', 'line', language)} {self.line}"
        if self.columns is None:
            return f"{line}, {self.field}"
        first, last = self.columns
        word = describe("word", "column" if first == last else "columns", language)
        return f"{line}, {word} {first if first == last else f'{first}-{last}'}, {self.field}"


class CodaError(ValueError):
    """Any refusal of this package; `code` is stable, `hint` says what to do."""

    code = "coda_error"
    hint = "See the message."


class FaultyFile(CodaError):
    """The file breaks the standard. `findings` holds all faults and warnings, in the order of the lines."""

    code = "coda_faulty_file"
    hint = "Read findings; to see the content all the same, read with tolerant=True."

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        faults = [finding for finding in self.findings if finding.severity == "fault"]
        first = f"; the first: {faults[0].place} ({faults[0].code})" if faults else ""
        super().__init__(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'} in the CODA file{first}")


class NotCoda(FaultyFile):
    """The file is something else; its one finding says what it looks like."""

    code = "coda_not_coda"
    hint = "Choose a file that starts with five zeros and has lines of 128 characters (.cod, .bc2 or .txt)."


class UnreadableFile(CodaError, OSError):
    """The path cannot be opened. The message gives the reason and not the path, which may hold a name."""

    code = "coda_unreadable_file"
    hint = "Check the path, and whether you may read it."

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the file {reason}")


class DamagedArchive(UnreadableFile):
    """The archive, or a member of it, cannot be unpacked."""

    code = "coda_damaged_archive"
    hint = "Fetch the archive again, or unpack it and read the files one by one."


class InvalidValue(CodaError):
    """A value that does not fit in the format. `field` names it; the message gives the reason, never the value."""

    code = "coda_invalid_value"
    hint = "Correct the named field; nothing was written."

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


class BalanceMismatch(InvalidValue):
    """Old balance plus the entries is not the new balance."""

    code = "coda_balance_mismatch"
    hint = "Find the missing or doubled entry; a balance is never adjusted to fit."


class TooManyEntries(InvalidValue):
    """More than 9,999 entries: the sequence number has four digits, and readers key on it."""

    code = "coda_too_many_entries"
    hint = "Split the entries over several statements whose balances and numbers follow each other."
