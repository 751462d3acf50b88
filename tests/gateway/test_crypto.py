"""Keys: refused when unsafe; ciphertexts open only where they belong."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway import crypto, keyfile
from gateway.crypto import KeyRing, KeysUnusable, key_id_of
from gateway.ids import new_id


def test_a_ciphertext_opens_for_its_own_row_only(keys: KeyRing) -> None:
    office, row = new_id(), new_id()
    cipher = keys.encrypt(b"token", office_id=office, table="consent", row_id=row)
    assert keys.decrypt(cipher, office_id=office, table="consent", row_id=row) == b"token"
    for office_id, table, row_id in (
        (new_id(), "consent", row),
        (office, "account", row),
        (office, "consent", new_id()),
    ):
        with pytest.raises(KeysUnusable):
            keys.decrypt(cipher, office_id=office_id, table=table, row_id=row_id)


def test_a_changed_ciphertext_does_not_open(keys: KeyRing) -> None:
    office, row = new_id(), new_id()
    cipher = bytearray(keys.encrypt(b"token", office_id=office, table="consent", row_id=row))
    cipher[-1] ^= 1
    with pytest.raises(KeysUnusable):
        keys.decrypt(bytes(cipher), office_id=office, table="consent", row_id=row)


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyRing.generate(path)
    path.chmod(0o640)
    with pytest.raises(KeysUnusable, match="read by others"):
        KeyRing.load(path)


def test_a_default_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyRing.generate(path)
    document = json.loads(path.read_text())
    document["seal"] = base64.b64encode(b"\0" * 32).decode()
    path.write_text(json.dumps(document))
    with pytest.raises(KeysUnusable, match="default"):
        KeyRing.load(path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"current": "k1", "encryption": {}, "seal": "", "audit": ""}'])
def test_an_incomplete_key_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.touch(mode=0o600)
    path.write_text(text)
    with pytest.raises(KeysUnusable):
        KeyRing.load(path)


def test_an_existing_key_file_is_never_overwritten(tmp_path: Path) -> None:
    KeyRing.generate(tmp_path / "keys.json")
    with pytest.raises(FileExistsError):
        KeyRing.generate(tmp_path / "keys.json")


def test_no_secret_stands_in_a_repr(keys: KeyRing) -> None:
    assert repr(keys) == "KeyRing(current='k1')"


NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def rotate(path: Path) -> str:
    with keyfile.changing(path) as held:
        document, key_id = keyfile.rotated(held[-1], now=NOW)
        held.append(document)
    return key_id


def in_the_first_form(ring: KeyRing, plain: bytes, office: UUID, row: UUID) -> bytes:
    """As the first release wrote it: the master key directly on the secret."""
    nonce = os.urandom(12)
    box = AESGCM(ring._document.encryption["k1"])
    return b"\x01\x02k1" + nonce + box.encrypt(nonce, plain, f"{office}|consent|{row}".encode())


def test_a_ciphertext_of_the_first_release_still_opens_and_is_taken_into_an_envelope(tmp_path: Path) -> None:
    """SEC-06."""
    ring, office, row = KeyRing.generate(tmp_path / "keys.json"), new_id(), new_id()
    cipher = in_the_first_form(ring, b"token", office, row)
    assert ring.decrypt(cipher, office_id=office, table="consent", row_id=row) == b"token"
    anew = ring.rewrap(cipher, office_id=office, table="consent", row_id=row)
    assert anew is not None
    assert anew.startswith(ring.head())
    assert ring.decrypt(anew, office_id=office, table="consent", row_id=row) == b"token"


def test_a_rotation_changes_the_wrapping_and_not_the_secret(tmp_path: Path) -> None:
    """SEC-06: what is stored under the old key opens before and after; the secret itself is not opened for it."""
    path = tmp_path / "keys.json"
    ring, office, row = KeyRing.generate(path), new_id(), new_id()
    cipher = ring.encrypt(b"token", office_id=office, table="consent", row_id=row)
    assert ring.rewrap(cipher, office_id=office, table="consent", row_id=row) is None
    assert rotate(path) == "k2"
    ring = KeyRing.load(path)
    assert ring.decrypt(cipher, office_id=office, table="consent", row_id=row) == b"token"
    anew = ring.rewrap(cipher, office_id=office, table="consent", row_id=row)
    assert anew is not None
    assert (key_id_of(cipher), key_id_of(anew)) == ("k1", "k2")
    assert anew[-33:] == cipher[-33:], "nonce, secret and tag are the same bytes"
    for foreign in (new_id(), row):
        with pytest.raises(KeysUnusable):
            ring.rewrap(cipher, office_id=office if foreign != row else new_id(), table="consent", row_id=foreign)


def test_a_running_process_takes_over_a_changed_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-06: rotation needs no restart; what another process wrote under the new key opens at once."""
    path = tmp_path / "keys.json"
    running, office, row = KeyRing.generate(path), new_id(), new_id()
    rotate(path)
    cipher = KeyRing.load(path).encrypt(b"token", office_id=office, table="consent", row_id=row)
    assert key_id_of(cipher) == "k2"
    assert running.decrypt(cipher, office_id=office, table="consent", row_id=row) == b"token"
    assert running.current == "k2"
    rotate(path)
    monkeypatch.setattr(crypto, "LOOK_EVERY_SECONDS", 0)
    assert key_id_of(running.encrypt(b"x", office_id=None, table="app_user", row_id=row)) == "k3"


def test_a_damaged_key_file_leaves_a_running_process_its_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys.json"
    running = KeyRing.generate(path)
    monkeypatch.setattr(crypto, "LOOK_EVERY_SECONDS", 0)
    path.write_text("{")
    assert running.current == "k1"


def test_a_prepared_key_is_used_from_the_rotation_on(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyRing.generate(path)
    with keyfile.changing(path) as held:
        document, key_id = keyfile.prepared(held[-1])
        held.append(document)
    assert (KeyRing.load(path).current, key_id) == ("k1", "k2")
    assert rotate(path) == "k2"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_current_key_and_the_one_of_a_moment_ago_stay() -> None:
    document, _ = keyfile.rotated(keyfile.KeyDocument.fresh(now=NOW), now=NOW)
    for key_id, now in (("k2", NOW + timedelta(days=1)), ("k1", NOW + timedelta(minutes=9)), ("k9", NOW)):
        with pytest.raises(keyfile.KeyStillNeeded):
            keyfile.retired(document, key_id, now=now)
    assert list(keyfile.retired(document, "k1", now=NOW + timedelta(minutes=11)).encryption) == ["k2"]


def test_a_key_file_without_a_signing_key_signs_all_the_same(tmp_path: Path) -> None:
    """SEC-09: key files of the first release have none; theirs follows from the audit key, the same each time."""
    path = tmp_path / "keys.json"
    KeyRing.generate(path)
    document = json.loads(path.read_text())
    del document["signing"]
    path.write_text(json.dumps(document))
    ring = KeyRing.load(path)
    assert ring.public_key == KeyRing.load(path).public_key
    Ed25519PublicKey.from_public_bytes(ring.public_key).verify(ring.sign(b"head"), b"head")


def test_no_key_stands_in_the_repr_of_a_key_document() -> None:
    document = keyfile.KeyDocument.fresh(now=NOW)
    assert repr(document) == "KeyDocument(current='k1', keys=['k1'])"
