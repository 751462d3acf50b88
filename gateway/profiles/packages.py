"""The accounting packages and delivery channels an office names for a client (DEL-01, DEL-02)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.i18n import _

PACKAGES: Final[Mapping[str, str]] = {
    "winbooks": "WinBooks",
    "bob50": "BOB 50",
    "exact_online": "Exact Online",
    "octopus": "Octopus",
    "yuki": "Yuki",
    "horus": "Horus",
    "adsolut": "Adsolut",
    "expert_m": "Expert/M",
    "wings": "Wings",
    "clearfacts": "ClearFacts",
    "neutral": _("Neutral"),
}
"""Package id to the name people know; the list is fixed, since each has a profile of its own."""

NUMBER_KEYS: Final[Mapping[str, str]] = dict.fromkeys(PACKAGES, "coda")
"""By which of a file's two numbers the package knows a statement: `coda`, or `paper` (DEL-02).

For none of them is another one known from a public source; who sees the other number in the package says so.
"""

CHANNELS: Final[Mapping[str, str]] = {
    "download": _("Download"),
    "sftp": "sFTP",
    "ftps": "FTPS",
    "email": _("E-mail"),
    "agent": _("Pull agent"),
    "manual": _("By hand"),
}
"""Delivery channel to the name people know."""
