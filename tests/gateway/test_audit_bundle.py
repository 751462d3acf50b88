"""SEC-10: a bundle is signed after every HMAC was checked; offline, whatever was done to it is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from gateway.assembly import build
from gateway.audit.bundle_check import NotABundle, check
from gateway.audit.bundle_format import CHAIN, HEADS, MANIFEST, VALUES, packed
from gateway.audit.chain import canonical_json, leaf, link
from gateway.cli import app
from gateway.crypto import KeyRing
from gateway.database import Database
from gateway.embedded import APPLICATION, EmbeddedPostgres
from gateway.settings import Settings
from tests.gateway.bundles import bytes_of, fill, lines, make, unpacked, write
from tests.gateway.payments.scene import make_scene


@dataclass(frozen=True)
class Made:
    """One bundle that all checks of this file look at."""

    content: bytes
    files: dict[str, bytes]
    key: bytes
    heads: list[dict[str, Any]]


@pytest.fixture(scope="module")
def made(settings: Settings, postgres: EmbeddedPostgres, service_database: str, keys: KeyRing) -> Iterator[Made]:
    engine = create_engine(postgres.url(APPLICATION, service_database))
    with engine.connect() as connection:
        outer = connection.begin()
        scene = make_scene(build(settings, Database(connection), keys))
        fill(scene)
        content = bytes_of(scene, make(scene))
        files = unpacked(content)
        yield Made(content, files, keys.public_key, lines(files, HEADS))
        outer.rollback()
    engine.dispose()


def test_an_untouched_bundle_is_intact_and_shows_its_own_client_in_full(made: Made) -> None:
    report = check(made.content, public_key=made.key, heads=made.heads)
    assert report.faults == []
    assert (report.first_position, report.heads, report.outside_heads) == (1, 2, 2)
    chain = lines(made.files, CHAIN)
    assert [row["position"] for row in chain] == list(range(1, report.last_position + 1))
    assert 0 < report.entries_in_full < report.entries
    assert not any("Ander Voorbeeld" in content.decode("latin-1") for content in made.files.values())
    manifest = json.loads(made.files[MANIFEST])
    assert manifest["sums"]["rows"]["payments"] == 2
    assert manifest["sums"]["payments_total"] == manifest["sums"]["exports_total"] == "500.00"
    assert manifest["sums"]["exported_payments"] == 2
    assert manifest["not_included"] == ["deputies"]
    (export,) = [name for name in made.files if name.startswith("exports/")]
    assert b"<CstmrCdtTrfInitn>" in made.files[export]
    assert {row["first_name"] for row in lines(made.files, "rows/people.jsonl")} >= {"preparer", "first", "exporter"}


def first_full(rows: list[dict[str, Any]], *, nth: int = 2) -> int:
    return [index for index, row in enumerate(rows) if "entry" in row][nth]


def relinked(rows: list[dict[str, Any]], made: Made) -> list[dict[str, Any]]:
    """The links computed anew: what somebody would do who knows how a bundle is made."""
    reached = bytes.fromhex(json.loads(made.files[MANIFEST])["start"]["link"])
    for row in rows:
        added = (
            leaf(canonical_json(row["entry"]), bytes.fromhex(row["mac"]))
            if "entry" in row
            else bytes.fromhex(row["leaf"])
        )
        reached = link(reached, added)
        row["link"] = reached.hex()
    return rows


def change_an_entry(rows: list[dict[str, Any]], made: Made) -> str:
    index = first_full(rows)
    rows[index]["entry"]["action"] = "nothing.happened"
    return f"entry {rows[index]['position']} was changed"


def change_an_entry_and_its_links(rows: list[dict[str, Any]], made: Made) -> str:
    index = first_full(rows, nth=0)
    rows[index]["entry"]["action"] = "nothing.happened"
    relinked(rows, made)
    return f"one of the entries 1 to {made.heads[0]['position']} was changed"


def remove_an_entry(rows: list[dict[str, Any]], made: Made) -> str:
    position = rows.pop(first_full(rows))["position"]
    return f"entry {position} is missing; entry {position + 1} stands in its place"


def insert_an_entry(rows: list[dict[str, Any]], made: Made) -> str:
    index = first_full(rows)
    rows.insert(index, json.loads(json.dumps(rows[index])))
    return f"entry {rows[index]['position'] + 1} is missing; entry {rows[index]['position']} stands in its place"


def swap_two_entries(rows: list[dict[str, Any]], made: Made) -> str:
    index = first_full(rows)
    rows[index], rows[index + 1] = rows[index + 1], rows[index]
    position = rows[index + 1]["position"]
    return f"entry {position} is missing; entry {position + 1} stands in its place"


def swap_and_renumber(rows: list[dict[str, Any]], made: Made) -> str:
    index = next(i for i, row in enumerate(rows) if "entry" in row and "entry" in rows[i + 1])
    one, two = rows[index], rows[index + 1]
    rows[index], rows[index + 1] = two, one
    one["position"], two["position"] = two["position"], one["position"]
    return f"entry {two['position']} was changed"


def cut_off_the_end(rows: list[dict[str, Any]], made: Made) -> str:
    del rows[-2:]
    return f"entries after {rows[-1]['position']} are missing"


def hide_an_entry(rows: list[dict[str, Any]], made: Made) -> str:
    row = rows[first_full(rows)]
    row["leaf"] = leaf(canonical_json(row.pop("entry")), bytes.fromhex(row.pop("mac"))).hex()
    return "entries that stood in full in the bundle are shown as hashes only"


@pytest.mark.parametrize(
    "tamper",
    [
        change_an_entry, change_an_entry_and_its_links, remove_an_entry, insert_an_entry, swap_two_entries,
        swap_and_renumber, cut_off_the_end, hide_an_entry,
    ],
)  # fmt: skip
def test_the_first_broken_entry_of_a_bundle_is_named(
    made: Made, tamper: Callable[[list[dict[str, Any]], Made], str]
) -> None:
    """Once with the manifest as signed, once by somebody who also wrote the manifest anew."""
    rows = lines(made.files, CHAIN)
    expected = tamper(rows, made)
    files = {**made.files, CHAIN: write(rows)}
    found = [fault.text for fault in check(packed(files), public_key=made.key).faults]
    assert expected in found
    assert "chain.jsonl was changed" in found
    from gateway.audit.bundle_format import described  # noqa: PLC0415

    manifest = json.loads(made.files[MANIFEST])
    manifest["files"] = described({name: content for name, content in files.items() if name in manifest["files"]})
    files[MANIFEST] = canonical_json(manifest)
    found = [fault.text for fault in check(packed(files), public_key=made.key).faults]
    assert expected in found or tamper is hide_an_entry
    assert "the signature does not fit the manifest" in found


def test_a_changed_removed_or_added_value_is_named(made: Made) -> None:
    rows = lines(made.files, VALUES)
    changed = json.loads(json.dumps(rows))
    changed[1]["new"] = "something else"
    found = check(packed({**made.files, VALUES: write(changed)})).faults
    assert f"the value of {rows[1]['field']} in entry {rows[1]['position']} was changed" in [one.text for one in found]
    added = [*rows, {**rows[0], "field": "invented"}]
    found = check(packed({**made.files, VALUES: write(added)})).faults
    assert f"the value of invented in entry {rows[0]['position']} was changed" in [one.text for one in found]
    report = check(packed({**made.files, VALUES: write(rows[1:])}))
    assert report.erased_values == 1
    assert [fault.text for fault in report.faults] == ["values.jsonl was changed"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("rows/payments.jsonl", b"", "counts and sums are not those of the manifest"),
        ("sample.json", b'{"payment_ids":[],"seed":"s1"}', "the sample is not the one that its seed draws"),
        ("lists.json", b"{}", "the exception lists are not those of the rows"),
        ("heads.jsonl", b"", "heads.jsonl was changed"),
        ("more.txt", b"x", "more.txt is not named by the manifest"),
        ("manifest.sig", b"00", "the signature does not fit the manifest"),
        ("chain.jsonl", b"{", "the content cannot be read as a bundle (JSONDecodeError)"),
    ],
)
def test_every_other_part_is_covered_as_well(made: Made, name: str, content: bytes, expected: str) -> None:
    found = check(packed({**made.files, name: content}), public_key=made.key).faults
    assert expected in [fault.text for fault in found]


def test_a_removed_file_is_named(made: Made) -> None:
    for name in made.files:
        files = {other: content for other, content in made.files.items() if other != name}
        if name == MANIFEST:
            with pytest.raises(NotABundle):
                check(packed(files))
        else:
            assert not check(packed(files)).is_intact, name


def test_a_bundle_signed_by_another_key_is_not_taken_for_ours(made: Made, tmp_path: Path) -> None:
    other = KeyRing.generate(tmp_path / "keys.json")
    codes = [fault.code for fault in check(made.content, public_key=other.public_key).faults]
    assert {"another_key", "signature", "head"} <= set(codes)


def test_a_head_kept_outside_must_lie_on_the_chain(made: Made, keys: KeyRing) -> None:
    """A chain rewritten from the beginning, with new heads and a new signature, does not pass a head that had left."""
    from gateway.audit.chain import Head  # noqa: PLC0415

    head = Head.of(made.heads[0])
    forged = Head(head.office_id, head.position, bytes(32), head.made_at, head.key)
    document = {**forged.document(), "signature": keys.sign(forged.signed_bytes()).hex()}
    found = check(made.content, public_key=made.key, heads=[document]).faults
    assert [fault.code for fault in found] == ["outside_head"]
    unsigned = {**document, "signature": "00"}
    assert [fault.code for fault in check(made.content, heads=[unsigned]).faults] == ["head"]


@pytest.mark.parametrize("content", [b"", b"no zip", packed({"a": b"b"}), packed({"manifest.json": b"[]"})])
def test_what_is_no_bundle_is_told_apart_from_a_changed_one(content: bytes) -> None:
    with pytest.raises(NotABundle):
        check(content)


def test_damaged_bytes_never_pass_and_never_crash(made: Made) -> None:
    for place in range(0, len(made.content), max(1, len(made.content) // 60)):
        damaged = bytearray(made.content)
        damaged[place] ^= 0x55
        try:
            report = check(bytes(damaged), public_key=made.key)
        except NotABundle:
            continue
        # A few bytes of a ZIP say nothing about its content, such as a moment or the system it was made on.
        assert not report.is_intact or unpacked(bytes(damaged)) == made.files


def test_the_command_checks_offline_with_its_exit_codes(
    made: Made, keys: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """API-12: no database, no settings, no secret key: 0 intact, 1 changed, 2 not a bundle."""
    monkeypatch.setenv("SLUIS_DATABASE_URL", "postgresql://nowhere.invalid/none")
    run, path, pem, heads = CliRunner(), tmp_path / "b.zip", tmp_path / "key.pem", tmp_path / "heads.jsonl"
    path.write_bytes(made.content)
    pem.write_text(keys.public_key_pem)
    heads.write_bytes(write(made.heads))
    answer = run.invoke(app, ["audit", "verify", str(path), "--public-key", str(pem), "--heads", str(heads)])
    assert (answer.exit_code, "intact" in answer.output) == (0, True), answer.output
    rows = lines(made.files, CHAIN)
    expected = change_an_entry(rows, made)
    path.write_bytes(packed({**made.files, CHAIN: write(rows)}))
    answer = run.invoke(app, ["audit", "verify", str(path), "--json"])
    assert answer.exit_code == 1
    document = json.loads(answer.stdout)
    assert (document["is_intact"], document["first_broken"]) == (False, expected)
    assert expected in [fault["text"] for fault in document["faults"]]
    path.write_bytes(b"no zip")
    assert run.invoke(app, ["audit", "verify", str(path)]).exit_code == 2
    assert run.invoke(app, ["audit", "verify", str(tmp_path / "none.zip")]).exit_code == 2
    pem.write_text("no key")
    assert run.invoke(app, ["audit", "verify", str(path), "--public-key", str(pem)]).exit_code == 2
