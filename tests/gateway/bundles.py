"""Bundles of one client with a payment on its way to a downloaded file, made and read in tests."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from decimal import Decimal
from typing import Any

from gateway.audit.bundles import BundleService, BundleWish
from gateway.audit.chain import canonical_json
from gateway.audit.checkpoints import CheckpointService
from gateway.audit.log import Change
from gateway.audit.models import AuditBundle
from gateway.identity.rights import ClientRole
from gateway.ids import new_id
from gateway.transactions.models import BankTransaction, ChangeSet
from tests.gateway.builders import act_of_system, make_client
from tests.gateway.payments.scene import Scene

DAY = date(2026, 11, 21)


def fill(scene: Scene) -> None:
    """A payment on its way to a downloaded file, with another client's entries between."""
    other = make_client(scene.gateway, scene.office, name="Ander Voorbeeld BV")
    scene.person("alone", ClientRole.PREPARER, ClientRole.EXPORTER)
    scene.rule("every payment", scene.user("first"))
    basket, payments = scene.submitted(scene.wish(), scene.wish())
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        scene.gateway.audit.record(
            session, act_of_system(scene.office), "client.changed", "client", other.id, client_id=other.id,
            changes={"name": Change("Ander Voorbeeld BV", "Nog Een Voorbeeld BV")},
        )  # fmt: skip
    CheckpointService(scene.gateway).make(scene.office.id)
    scene.approve("first", *payments)
    (export,) = scene.export(basket)
    scene.download(export)


def make(scene: Scene, **more: Any) -> AuditBundle:
    wish = BundleWish(client_ids=[scene.client.id], from_date=DAY, until_date=DAY, seed="s1", **more)
    service = BundleService(scene.gateway)
    bundle = service.request(act_of_system(scene.office), wish)
    return service.make(scene.office.id, bundle.id)


def bytes_of(scene: Scene, bundle: AuditBundle) -> bytes:
    return bytes(BundleService(scene.gateway).content(act_of_system(scene.office), bundle.id).content)


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(files: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[name].splitlines()]


def write(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(canonical_json(row) + b"\n" for row in rows)


def book(scene: Scene, amount: str, coda_code: str, **more: Any) -> None:
    account_id, row_id, now = scene.accounts[0].id, new_id(), scene.now
    changes = ChangeSet(id=new_id(), office_id=scene.office.id, account_id=account_id, created_at=now)
    changes.position = row_id.int >> 66
    values: dict[str, Any] = {"state": "booked", "booking_date": DAY, **more}
    row = BankTransaction(
        id=row_id, office_id=scene.office.id, account_id=account_id, value_date=DAY, amount=Decimal(amount),
        currency="EUR", coda_code=coda_code, coda_code_basis="bank", fingerprint=row_id.hex * 2, fingerprint_version=1,
        occurrence=1, raw_cipher=b"-", created_at=now, changed_at=now, added_in=changes.id, changed_in=changes.id,
        **values,
    )  # fmt: skip
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        session.add(changes)
        session.flush()
        session.add(row)
