"""Several issued files of one account as one physical file: only the multiple-file code of record 9 changes (STA-22).

Source: CODA 2.6, record 9, position 128: 1 where another logical file follows in the physical file, 2 in the last.
"""

from __future__ import annotations

from typing import Final

LINE: Final = 130
"""128 characters, CR and LF."""
FOLLOWS: Final = b"1"
LAST: Final = b"2"


def adapted(content: bytes, *, is_last: bool) -> bytes:
    """The bytes of an issued file inside a physical file; nothing but that code can differ."""
    assert len(content) % LINE == 0, "issued files have lines of 128 characters"
    assert content[-LINE : -LINE + 1] == b"9", "issued files end with record 9"
    assert content.endswith(b"\r\n"), "issued files end with a line end"
    return content[:-3] + (LAST if is_last else FOLLOWS) + content[-2:]
