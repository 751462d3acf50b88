"""Checking a bundle offline: no database, no secret key, nothing but the file and, better, the public key (SEC-10).

The checks go from the outside in and do not stop at the first fault, so that a changed file is also named by the entry
that was changed. The chain is walked along its hash links from one signed head to the next; the heads that left daily
(by mail, event or backup) may be given and must lie on it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from gateway.audit import bundle_format
from gateway.audit.bundle_format import CHAIN, HEADS, LISTS, MANIFEST, ROWS_OF, SAMPLE, SIGNATURE, VALUES
from gateway.audit.bundle_signatures import signature_faults
from gateway.audit.chain import Head, canonical_json, digest, fingerprint, genesis, is_signed, leaf, link
from gateway.audit.exception_lists import exception_lists, sample

FILES_MAX: Final = 200_000
BYTES_MAX: Final = 4 * 1024**3
MANIFEST_BYTES_MAX: Final = 64 * 1024**2
_BROKEN = (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError)


class NotABundle(Exception):
    """The file is no bundle at all, or one that this version does not know."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, by a stable code, and where."""

    code: str
    text: str


@dataclass(slots=True)
class Report:
    """What was found."""

    faults: list[Fault] = field(default_factory=list)
    office_id: str = ""
    bundle_id: str = ""
    signed_by: str = ""
    is_key_given: bool = False
    first_position: int = 0
    last_position: int = 0
    entries: int = 0
    entries_in_full: int = 0
    values: int = 0
    erased_values: int = 0
    heads: int = 0
    outside_heads: int = 0
    files: int = 0

    @property
    def first_broken(self) -> str | None:
        """The first broken or missing entry, in words."""
        return next((fault.text for fault in self.faults if fault.code.startswith(("entry", "value"))), None)

    @property
    def is_intact(self) -> bool:
        """Nothing was changed, removed, inserted, moved or cut off."""
        return not self.faults

    def add(self, code: str, text: str) -> None:
        """One fault more."""
        self.faults.append(Fault(code, text))


def check(content: bytes, *, public_key: bytes | None = None, heads: Sequence[Mapping[str, Any]] = ()) -> Report:
    """Everything that can be checked offline; `heads` are documents with their signatures, as they left."""
    report = Report(is_key_given=public_key is not None)
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        files = _unpacked(archive, report)
        manifest = json.loads(files[MANIFEST])
        if manifest["kind"] != bundle_format.KIND or manifest["version"] not in ROWS_OF:
            raise NotABundle("another kind or version")
        key = bytes.fromhex(manifest["public_key"])
        report.office_id, report.bundle_id = str(UUID(manifest["office_id"])), str(UUID(manifest["bundle_id"]))
        named = dict(manifest["files"])
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, *_BROKEN) as error:
        raise NotABundle(type(error).__name__) from error
    report.signed_by = fingerprint(key)
    _signature(report, files, key, public_key)
    _files(report, files, named)
    for step in (_chain, _rows):
        try:
            step(report, manifest, files, public_key or key, heads)
        except _BROKEN as error:
            report.add("unreadable", f"the content cannot be read as a bundle ({type(error).__name__})")
    return report


