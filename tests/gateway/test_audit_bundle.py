"""SEC-10: a bundle is signed after every HMAC was checked; offline, whatever was done to it is found and named."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlmodel import select
from typer.testing import CliRunner

from gateway.assembly import Gateway, build
from gateway.audit.bundle_check import NotABundle, check
from gateway.audit.bundle_format import CHAIN, HEADS, MANIFEST, VALUES, packed
from gateway.audit.bundles import BundleNotReady, BundleService, BundleWish, PeriodInvalid
from gateway.audit.chain import canonical_json, leaf, link
from gateway.audit.checkpoints import AuditChainBroken, CheckpointService
from gateway.audit.log import Change
from gateway.audit.models import AuditBundle, AuditEntry
from gateway.cli import app
from gateway.crypto import KeyRing
from gateway.database import Database, libpq_url
from gateway.embedded import APPLICATION, SUPERUSER, EmbeddedPostgres
from gateway.errors import NotFound
from gateway.identity.rights import ClientRole
from gateway.ids import new_id
from gateway.settings import Settings
from tests.gateway.builders import act_of_system, make_client, make_office
from tests.gateway.payments.scene import Scene, make_scene

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


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(files: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[name].splitlines()]


def write(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(canonical_json(row) + b"\n" for row in rows)


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
    assert manifest["not_included"] == ["booked_debits", "returns"]
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


def test_a_bundle_is_made_once_and_its_bytes_stay(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    fill(scene)
    bundle = make(scene)
    first = bytes_of(scene, bundle)
    again = BundleService(gateway).make(scene.office.id, bundle.id)
    assert (again.state, again.sha256) == ("ready", bundle.sha256)
    assert bytes_of(scene, bundle) == first
    with gateway.database.unit_of_work(scene.office.id) as session:
        actions = [entry.action for entry in session.exec(select(AuditEntry)) if entry.object_id == bundle.id]
    assert actions == [
        "audit_bundle.requested", "audit_bundle.made", "audit_bundle.downloaded", "audit_bundle.downloaded",
    ]  # fmt: skip


def test_the_same_rows_give_the_same_bytes(gateway: Gateway) -> None:
    scene = make_scene(gateway)
    fill(scene)
    bundle = make(scene)
    with gateway.database.unit_of_work(scene.office.id) as session:
        from gateway.audit.checkpoints import at  # noqa: PLC0415

        head = at(session, scene.office.id, bundle.head_position or 0)
        assert head is not None
        once, _ = BundleService(gateway)._content(session, bundle, head)
    assert once == bytes_of(scene, bundle)


def test_the_lists_name_what_an_auditor_asks_about(gateway: Gateway) -> None:
    """SEC-10: same person prepared and exported, one person's decision, a rule changed days before, first payments."""
    scene = make_scene(gateway)
    fill(scene)
    bundle = make(scene, sample_size=1, first_payment_above=24_999)
    files = unpacked(bytes_of(scene, bundle))
    lists = json.loads(files["lists.json"])
    payments = {row["id"] for row in lines(files, "rows/payments.jsonl")}
    assert {row["payment_id"] for row in lists["decided_by_one_person"]} == payments
    assert {row["payment_id"] for row in lists["first_payment_above"]} == payments
    assert lists["prepared_and_exported"] == lists["replaced_exports"] == lists["reset_second_factors"] == []
    drawn = json.loads(files["sample.json"])["payment_ids"]
    assert len(drawn) == 1
    assert set(drawn) < payments
    scene.now += timedelta(seconds=1)
    again = make(scene, sample_size=1)
    assert json.loads(unpacked(bytes_of(scene, again))["sample.json"])["payment_ids"] == drawn


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE audit_entry SET action = 'x' WHERE position = 3", "entry 3 was changed"),
        ("DELETE FROM audit_value; DELETE FROM audit_entry WHERE position = 3", "entry 3 is missing"),
        ("UPDATE audit_value SET new_value = '\"x\"' WHERE field = 'name'", "the value of name in entry"),
        ("UPDATE payment SET amount = amount + 1000", "is not what was sealed"),
        ("UPDATE approval SET verdict = 'reject'", "is not what was decided"),
        ("UPDATE export_file SET content = content || ' '", "is not what was made"),
        ("UPDATE audit_checkpoint SET link_hash = signature", "is not the one that was signed"),
    ],
)
def test_nothing_is_signed_when_the_database_was_changed(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str, sql: str, fault: str
) -> None:
    scene = make_scene(committed)
    fill(scene)
    with psycopg.connect(libpq_url(postgres.url(SUPERUSER, own_database)), autocommit=True) as superuser:
        superuser.execute(sql)
    bundle = make(scene)
    assert bundle.state == "failed"
    assert fault in (bundle.failure or "")
    with pytest.raises(BundleNotReady):
        bytes_of(scene, bundle)


