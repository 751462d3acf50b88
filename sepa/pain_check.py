"""Check of a foreign pain.001 file (.03 or .09): the official schema, and the rules a Belgian bank applies beyond it.

Most faulty files follow the schema. Each finding names the place, what was found and what would do; nothing stops at
the first. `sluis pain check FILE` and the import of payment files use this.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from sepa import pain_rules
from sepa.errors import XmlRefused
from sepa.findings import CATALOGUE, Severity
from sepa.schema import SIZE_MAX, has_bom, parse, schema_faults, version_of

_SINGLE_QUOTES = re.compile(rb"\s*<\?xml[^>]*'")


@dataclass(frozen=True, slots=True)
class FileFinding:
    """One thing wrong in a file: XPath of the place, line (1-based; 0 when it concerns the whole file).

    `found` and `expected` are content for the reader's screen, kept out of `repr` and logs.
    """

    code: str
    path: str
    line: int
    found: str = field(default="", repr=False)
    expected: str = ""

    @property
    def severity(self) -> Severity:
        return CATALOGUE[self.code].severity

    @property
    def text(self) -> str:
        return CATALOGUE[self.code].text

    @property
    def hint(self) -> str:
        return CATALOGUE[self.code].hint

    def __str__(self) -> str:
        found = f" found {self.found!r}" if self.found else ""
        expected = f" expected {self.expected}" if self.expected else ""
        details = f";{found}{',' if found and expected else ''}{expected}" if found or expected else ""
        return f"line {self.line} {self.severity} {self.code} {self.path}: {self.text}{details}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one file. `version`, `count` and `total` are None when the file could not be read so far.

    `total` is the sum of all amounts whatever their currency, as the control sum is.
    """

    findings: tuple[FileFinding, ...]
    sha256: str
    version: str | None = None
    count: int | None = None
    total: Decimal | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing blocks: warnings may remain."""
        return all(finding.severity is not Severity.BLOCKED for finding in self.findings)


def check_file(source: Path | bytes | BinaryIO, *, today: date | None = None, size_max: int = SIZE_MAX) -> Report:
    """Everything wrong with the file, in order of lines.

    `today` judges past, far and future dates; None leaves those out. Never raises for the content of the file; a file
    that cannot be opened raises `OSError`. Nothing outside the file is read.
    """
    document = _read(source, size_max)
    sha256 = hashlib.sha256(document).hexdigest()
    findings: list[FileFinding] = []
    if has_bom(document):
        findings.append(FileFinding("encoding_bom", "/", 1))
    if _SINGLE_QUOTES.match(document[:200]):
        findings.append(FileFinding("declaration_quotes", "/", 1))
    try:
        tree = parse(document, size_max=size_max)
    except XmlRefused as refusal:
        line = refusal.identifiers.get("line")
        findings.append(FileFinding(refusal.reason, "/", line if isinstance(line, int) else 0))
        return Report(_in_order(findings), sha256)
    version = version_of(tree)
    if version is None:
        findings.append(FileFinding("schema_unknown", "/", 1, str(tree.getroot().tag)))
        return Report(_in_order(findings), sha256)
    findings += [FileFinding("schema", fault.path, fault.line, fault.message) for fault in schema_faults(tree, version)]
    outcome = pain_rules.apply(tree, version, today=today)
    findings += [FileFinding(*one) for one in outcome.findings]
    return Report(_in_order(findings), sha256, version, outcome.count, outcome.total)


def _read(source: Path | bytes | BinaryIO, size_max: int) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, Path):
        with source.open("rb") as file:
            return file.read(size_max + 1)
    return source.read(size_max + 1)


def _in_order(findings: Iterable[FileFinding]) -> tuple[FileFinding, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.line))
