"""Files on the command line: paths, zip archives and standard input, with limits, and a bar for what takes long."""

from __future__ import annotations

import io
import sys
import tempfile
import time
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final, NoReturn, Self, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

CANNOT_RUN: Final = 2

# A zip of a year of statements is far below these; a zip bomb is far above.
MEMBERS_MAX: Final = 10_000
MEMBER_BYTES_MAX: Final = 200_000_000
ARCHIVE_BYTES_MAX: Final = 2_000_000_000
STDIN_BYTES_MAX: Final = 200_000_000
IN_MEMORY_BYTES: Final = 16_000_000

COMPANIONS: Final = (".pdf", ".xml")  # what deliverers put beside the CODA file in one archive
BAR_AFTER_SECONDS: Final = 1.0
_CHUNK: Final = 1 << 20


class InputRefused(Exception):
    """Something that is no file to read: `name` and the reason, for people."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}")


@dataclass(slots=True)
class Input:
    """One file to read: a name for people and a stream at its start."""

    name: str
    stream: BinaryIO
    packed_size: int = 0  # bytes of its archive, for the bar

    def rewound(self) -> BinaryIO:
        """The stream, at its start again."""
        self.stream.seek(0)
        return self.stream


def inputs(paths: list[Path], reading: Reading | None = None) -> Generator[Input | InputRefused]:
    """The files of the paths, one after the other: of an archive each member, of `-` the standard input.

    A path that is no file ends the command with exit code 2, before anything is read; a bad archive or member comes
    as `InputRefused`, so that the others are still read. Each input is good until the next is asked for.
    """
    reading = reading or Reading()
    for path in paths:
        _require(path)
        if str(path) != "-":
            reading.expect(path.stat().st_size)
    for path in paths:
        if str(path) == "-":
            given = _standard_input()
            yield given
            _close(given)
        elif zipfile.is_zipfile(path):
            for member in _members(path):
                yield member
                _close(member)
                if isinstance(member, Input):
                    reading.add_whole(member.packed_size)
        else:
            with _Counted(io.FileIO(path), reading) as stream:
                yield Input(str(path), stream)


@contextmanager
def one_input(path: Path, reading: Reading | None = None) -> Iterator[Input]:
    """The only file of a path. Ends the command with exit code 2 when there are none or several."""
    is_archive = str(path) != "-" and zipfile.is_zipfile(path)
    found = _members(path) if is_archive else inputs([path], reading)
    first = next(found)
    try:
        second = next(found, None) if is_archive else None
        if second is not None:
            _close(second)
            refuse(str(path), "holds several files; unpack it and give one of them")
        if isinstance(first, InputRefused):
            refuse(first.name, first.reason)
        yield first
    finally:
        _close(first)
        found.close()


def refuse(name: str, reason: str) -> NoReturn:
    """End the command: it cannot run on this."""
    print(f"{name}: {reason}", file=sys.stderr)
    raise typer.Exit(CANNOT_RUN)


class Reading:
    """How far the reading is; after a second a bar shows it, when a person is looking on."""

    def __init__(self, *, passes: int = 2, is_shown: bool | None = None) -> None:
        console = Console(stderr=True)
        self._is_shown = console.is_terminal if is_shown is None else is_shown
        self._passes = passes
        self._began = time.monotonic()
        self._total = self._done = 0
        self._progress: Progress | None = None
        self._console = console

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    @property
    def is_bar_shown(self) -> bool:
        return self._progress is not None

    def expect(self, size: int) -> None:
        """So many bytes more will be read."""
        self._total += size * self._passes

    def add_whole(self, size: int) -> None:
        """So many bytes were read as often as they had to be."""
        self.add(size * self._passes)

    def add(self, size: int) -> None:
        """So many bytes were read."""
        self._done += size
        if not self._is_shown or time.monotonic() - self._began < BAR_AFTER_SECONDS:
            return
        if self._progress is None:
            columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._progress.add_task("reading")
            self._progress.start()
        self._progress.update(
            self._progress.task_ids[0], completed=min(self._done, self._total), total=max(self._total, 1)
        )


class _Counted(io.BufferedReader):
    """A file that tells how much of it was read."""

    def __init__(self, raw: io.RawIOBase, reading: Reading) -> None:
        super().__init__(raw, _CHUNK)
        self._reading = reading

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self._reading.add(len(content))
        return content


def _require(path: Path) -> None:
    if str(path) == "-":
        return
    if path.is_dir():
        refuse(str(path), f"is a directory; give its files, such as {path}/*.cod")
    if not path.is_file():
        refuse(str(path), "there is no such file")


def _standard_input() -> Input | InputRefused:
    try:
        return Input("-", _copied(sys.stdin.buffer, STDIN_BYTES_MAX, ""))
    except _TooLarge:
        return InputRefused("-", f"more than {STDIN_BYTES_MAX:,} bytes; save it as a file first")


def _members(path: Path) -> Generator[Input | InputRefused]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir() and not _is_companion(info.filename)]
            if len(infos) > MEMBERS_MAX:
                yield InputRefused(str(path), f"{len(infos):,} files in one archive, at most {MEMBERS_MAX:,}")
                return
            if not infos:
                yield InputRefused(str(path), "the archive holds no file that may be CODA")
            left = ARCHIVE_BYTES_MAX
            for info in infos:
                name = f"{path}/{_safe(info.filename)}"
                member = _member(archive, info, name, min(MEMBER_BYTES_MAX, left))
                if isinstance(member, Input):
                    left -= _size(member.stream)
                yield member
    except (zipfile.BadZipFile, OSError) as error:
        yield InputRefused(str(path), f"the archive cannot be read: {error}")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, limit: int) -> Input | InputRefused:
    if info.flag_bits & 0x1:
        return InputRefused(name, "is protected by a password; unpack it first")
    if info.filename.lower().endswith(".zip"):
        return InputRefused(name, "is an archive within an archive; unpack it first")
    try:
        with archive.open(info) as member:
            return Input(name, _copied(member, limit, name), info.compress_size)
    except _TooLarge:
        return InputRefused(name, f"more than {limit:,} bytes when unpacked; unpack it yourself if that is right")
    except Exception as error:  # noqa: BLE001  # zlib, bz2 and lzma raise errors of their own for damaged members
        return InputRefused(name, f"cannot be unpacked: {error}")


class _TooLarge(Exception):
    pass


class _Copy(tempfile.SpooledTemporaryFile[bytes]):
    """A copy in memory, or in a temporary file when it is large, that bears the name of what it is a copy of."""

    name = ""


def _copied(source: IO[bytes], limit: int, name: str) -> BinaryIO:
    """The content of a stream, held in memory or, when large, in a temporary file. Raises `_TooLarge`."""
    copy = _Copy(max_size=IN_MEMORY_BYTES)
    copy.name = name
    size = 0
    try:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise _TooLarge
            copy.write(chunk)
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return cast(BinaryIO, copy)


def _close(each: Input | InputRefused) -> None:
    if isinstance(each, Input):
        each.stream.close()


def _size(stream: BinaryIO) -> int:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size


def _is_companion(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name.lower()).suffix in COMPANIONS


def _safe(name: str) -> str:
    """A name out of an archive, without characters that a terminal would act on."""
    return "".join(character if character.isprintable() else "?" for character in name)