def _unpacked(archive: zipfile.ZipFile, report: Report) -> dict[str, bytes]:
    infos = archive.infolist()
    if len(infos) > FILES_MAX or sum(info.file_size for info in infos) > BYTES_MAX:
        raise NotABundle("too large")
    files: dict[str, bytes] = {}
    for info in infos:
        if info.filename in files:
            report.add("file_twice", f"{info.filename} stands twice in the bundle")
        try:
            files[info.filename] = archive.read(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            # Its checksum does not fit: what it held is not known any more.
            report.add("file_damaged", f"{info.filename} is damaged")
            files[info.filename] = b""
    return files


def _signature(report: Report, files: Mapping[str, bytes], key: bytes, given: bytes | None) -> None:
    if given is not None and given != key:
        report.add("another_key", f"the bundle names the key {fingerprint(key)}, not {fingerprint(given)}")
    try:
        signature = bytes.fromhex(files.get(SIGNATURE, b"").decode().strip())
    except ValueError:
        signature = b""
    if not is_signed(given or key, signature, bundle_format.signed_bytes(files[MANIFEST])):
        report.add("signature", "the signature does not fit the manifest")


def _files(report: Report, files: Mapping[str, bytes], named: Mapping[str, Any]) -> None:
    for path, expected in sorted(named.items()):
        content = files.get(path)
        if content is None:
            report.add("file_missing", f"{path} is missing")
        elif hashlib.sha256(content).hexdigest() != expected["sha256"] or len(content) != expected["size"]:
            report.add("file_changed", f"{path} was changed")
    for path in sorted(files.keys() - named.keys() - {MANIFEST, SIGNATURE}):
        report.add("file_added", f"{path} is not named by the manifest")
    report.files = len(named)


def _chain(
    report: Report,
    manifest: Mapping[str, Any],
    files: Mapping[str, bytes],
    key: bytes,
    outside: Sequence[Mapping[str, Any]],
) -> None:
    office_id = UUID(manifest["office_id"])
    end = _head(report, manifest["head"], key, office_id, "the last head")
    heads = {
        head.position: head
        for document in _lines(files, HEADS)
        if (head := _head(report, document, key, office_id, "a head")) is not None
    }
    report.heads = len(heads)
    position, reached = manifest["start"]["position"], bytes.fromhex(manifest["start"]["link"])
    if position == 0 and reached != genesis(office_id):
        report.add("chain_start", "the chain does not begin where chains of this office begin")
    if position > 0 and (position not in heads or heads[position].link != reached):
        report.add("chain_start", f"the chain does not begin at the head signed at entry {position}")
    report.first_position = position + 1
    entries, links = _walk(report, files, position, reached, heads)
    report.last_position, reached = max(links), links[max(links)]
    is_whole = end is not None and (end.position, end.link) == (report.last_position, reached)
    if not is_whole and not any(fault.code.startswith("entry") for fault in report.faults):
        report.add("entry_missing", f"entries after {report.last_position} are missing")
    missing = sorted(signed for signed in heads if signed not in links)
    if missing and not any(fault.code.startswith("entry") for fault in report.faults):
        report.add("entry_missing", f"the head signed at entry {missing[0]} lies outside the bundle")
    is_walked = not any(fault.code.startswith("entry") for fault in report.faults)
    if is_walked and report.entries_in_full != manifest["entries_in_full"]:
        report.add("entry_hidden", "entries that stood in full in the bundle are shown as hashes only")
    _outside_heads(report, outside, links, key, office_id)
    _values(report, files, entries)


def _walk(
    report: Report, files: Mapping[str, bytes], position: int, reached: bytes, heads: Mapping[int, Head]
) -> tuple[dict[int, Any], dict[int, bytes]]:
    """Entry by entry; stops at the first broken one, which is named. Gives the entries and the links by position."""
    entries: dict[int, Any] = {}
    links = {position: reached}
    mac: str | None = None
    since = position
    for row in _lines(files, CHAIN):
        report.entries += 1
        if row["position"] != position + 1:
            report.add("entry_missing", f"entry {position + 1} is missing; entry {row['position']} stands in its place")
            break
        position = row["position"]
        entry = row.get("entry")
        if entry is None:
            added, mac = bytes.fromhex(row["leaf"]), None
        else:
            if entry["position"] != position or (mac is not None and entry["previous_mac"] != mac):
                report.add("entry_changed", f"entry {position} was changed")
                break
            mac = row["mac"]
            added = leaf(canonical_json(entry), bytes.fromhex(row["mac"]))
            entries[position] = entry
            report.entries_in_full += 1
        reached = link(reached, added)
        if reached.hex() != row["link"]:
            report.add("entry_changed", f"entry {position} was changed")
            break
        head = heads.get(position)
        if head is not None:
            if head.link != reached:
                report.add("entry_changed", f"one of the entries {since + 1} to {position} was changed")
                break
            since = position
        links[position] = reached
    return entries, links


def _outside_heads(
    report: Report, outside: Sequence[Mapping[str, Any]], links: Mapping[int, bytes], key: bytes, office_id: UUID
) -> None:
    for document in outside:
        if document["office_id"] != str(office_id):
            continue
        head = _head(report, document, key, office_id, "a head kept outside")
        if head is None or head.position < min(links):
            continue
        report.outside_heads += 1
        if links.get(head.position, head.link) != head.link:
            report.add("outside_head", f"the head kept outside for entry {head.position} is not on this chain")


def _values(report: Report, files: Mapping[str, bytes], entries: Mapping[int, Any]) -> None:
    due = {(position, name) for position, entry in entries.items() for name in entry["digests"]}
    for row in _lines(files, VALUES):
        report.values += 1
        entry = entries.get(row["position"])
        salt = bytes.fromhex(row["salt"])
        digests = {"old": digest(row["old"], salt), "new": digest(row["new"], salt)}
        if entry is None or entry["digests"].get(row["field"]) != digests:
            report.add("value_changed", f"the value of {row['field']} in entry {row['position']} was changed")
            break
        due.discard((row["position"], row["field"]))
    report.erased_values = len(due)


def _rows(
    report: Report,
    manifest: Mapping[str, Any],
    files: Mapping[str, bytes],
    _key: bytes,
    _heads: Sequence[Mapping[str, Any]],
) -> None:
    rows = {name: list(_lines(files, bundle_format.rows_file(name))) for name in ROWS_OF[manifest["version"]]}
    if bundle_format.sums(rows) != manifest["sums"]:
        report.add("sums", "counts and sums are not those of the manifest")
    entries = [row["entry"] for row in _lines(files, CHAIN) if "entry" in row]
    if "decision_signatures" in rows:
        _schema(report, manifest["schema"], rows)
        for text in signature_faults(rows["decision_signatures"], rows["payments"], entries):
            report.add("decision_signature", text)
    lists = exception_lists({**rows, "entries": entries}, first_payment_above_cents=manifest["first_payment_above"])
    if json.loads(files[LISTS]) != lists:
        report.add("lists", "the exception lists are not those of the rows")
    drawn = sample(rows["payments"], seed=manifest["seed"], size=manifest["sample_size"])
    if json.loads(files[SAMPLE])["payment_ids"] != drawn:
        report.add("sample", "the sample is not the one that its seed draws")
    for kind, suffix in (("exports", "xml"), ("statements", "cod")):
        for row in rows[kind]:
            content = files.get(f"{kind}/{row['id']}.{suffix}")
            if content is not None and hashlib.sha256(content).hexdigest() != row["sha256"]:
                report.add("file_changed", f"{kind}/{row['id']}.{suffix} is not the file that was issued")


def _schema(report: Report, schema: Mapping[str, Any], rows: Mapping[str, list[dict[str, Any]]]) -> None:
    """Each row has the columns that the manifest names, no more and no fewer."""
    for name, found in rows.items():
        wanted = set(schema[name])
        if any(set(row) != wanted for row in found):
            report.add("schema", f"rows of {name} do not have the columns that the manifest names")


def _head(report: Report, document: Mapping[str, Any], key: bytes, office_id: UUID, what: str) -> Head | None:
    head = Head.of(document)
    if head.office_id != office_id or not is_signed(key, bytes.fromhex(document["signature"]), head.signed_bytes()):
        report.add("head", f"{what} (entry {head.position}) is not signed by this key for this office")
        return None
    return head


def _lines(files: Mapping[str, bytes], path: str) -> Iterable[Any]:
    for line in files.get(path, b"").splitlines():
        yield json.loads(line)
