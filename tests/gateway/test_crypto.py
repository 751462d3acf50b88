"""Keys: refused when unsafe; ciphertexts open only where they belong."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from gateway.crypto import KeyRing, KeysUnusable
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
