"""From what was sent to statements: unpacking and reading, with explicit limits (STA-20). Pure; stores nothing."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import coda
from coda.account_zone import is_belgian_number, is_iban
from coda.chain import Link, has_balances, link_of
from gateway.foreign_files.errors import ForeignFilesEmpty, ForeignFilesTooLarge

FILES_MAX: Final = 500
SENT_BYTES_MAX: Final = 16 * 1024 * 1024
UNPACKED_BYTES_MAX: Final = 100 * 1024 * 1024
NAME_MAX: Final = 100

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
"""An archive, and one without members."""
_LITTER: Final = ("__MACOSX/", ".DS_Store", "Thumbs.db")
"""What operating systems put into an archive on their own."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file, by itself or out of an archive."""

    name: str | None
    content: bytes

    @property
    def sha256(self) -> str:
        """Hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class FileFault:
    """Why a file, or a hand-over, is refused: a stable code and both values, "" where there is none."""

    code: str
    file: str = ""
    found: str = ""
    expected: str = ""

    def stored(self) -> dict[str, str]:
        """As it is kept and shown."""
        return {"code": self.code, "file": self.file, "found": self.found, "expected": self.expected}


class FileUnusable(Exception):
    """A file that is not read; `fault` says why."""

    def __init__(self, fault: FileFault) -> None:
        super().__init__(fault.code)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Facts:
    """What one statement says of itself; `link` is what follows what."""

    link: Link
    iban: str
    entries_count: int

    @property
    def closing_date(self) -> date:
        """Never None: a statement without one is not read."""
        assert self.link.closing_date is not None, "checked when it was read"
        return self.link.closing_date

    @property
    def closing_balance(self) -> Decimal:
        """In the currency of the account."""
        return self.link.closing


def unpacked(sent: Iterable[SentFile]) -> tuple[list[SentFile], list[FileFault]]:
    """The files themselves, archives opened, and the archives that cannot be; the same content counts once.

    Raises `ForeignFilesTooLarge` before more than the limit is unpacked, `ForeignFilesEmpty` for nothing.
    """
    found: dict[str, SentFile] = {}
    faults: list[FileFault] = []
    sent_bytes = size = 0
    for file in sent:
        sent_bytes += len(file.content)
        if sent_bytes > SENT_BYTES_MAX:
            raise ForeignFilesTooLarge
        try:
            inside = list(_members(file, UNPACKED_BYTES_MAX - size)) if file.content.startswith(_ZIP) else [file]
        except FileUnusable as error:
            faults.append(error.fault)
            continue
        for one in inside:
            size += len(one.content)
            if one.content.strip():
                found.setdefault(one.sha256, SentFile(plain_name(one.name), one.content))
        if size > UNPACKED_BYTES_MAX or len(found) > FILES_MAX:
            raise ForeignFilesTooLarge
    if not found and not faults:
        raise ForeignFilesEmpty
    return list(found.values()), faults


def _members(archive: SentFile, bytes_max: int) -> Iterator[SentFile]:
    size = 0
    try:
        with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
            members = [info for info in opened.infolist() if not info.is_dir() and not _is_litter(info.filename)]
            if len(members) > FILES_MAX:
                raise ForeignFilesTooLarge
            for info in members:
                # What the archive claims of its sizes is not believed: reading stops at the limit.
                with opened.open(info) as member:
                    content = member.read(bytes_max - size + 1)
                size += len(content)
                if size > bytes_max:
                    raise ForeignFilesTooLarge
                yield SentFile(info.filename, content)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError) as error:
        raise FileUnusable(FileFault("archive_damaged", plain_name(archive.name) or "")) from error


def _is_litter(name: str) -> bool:
    return any(mark in name for mark in _LITTER)


def facts_in(file: SentFile) -> list[Facts]:
    """The statements of a CODA file with balances, read strictly; raises `FileUnusable`."""
    name = file.name or ""
    try:
        found = [
            facts_of(name, position, statement)
            for position, statement in enumerate(coda.read(file.content), start=1)
            if has_balances(statement)
        ]
    except coda.NotCoda as error:
        raise FileUnusable(FileFault("not_coda", name, expected="CODA")) from error
    except coda.FaultyFile as error:
        first = next(finding for finding in error.findings if finding.severity == "fault")
        raise FileUnusable(FileFault("file_faulty", name, found=f"{first.code}, {first.place}")) from error
    if not found:
        raise FileUnusable(FileFault("no_statement", name))
    return found


def facts_of(name: str, position: int, statement: coda.Statement) -> Facts:
    """What a statement says; raises `FileUnusable` where its account or closing day is missing."""
    link = link_of(name, position, statement)
    if link.closing_date is None:
        raise FileUnusable(FileFault("closing_date_missing", name))
    iban = iban_of(link.account)
    if iban is None or not link.currency:
        raise FileUnusable(FileFault("account_missing", name))
    return Facts(link, iban, sum(1 for _ in statement.entries()))


def iban_of(number: str) -> str | None:
    """The IBAN of an account number as CODA writes it: an IBAN, or twelve digits of a Belgian account."""
    compact = number.replace(" ", "")
    if is_iban(compact):
        return compact
    if is_belgian_number(compact):
        # Letters count from 10: BE is 1114, and 00 stands where the check digits will.
        return f"BE{98 - int(compact + '111400') % 97:02d}{compact}"
    return None


def plain_name(name: str | None) -> str | None:
    """The last part of a file's name, without what could harm a page or a log."""
    if not name:
        return None
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable())[:NAME_MAX] or None
