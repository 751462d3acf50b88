"""Files with invented certificates, for simulated banks: made by `sluis certificates make-test`, the demo and tests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connectors.certificates import Role
from connectors.issuing import Institution, InventedAuthority

AUTHORITY_FILE: Final = "authority.pem"
SERVER_FILE: Final = "server.pem"
QWAC_FILE: Final = "qwac.pem"
QSEAL_FILE: Final = "qseal.pem"


def write_certificates(
    folder: Path,
    *,
    now: datetime,
    days: int,
    identifier: str,
    roles: Sequence[Role] = (Role.ACCOUNT_INFORMATION,),
) -> None:
    """An authority without its key, and a QWAC, a QSEAL and a server certificate, each with its key in one file."""
    # A clock that is a little behind must not find them too young.
    authority = InventedAuthority(not_before=now - timedelta(hours=1), not_after=now + timedelta(days=days))
    institution = Institution(organisation_identifier=identifier)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / AUTHORITY_FILE).write_bytes(authority.root_pem)
    for name, issued in (
        (QWAC_FILE, authority.qwac(institution, roles=roles)),
        (QSEAL_FILE, authority.qseal(institution, roles=roles)),
        (SERVER_FILE, authority.server()),
    ):
        _write_secret(folder / name, issued.chain_pem + issued.key_pem())


def settings_of(folder: Path, identifier: str) -> dict[str, Any]:
    """The value of `SLUIS_CERTIFICATES` for these files."""
    return {
        f"test-{kind}": {
            "kind": kind,
            "certificate_file": str(folder / name),
            "organisation_identifier": identifier,
        }
        for kind, name in (("qwac", QWAC_FILE), ("qseal", QSEAL_FILE))
    }


def _write_secret(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