def test_entries_cut_off_behind_a_signed_head_are_missed(
    committed: Gateway, postgres: EmbeddedPostgres, own_database: str
) -> None:
    """SEC-09: with the head row rolled back as well, only the signed head still tells."""
    scene = make_scene(committed)
    fill(scene)
    CheckpointService(committed).make(scene.office.id)
    with psycopg.connect(libpq_url(postgres.url(SUPERUSER, own_database)), autocommit=True) as superuser:
        superuser.execute("DELETE FROM audit_value")
        superuser.execute("DELETE FROM audit_entry WHERE position > 4")
        superuser.execute(
            "UPDATE office_head SET audit_position = 4, audit_hash = (SELECT mac FROM audit_entry WHERE position = 4)"
        )
    bundle = make(scene)
    assert bundle.failure == "entries after 5 are missing"
    with pytest.raises(AuditChainBroken):
        CheckpointService(committed).make(scene.office.id)


def test_heads_are_signed_daily_and_after_many_entries(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = make_scene(gateway)
    service, now = CheckpointService(gateway), gateway.real_now()
    assert service.is_due(scene.office.id, now)
    service.run()
    assert not service.is_due(scene.office.id, now), "nothing happened since"
    scene.rule("every payment", scene.user("first"))
    assert not service.is_due(scene.office.id, now)
    assert service.is_due(scene.office.id, now + timedelta(days=1))
    monkeypatch.setattr("gateway.audit.checkpoints.ENTRIES_MAX", 1)
    assert service.is_due(scene.office.id, now)
    empty = make_office(gateway)
    assert service.make(empty.id) is None, "an office without entries has no head"
    assert not service.is_due(empty.id, now)


def test_the_service_cannot_change_a_head_or_a_bundle(gateway: Gateway) -> None:
    for table in ("audit_checkpoint", "audit_bundle_file"):
        with gateway.database.unit_of_work(None) as session:
            held = session.connection().execute(
                text(f"SELECT has_table_privilege('{table}', 'UPDATE') OR has_table_privilege('{table}', 'DELETE')")
            )
            assert held.scalar_one() is False


def test_a_period_in_the_future_and_a_strangers_client_are_refused(gateway: Gateway) -> None:
    scene, other = make_scene(gateway), make_scene(gateway)
    service, act = BundleService(gateway), act_of_system(scene.office)
    for first, last in ((DAY, DAY - timedelta(days=1)), (DAY, DAY + timedelta(days=1)), (date(2000, 1, 1), DAY)):
        with pytest.raises(PeriodInvalid):
            service.request(act, BundleWish(client_ids=[scene.client.id], from_date=first, until_date=last))
    for client_id in (other.client.id, new_id()):
        with pytest.raises(NotFound):
            service.request(act, BundleWish(client_ids=[client_id], from_date=DAY, until_date=DAY))
    bundle = service.request(act, BundleWish(client_ids=[scene.client.id], from_date=DAY, until_date=DAY))
    for bundle_id in (bundle.id, new_id()):
        with pytest.raises(NotFound):
            service.get(act_of_system(other.office), bundle_id)
