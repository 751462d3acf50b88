"""The bundled list of common passwords, as a Bloom filter (SEC-01).

1.4 million passwords of twelve characters and more from SecLists (MIT licence) in 2.6 MB: each that is in the list is
found, and one in a thousand that is not is taken for one. The file is mapped, so that processes share it.
`tests/gateway/make_common_passwords.py` makes it and names the source. Source: Bloom 1970; Kirsch and Mitzenmacher 2006
(two hashes give all).
"""

from __future__ import annotations

import hashlib
import math
import mmap
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parent / "common_passwords.bloom"
MAGIC: Final = b"SLUISPW1"
HEADER: Final = struct.Struct(">8sQB")
"""Magic, number of bits, number of probes; the bits follow."""


class Bloom:
    """A set that forgets nothing and sometimes claims too much."""

    def __init__(self, bits: bytearray | memoryview, size: int, probes: int) -> None:
        self._bits = bits
        self._size = size
        self._probes = probes

    @classmethod
    def sized(cls, count: int, rate: float) -> Bloom:
        """An empty one for so many members, with this rate of false answers."""
        size = math.ceil(-count * math.log(rate) / math.log(2) ** 2)
        return cls(bytearray((size + 7) // 8), size, max(1, round(size / count * math.log(2))))

    @classmethod
    def read(cls, path: Path) -> Bloom:
        """The file, mapped and not copied."""
        with path.open("rb") as file:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        magic, size, probes = HEADER.unpack_from(mapped)
        assert magic == MAGIC, "the list of common passwords is damaged"
        assert len(mapped) == HEADER.size + (size + 7) // 8, "the list of common passwords is cut off"
        return cls(mapped[HEADER.size :], size, probes)

    def write(self, path: Path) -> None:
        """As `read` reads it."""
        path.write_bytes(HEADER.pack(MAGIC, self._size, self._probes) + bytes(self._bits))

    def add(self, text: str) -> None:
        """Make it a member; of one that was made by `sized`."""
        assert isinstance(self._bits, bytearray), "a mapped one is only read"
        for place in self._places(text):
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, text: str) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in self._places(text))

    def _places(self, text: str) -> Iterator[int]:
        digest = hashlib.sha256(text.encode()).digest()
        first, second = int.from_bytes(digest[:8]), int.from_bytes(digest[8:16]) | 1
        for probe in range(self._probes):
            yield (first + probe * second) % self._size


def is_common(password: str) -> bool:
    """Whether the password is a common one in whatever case, or one with digits and signs at its end."""
    text = password.casefold()
    return text in _list() or text.rstrip("0123456789!?.*#@$_- ") in _list()


@cache
def _list() -> Bloom:
    return Bloom.read(FILE)
