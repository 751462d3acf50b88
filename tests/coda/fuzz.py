"""Random damage to sound files: no reader may fail otherwise than by its own errors.

`python -m tests.coda.fuzz --count 100000 --seed 1` prints what was done, and the first input that breaks the rule.
"""

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

import coda
from coda.blocks import Block, blocks_in, blocks_of
from coda.checks import check_block
from coda.reader import statement_of
from coda.source import facts_of, lines_of, opened, texts_of

GOLDEN = Path(__file__).parent / "golden"


def corrupted(content: bytes, chance: random.Random) -> bytes:
    """The file with one to four kinds of damage that disks, mail programs, editors and people do."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        place = chance.randrange(len(damaged)) if damaged else 0
        lines = bytes(damaged).split(b"\r\n")
        index = chance.randrange(len(lines))
        match chance.randrange(12):
            case 0 | 1:
                damaged[place : place + 1] = bytes([chance.randrange(256)])
            case 2:
                damaged[place : place + 1] = chance.choice(
                    (b"0", b"1", b" ", b"\n", b"\r", b"\t", b"\x00", b"\xc3\xa9")
                )
            case 3:
                del damaged[place : place + chance.choice((1, 2, 128, 130))]
            case 4:
                damaged[place:place] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 6)))
            case 5:
                del damaged[place:]
            case 6:
                damaged = bytearray(b"\r\n".join([*lines[:index], *lines[index + 1 :]]))
            case 7:
                damaged = bytearray(b"\r\n".join([*lines[:index], lines[index], *lines[index:]]))
            case 8:
                other = chance.randrange(len(lines))
                lines[index], lines[other] = lines[other], lines[index]
                damaged = bytearray(b"\r\n".join(lines))
            case 9:
                damaged = bytearray(bytes(damaged).replace(b"\r\n", b"\n"))
            case 10:
                damaged = bytearray(bytes(damaged).decode("cp1252", "replace").encode("utf-8"))
            case 11:
                damaged += damaged[place:]
    return bytes(damaged)


def examine(content: bytes) -> bool:
    """Read the content in every way; whether it is sound. Raises `AssertionError` where two ways differ."""
    report = coda.check(content)
    tolerant, strict = taken(content, tolerant=True), taken(content, tolerant=False)
    if report.ok:
        assert strict == tolerant, "a sound file reads alike, strict and tolerant"
    if [finding.code for finding in report.findings] != ["not_coda"]:
        by_record = [(statement_of(block), check_block(block)) for block in _blocks(content)]
        assert [statement for statement, _ in by_record] == tolerant, "both ways of reading give the same statements"
        of_lines = [finding for finding in report.findings if finding.field != "file"]
        assert [finding for _, found in by_record for finding in found] == of_lines, "and the same findings"
        coda.show(content)
        coda.render(content)
    return report.ok


def taken(content: bytes, *, tolerant: bool) -> list[coda.Statement]:
    """The statements that are given, until the file is refused."""
    statements: list[coda.Statement] = []
    try:
        statements.extend(coda.read(content, tolerant=tolerant))
    except coda.FaultyFile:
        assert not tolerant or not statements, "the tolerant reader refuses only what is no CODA"
    return statements


def is_plain(content: bytes) -> bool:
    """Whether every statement is read by one expression for each movement."""
    with opened(content) as (stream, name):
        return all(block.plain is not None for block in blocks_in(texts_of(stream, facts_of(stream, name))))


def _blocks(content: bytes) -> list[Block]:
    with opened(content) as (stream, name):
        return list(blocks_of(lines_of(stream, facts_of(stream, name))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # reproducible, and no secret
    contents = [path.read_bytes() for path in sorted(GOLDEN.glob("*.cod"))]
    seen: Counter[str] = Counter()
    begin = time.monotonic()
    for number in range(arguments.count):
        content = corrupted(chance.choice(contents), chance)
        try:
            seen["still sound" if examine(content) else "refused"] += 1
        except Exception:
            print(f"seed {arguments.seed}, input {number}: {content!r}", file=sys.stderr)
            raise
    print(f"{arguments.count:,} damaged files in {time.monotonic() - begin:.0f} s, none unhandled: {dict(seen)}")


if __name__ == "__main__":
    main()
