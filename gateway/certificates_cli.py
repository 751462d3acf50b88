"""`sluis certificates`: what the certificates of this installation say, which banks use them, and what is wrong.

Needs no database. `list` shows, `check` judges (exit code 1 with a fault), `make-test` writes invented ones.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from connectors.certificates import Role
from connectors.issuing import Institution
from gateway.banks.access import LACK_TEXTS, BankAccess, Lack
from gateway.banks.certificates import InstalledCertificate
from gateway.banks.directory import BankDirectory
from gateway.banks.invented import settings_of, write_certificates
from gateway.clock import real_now
from gateway.files_cli import CANNOT_RUN, FAULTS
from gateway.settings import Settings

certificates_commands = typer.Typer(
    no_args_is_help=True, help="Certificates for banks: QWAC for mutual TLS, QSEAL for signatures."
)

TEST_DAYS: Final = 90
URGENT_DAYS: Final = 7
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@certificates_commands.command("list")
def list_(*, as_json: JsonOption = False) -> None:
    """Every certificate of the settings: identifier, roles, authority, days left, key ids, banks that use it."""
    rows = _certificates(BankDirectory(Settings()))
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(f"{row['name']} ({row['kind']}): {_said(row)}")
        print(f"  issued by {row['issuer'] or '-'}, serial number {row['serial_number'] or '-'}")
        print(f"  used by {', '.join(row['banks']) or 'no bank'}")


@certificates_commands.command("check")
def check(*, as_json: JsonOption = False) -> None:
    """Judge certificates and each bank of the settings; exit code 1 for a fault, a lack, or an end within 7 days."""
    directory = BankDirectory(Settings())
    certificates, banks = _certificates(directory), _banks(directory)
    is_wrong = any(row["is_urgent"] for row in certificates) or any(row["missing"] for row in banks)
    if as_json:
        print(json.dumps({"is_fine": not is_wrong, "certificates": certificates, "banks": banks}, indent=1))
    else:
        for row in certificates:
            print(f"{row['name']} ({row['kind']}): {'in order' if not row['findings'] else ''}".rstrip())
            for finding in row["findings"]:
                print(f"  {'FAULT' if finding['is_fault'] else 'note '} {finding['code']}: {finding['text']}")
        for row in banks:
            print(f"{row['bank']}: {'can be linked' if not row['missing'] else 'cannot be linked; missing:'}")
            for code in row["missing"]:
                print(f"  {LACK_TEXTS[Lack(code)]} ({code})")
    if is_wrong:
        raise typer.Exit(FAULTS)


@certificates_commands.command("make-test")
def make_test(
    folder: Annotated[Path, typer.Argument(help="Folder for the files; made when it is not there.")],
    *,
    identifier: Annotated[
        str, typer.Option(help="Organisation identifier of the invented institution.")
    ] = Institution().organisation_identifier,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long they are valid.")] = TEST_DAYS,
    payments: Annotated[bool, typer.Option("--payments", help="With the role for payment initiation too.")] = False,
) -> None:
    """Make an authority, a QWAC, a QSEAL and a server certificate that no real bank accepts; for simulated ones."""
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder}: holds files already and stays as it is", file=sys.stderr)
        raise typer.Exit(CANNOT_RUN)
    now = real_now()
    roles = [Role.ACCOUNT_INFORMATION, *([Role.PAYMENT_INITIATION] if payments else [])]
    write_certificates(folder, now=now, days=days, identifier=identifier, roles=roles)
    print(f"Written to {folder}: authority.pem, qwac.pem, qseal.pem, server.pem, each certificate with its key in one.")
    print("Settings for them:")
    print("SLUIS_CERTIFICATES=" + json.dumps(settings_of(folder.resolve(), identifier)))


def _said(row: dict[str, Any]) -> str:
    if row["not_after"] is None:
        return "cannot be read"
    roles = ", ".join(row["roles"]) or "no role"
    return (
        f"{row['organisation'] or '-'}, {row['organisation_identifier'] or 'no identifier'}, {roles}, "
        f"authority {row['authority_id'] or '-'}, {row['days_left']} days left, until {row['not_after'][:10]}"
    )


def _certificates(directory: BankDirectory) -> list[dict[str, Any]]:
    return [_certificate(found, directory.users_of(found)) for found in directory.certificates]


def _certificate(found: InstalledCertificate, banks: list[str]) -> dict[str, Any]:
    now = real_now()
    info, findings = found.info, found.findings(now)
    alarm = info.alarm(now) if info is not None else None
    return {
        "name": found.name,
        "kind": found.settings.kind,
        "common_name": info and info.common_name,
        "organisation": info and info.organisation,
        "organisation_identifier": info and info.organisation_identifier,
        "roles": sorted(info.roles) if info is not None else [],
        "authority_name": info and info.authority_name,
        "authority_id": info and info.authority_id,
        "issuer": info and info.issuer,
        "serial_number": info and info.serial_number,
        "not_before": info and info.not_before.isoformat(),
        "not_after": info and info.not_after.isoformat(),
        "days_left": info and info.days_left(now),
        "alarm": alarm,
        "banks": banks,
        "is_urgent": any(finding.is_fault for finding in findings) or (alarm is not None and alarm <= URGENT_DAYS),
        "findings": [
            {"code": finding.code, "is_fault": finding.is_fault, "text": finding.text} for finding in findings
        ],
    }


def _banks(directory: BankDirectory) -> list[dict[str, Any]]:
    missing = {entry.profile.bank_id: entry.missing for entry in directory.entries()}
    return [
        {
            "bank": access.bank_id,
            "tls_certificate": _name(access, access.tls),
            "seal_certificate": _name(access, access.seal),
            "key_id": access.key_id(),
            "missing": [str(lack) for lack in missing[access.bank_id]],
        }
        for access in directory.accesses()
    ]


def _name(access: BankAccess, found: InstalledCertificate | None) -> str | None:
    return found.name if found is not None and found in access.used() else None
