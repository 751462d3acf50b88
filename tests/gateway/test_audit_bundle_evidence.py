"""SEC-10: signed decisions, address decisions and moves are tables of the bundle, and the check proves them offline."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.accounts.models import Account
from gateway.addresses.service import AddressService
from gateway.audit.bundle_check import check
from gateway.audit.bundle_format import ROWS, described, packed, rows_file, signed_bytes, sums
from gateway.audit.chain import canonical_json
from gateway.identity.rights import OfficeRole
from gateway.ids import encode, new_id
from gateway.moves.models import ClientMove, ClientMoveAccount, MoveState
from tests.gateway.bundles import bytes_of, lines, make, unpacked
from tests.gateway.payments.scene import ALL, Scene
from tests.gateway.test_signed_decisions import Signing, seals_of, signing

__all__ = ["signing"]


@pytest.fixture
def made(signing: Signing) -> tuple[Scene, bytes]:
    """A decision with a passkey's signature, an address set by one admin and confirmed by another, a move."""
    scene = signing.scene
    _, (big,) = signing.submitted("5000.00")
    signing.sign("first", "approve", seals_of(big))
    signing.approve(big)
    for name in ("setter", "confirmer"):
        scene.person(name, OfficeRole.ADMIN)
    AddressService(scene.gateway).change(scene.act("setter"), scene.client.id, {"contact_email": "a@example.test"})
    (waiting,), _ = AddressService(scene.gateway).page(scene.act("confirmer"), ALL)
    AddressService(scene.gateway).decide(scene.act("confirmer"), is_confirmed=True, change_ids=[waiting.change.id])
    move = ClientMove(
        id=new_id(), office_id=scene.office.id, client_id=scene.client.id, move_on=date(2026, 11, 21),
        state=MoveState.DONE, proof="administrator", chosen_by=scene.people["setter"].id, created_at=scene.now,
        done_at=scene.now + timedelta(minutes=1),
    )  # fmt: skip
    with scene.gateway.database.unit_of_work(scene.office.id) as session:
        account = session.get_one(Account, scene.accounts[0].id)
        session.add(move)
        session.flush()
        session.add(ClientMoveAccount(id=new_id(), office_id=scene.office.id, move_id=move.id, account_id=account.id))
    return scene, bytes_of(scene, make(scene))


def faults(content: bytes) -> list[str]:
    return [fault.text for fault in check(content).faults]


def forged(scene: Scene, content: bytes, kind: str, change: dict[str, Any]) -> bytes:
    """The bundle with a row changed by somebody who also holds the signing key."""
    files = unpacked(content)
    manifest = json.loads(files.pop("manifest.json"))
    del files["manifest.sig"]
    rows = {name: lines(files, rows_file(name)) for name in ROWS}
    rows[kind][0] |= change
    files[rows_file(kind)] = b"".join(canonical_json(row) + b"\n" for row in rows[kind])
    manifest |= {"files": described(files), "sums": sums(rows)}
    signed = canonical_json(manifest)
    signature = scene.gateway.keys.sign(signed_bytes(signed)).hex().encode() + b"\n"
    return packed(files | {"manifest.json": signed, "manifest.sig": signature})


def test_who_signed_who_confirmed_and_what_moved_are_rows_of_the_bundle(made: tuple[Scene, bytes]) -> None:
    scene, content = made
    assert faults(content) == []
    files = unpacked(content)
    (signature,) = lines(files, rows_file("decision_signatures"))
    assert (signature["user_id"], signature["decision"]) == (str(scene.people["first"].id), "approve")
    assert signature["seals_left_out"] == 0
    (address,) = lines(files, rows_file("address_changes"))
    people = (address["author_id"], address["decider_id"], address["state"])
    assert people == (str(scene.people["setter"].id), str(scene.people["confirmer"].id), "confirmed")
    (move,) = lines(files, rows_file("moves"))
    assert move["proof"] == "administrator"
    assert len(lines(files, rows_file("move_accounts"))) == len(lines(files, rows_file("signing_limits"))) == 1
    named = {row["id"] for row in lines(files, rows_file("people"))}
    assert {str(scene.people[name].id) for name in ("first", "setter", "confirmer")} <= named


def test_the_manifest_names_the_columns_of_every_table(made: tuple[Scene, bytes]) -> None:
    scene, content = made
    schema = json.loads(unpacked(content)["manifest.json"])["schema"]
    assert set(schema) == set(ROWS)
    assert {"state", "decider_id", "account_id"} <= set(schema["address_changes"])
    changed = forged(scene, content, "moves", {"more": 1})
    assert faults(changed) == ["rows of moves do not have the columns that the manifest names"]


@pytest.mark.parametrize("change", [{"decision": "export"}, {"nonce": "00"}, {"signature": "3006020101020101"},
                                    {"public_key": "a0"}, {"client_data": "7b7d"}])  # fmt: skip
def test_a_signature_that_is_not_of_its_decision_is_named(made: tuple[Scene, bytes], change: dict[str, Any]) -> None:
    """SEC-04: key, statement and signature are checked without us, whoever wrote the manifest anew."""
    scene, content = made
    (text,) = faults(forged(scene, content, "decision_signatures", change))
    assert text.endswith("is not that of its decision")


def test_a_missing_signature_and_foreign_payments_are_named(made: tuple[Scene, bytes]) -> None:
    scene, content = made
    found = faults(forged(scene, content, "decision_signatures", {"id": str(new_id())}))
    assert any("is missing" in text for text in found)
    found = faults(forged(scene, content, "decision_signatures", {"seals": {encode("payment", new_id()): "x"}}))
    assert any("not in the bundle" in text for text in found)
