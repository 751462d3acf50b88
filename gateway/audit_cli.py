"""`sluis audit`: checking a bundle offline, and the signed heads that are kept outside."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from sqlmodel import col, select

from gateway import runtime
from gateway.audit.bundle_check import NotABundle, Report, check
from gateway.audit.log import head_of
from gateway.audit.models import AuditCheckpoint
from gateway.files_cli import CANNOT_RUN, FAULTS
from gateway.offices.repository import OfficeRepository
from gateway.settings import Settings

audit_commands = typer.Typer(no_args_is_help=True, help="The audit chain and its bundles.")


@audit_commands.command("verify")
def verify_(
    bundle: Annotated[Path, typer.Argument(help="The ZIP of a bundle.", show_default=False)],
    *,
    public_key: Annotated[
        Path | None, typer.Option(help="PEM of the key it must be signed with (`sluis keys public`).")
    ] = None,
    heads: Annotated[
        Path | None, typer.Option(help="Heads kept outside, JSON lines as `sluis audit heads` prints them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Check a bundle offline: signature, hashes, chain, heads; exit 1 and name the first fault when it was changed."""
    try:
        content = bundle.read_bytes()
        key = _key(public_key) if public_key else None
        outside = [json.loads(line) for line in heads.read_text().splitlines() if line.strip()] if heads else []
        report = check(content, public_key=key, heads=outside)
    except NotABundle:
        print(f"{bundle}: this is not a bundle, or one of another version", file=sys.stderr)
        raise typer.Exit(CANNOT_RUN) from None
    except (OSError, ValueError) as error:
        print(f"{bundle}: cannot check ({error})", file=sys.stderr)
        raise typer.Exit(CANNOT_RUN) from None
    if as_json:
        print(
            json.dumps({"is_intact": report.is_intact, "first_broken": report.first_broken, **asdict(report)}, indent=1)
        )
    else:
        _tell(bundle, report)
    if not report.is_intact:
        raise typer.Exit(FAULTS)


@audit_commands.command("heads")
def heads_() -> None:
    """Print the signed heads of all offices as JSON lines; keep them outside, for instance with every backup."""
    with runtime.opened_gateway(Settings()) as gateway:
        with gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        for office_id in offices:
            with gateway.database.unit_of_work(office_id) as session:
                query = select(AuditCheckpoint).where(AuditCheckpoint.office_id == office_id)
                for row in session.exec(query.order_by(col(AuditCheckpoint.position))):
                    print(json.dumps({**head_of(row).document(), "signature": row.signature.hex()}, sort_keys=True))


def _key(path: Path) -> bytes:
    key: Any = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{path.name} is not an Ed25519 public key")  # noqa: TRY004 - the caller takes any unusable file alike
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _tell(bundle: Path, report: Report) -> None:
    for fault in report.faults:
        print(f"{bundle}: {fault.text}")
    if report.faults:
        print(f"{bundle}: CHANGED. First broken entry: {report.first_broken or 'none, the entries hold'}.")
        return
    print(
        f"{bundle}: intact. Entries {report.first_position} to {report.last_position},"
        f" {report.entries_in_full} in full;"
        f" {report.heads} signed heads, {report.outside_heads} of yours; {report.files} files;"
        f" {report.erased_values} values erased."
    )
    if not report.is_key_given:
        print(f"  Signed by the key {report.signed_by}: compare it, or give it with --public-key.")
