"""Bundles for auditors: asked for, made by a job after every HMAC was checked, signed, stored once (SEC-10)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, cast, or_
from sqlmodel import Session, col, select

from gateway import jobs
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit import bundle_format, bundle_rows
from gateway.audit.bundle_signatures import DECISION_SIGNED
from gateway.audit.chain import canonical_json, genesis, leaf
from gateway.audit.checkpoints import AuditChainBroken, CheckpointService, latest
from gateway.audit.exception_lists import SECOND_FACTOR_RESETS, exception_lists, sample
from gateway.audit.leaving import leaving
from gateway.audit.log import Change, canonical, entry_document, head_of, verify
from gateway.audit.models import AuditBundle, AuditBundleFile, AuditCheckpoint, AuditEntry, AuditValue
from gateway.clock import brussels_date
from gateway.errors import ConflictError, NotFound, PeriodInvalid
from gateway.identity.models import Membership
from gateway.identity.rights import Permission
from gateway.ids import encode, new_id
from gateway.jobs.service import JobService
from gateway.offices.repository import ClientRepository
from gateway.pagination import PageRequest, Sort
from gateway.problems import InternalError

TASK: Final = "make_audit_bundle"
JOB_KIND: Final = "audit_bundle"
STEPS: Final = 3
"""Every HMAC checked; the head signed and the rows read; the file stored. A job is cancelled between two of them."""
CANCELLED: Final = "cancelled"
DEFECT: Final = "internal_error"
QUEUED: Final = "queued"
READY: Final = "ready"
FAILED: Final = "failed"
DAYS_MAX: Final = 3660
CLIENTS_MAX: Final = 500


class BundleNotReady(ConflictError):
    """The bundle is still being made, or could not be made."""

    code = "bundle_not_ready"
    title = "The bundle is not there yet"
    hint = "Read the bundle again: its state says whether it is being made or why it was not."


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleWish:
    """What the auditor wants."""

    client_ids: Sequence[UUID]
    from_date: date
    until_date: date
    seed: str | None = None
    sample_size: int = 25
    first_payment_above: int = 0
    """In cents."""


class BundleService:
    """Asks for, makes and hands out bundles."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def request(self, act: Act, wish: BundleWish) -> AuditBundle:
        """A bundle to be made soon; raises `NotFound` for a client that is not there or not visible."""
        act.require(Permission.AUDIT_READ)
        if (
            wish.from_date > wish.until_date
            or wish.until_date > act.today
            or (wish.until_date - wish.from_date).days > DAYS_MAX
        ):
            raise PeriodInvalid("/until", days=DAYS_MAX)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            for client_id in sorted(set(wish.client_ids)):
                if ClientRepository(session).get(act.office_id, client_id) is None:
                    raise NotFound
                act.require(Permission.AUDIT_READ, client_id)
            bundle = AuditBundle(
                id=new_id(),
                office_id=act.office_id,
                client_ids=sorted(set(wish.client_ids)),
                from_date=wish.from_date,
                until_date=wish.until_date,
                seed=wish.seed or secrets.token_hex(16),
                sample_size=wish.sample_size,
                first_payment_above=wish.first_payment_above,
                state=QUEUED,
                created_by_kind=act.principal.kind,
                created_by=act.principal.id,
                created_at=act.now,
            )
            job = JobService(self.gateway).start(
                session, act, kind=JOB_KIND, total=STEPS,
                client_id=bundle.client_ids[0] if len(bundle.client_ids) == 1 else None,
            )  # fmt: skip
            bundle.job_id = job.id
            session.add(bundle)
            self._record(session, act, "audit_bundle.requested", bundle)
            jobs.enqueue(session, TASK, office_id=str(act.office_id), bundle_id=str(bundle.id))
        return bundle

    def make(self, office_id: UUID, bundle_id: UUID) -> AuditBundle:
        """Check every HMAC, sign the head, write the file; once more is harmless, the first file stays."""
        with self.gateway.database.unit_of_work(office_id) as session:
            bundle = _get(session, office_id, bundle_id)
        if bundle.state != QUEUED:
            return bundle
        try:
            return self._make(bundle)
        except AuditChainBroken as error:
            return self._fail(bundle, failure=str(error.parameters["fault"])[:300], code=error.code, detail=error.title)
        except Exception:
            # Whoever asked is told; the worker's log has the defect.
            self._fail(bundle, failure=DEFECT, code=DEFECT, detail=InternalError.title)
            raise

    def _make(self, bundle: AuditBundle) -> AuditBundle:
        office_id = bundle.office_id
        if not self._advance(bundle, 0):
            return self._end(office_id, bundle.id, None, failure=CANCELLED)
        with self.gateway.database.unit_of_work(office_id) as session:
            fault = verify(session, self.gateway.audit, office_id)
        if fault is not None:
            raise AuditChainBroken(fault=fault)
        if not self._advance(bundle, 1):
            return self._end(office_id, bundle.id, None, failure=CANCELLED)
        head = CheckpointService(self.gateway, leaving(self.gateway)).make(office_id)
        assert head is not None, "asking for the bundle left an entry"
        with self.gateway.database.unit_of_work(office_id) as session:
            content, entries = self._content(session, bundle, head)
        if not self._advance(bundle, 2):
            return self._end(office_id, bundle.id, None, failure=CANCELLED)
        made = self._end(office_id, bundle.id, content, head=head, entries=entries)
        if bundle.job_id is not None:
            address = f"/v1/audit-bundles/{encode('audit_bundle', bundle.id)}/content"
            result = {"audit_bundle_id": encode("audit_bundle", bundle.id), "content": address, "sha256": made.sha256}
            JobService(self.gateway).finish(office_id, bundle.job_id, result)
        return made

    def _advance(self, bundle: AuditBundle, done: int) -> bool:
        """False when it was cancelled; bundles asked for before there were jobs have none."""
        return bundle.job_id is None or JobService(self.gateway).advance(bundle.office_id, bundle.job_id, done=done)

    def _fail(self, bundle: AuditBundle, *, failure: str, code: str, detail: str) -> AuditBundle:
        ended = self._end(bundle.office_id, bundle.id, None, failure=failure)
        if bundle.job_id is not None:
            JobService(self.gateway).fail(bundle.office_id, bundle.job_id, code=code, detail=detail)
        return ended

    def page(self, act: Act, request: PageRequest) -> tuple[list[AuditBundle], str | None]:
        """Bundles whose clients the caller may all see, newest first."""
        act.require(Permission.AUDIT_READ)
        order = [Sort(col(AuditBundle.id), lambda row: str(row.id), UUID, is_descending=True)]
        query = select(AuditBundle).where(AuditBundle.office_id == act.office_id)
        visible = act.principal.visible_clients(Permission.AUDIT_READ)
        if visible is not None:
            query = query.where(col(AuditBundle.client_ids).op("<@")(cast(sorted(visible), ARRAY(Uuid))))
        with self.gateway.database.unit_of_work(act.office_id) as session:
            name = f"audit-bundles:{act.office_id}:{act.principal.id}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def get(self, act: Act, bundle_id: UUID) -> AuditBundle:
        """One bundle; raises `NotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._visible(session, act, bundle_id)

    def content(self, act: Act, bundle_id: UUID) -> AuditBundleFile:
        """The bytes, the same at every download; each download is an entry. Raises `NotFound`, `BundleNotReady`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            bundle = self._visible(session, act, bundle_id)
            query = select(AuditBundleFile).where(
                AuditBundleFile.office_id == act.office_id, AuditBundleFile.bundle_id == bundle_id
            )
            file = session.exec(query).one_or_none()
            if file is None:
                raise BundleNotReady
            assert hashlib.sha256(file.content).hexdigest() == file.sha256 == bundle.sha256, "stored once, whole"
            self._record(session, act, "audit_bundle.downloaded", bundle)
        return file

    def lists(self, act: Act, bundle_id: UUID) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
        """The exception lists and the sample of a bundle that is ready; raises `NotFound`, `BundleNotReady`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            self._visible(session, act, bundle_id)
            query = select(AuditBundleFile.content).where(
                AuditBundleFile.office_id == act.office_id, AuditBundleFile.bundle_id == bundle_id
            )
            content = session.exec(query).one_or_none()
        if content is None:
            raise BundleNotReady
        return bundle_format.lists_of(content)

    def _visible(self, session: Session, act: Act, bundle_id: UUID) -> AuditBundle:
        bundle = _get(session, act.office_id, bundle_id)
        act.require(Permission.AUDIT_READ)
        visible = act.principal.visible_clients(Permission.AUDIT_READ)
        if visible is not None and not visible.issuperset(bundle.client_ids):
            raise NotFound
        return bundle

    def _content(self, session: Session, bundle: AuditBundle, head: AuditCheckpoint) -> tuple[bytes, int]:
        scope = bundle_rows.Scope.of(bundle.office_id, bundle.client_ids, bundle.from_date, bundle.until_date)
        material = bundle_rows.read(session, self.gateway.keys, scope)
        wanted = _wanted(session, scope, head.position)
        start = latest(session, bundle.office_id, until=min(wanted.values(), default=head.position) - 1)
        chain, entries = self._chain(session, bundle.office_id, wanted, start, head)
        signed = [UUID(entry["object_id"]) for entry in entries if entry["action"] == DECISION_SIGNED]
        material.rows["decision_signatures"] = bundle_rows.decision_signatures(
            session, scope, signed, material.rows["payments"]
        )
        material.rows["people"] = bundle_rows.people(session, _people_in(material.rows, entries))
        lists = exception_lists(
            {**material.rows, "entries": entries}, first_payment_above_cents=bundle.first_payment_above
        )
        drawn = sample(material.rows["payments"], seed=bundle.seed, size=bundle.sample_size)
        files = {
            **material.files,
            **{bundle_format.rows_file(name): bundle_format.lines(material.rows[name]) for name in bundle_format.ROWS},
            bundle_format.CHAIN: bundle_format.lines(chain),
            bundle_format.HEADS: bundle_format.lines(_heads(session, bundle.office_id, start, head)),
            bundle_format.VALUES: bundle_format.lines(_values(session, bundle.office_id, wanted)),
            bundle_format.LISTS: canonical_json(lists),
            bundle_format.SAMPLE: canonical_json({"seed": bundle.seed, "payment_ids": drawn}),
        }
        began = start.link_hash if start is not None else genesis(bundle.office_id)
        manifest = canonical_json(
            {
                "kind": bundle_format.KIND,
                "version": bundle_format.VERSION,
                "bundle_id": str(bundle.id),
                "office_id": str(bundle.office_id),
                "client_ids": [str(client_id) for client_id in bundle.client_ids],
                "from": bundle.from_date.isoformat(),
                "until": bundle.until_date.isoformat(),
                "requested_at": bundle.created_at.isoformat(),
                "public_key": self.gateway.keys.public_key.hex(),
                "start": {"position": start.position if start is not None else 0, "link": began.hex()},
                "head": _signed(head),
                "entries_in_full": len(entries),
                "seed": bundle.seed,
                "sample_size": bundle.sample_size,
                "first_payment_above": bundle.first_payment_above,
                "sums": bundle_format.sums(material.rows),
                "schema": bundle_rows.columns(),
                "not_included": list(bundle_format.NOT_INCLUDED),
                "files": bundle_format.described(files),
            }
        )
        signature = self.gateway.keys.sign(bundle_format.signed_bytes(manifest))
        files[bundle_format.MANIFEST] = manifest
        files[bundle_format.SIGNATURE] = signature.hex().encode() + b"\n"
        return bundle_format.packed(files), len(entries)

    def _chain(
        self,
        session: Session,
        office_id: UUID,
        wanted: dict[UUID, int],
        start: AuditCheckpoint | None,
        head: AuditCheckpoint,
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Every position from the start to the head: in full where wanted, else as a leaf. And the full entries."""
        mac = b""
        if start is not None:
            at_start = select(AuditEntry.mac).where(
                AuditEntry.office_id == office_id, AuditEntry.position == start.position
            )
            mac = session.exec(at_start).one()
        walk = self.gateway.audit.walk(office_id, after=start, mac=mac)
        query = (
            select(AuditEntry)
            .where(
                AuditEntry.office_id == office_id,
                col(AuditEntry.position) > walk.position,
                col(AuditEntry.position) <= head.position,
            )
            .order_by(col(AuditEntry.position))
            .execution_options(yield_per=1000)
        )
        rows, full = [], []
        with session.exec(query) as entries:
            for entry in entries:
                if not walk.step(entry):
                    raise AuditChainBroken(fault=walk.fault)
                row: dict[str, Any] = {"position": entry.position, "link": walk.link.hex()}
                if entry.id in wanted:
                    document = entry_document(entry)
                    full.append(document)
                    row |= {"entry": document, "mac": entry.mac.hex()}
                else:
                    row["leaf"] = _leaf_of(entry).hex()
                rows.append(row)
        if walk.link != head.link_hash:
            raise AuditChainBroken(fault=f"entry {head.position} is not the one that was signed")
        return rows, full

    def _end(
        self,
        office_id: UUID,
        bundle_id: UUID,
        content: bytes | None,
        *,
        head: AuditCheckpoint | None = None,
        entries: int | None = None,
        failure: str | None = None,
    ) -> AuditBundle:
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            bundle = _get(session, office_id, bundle_id, is_locked=True)
            if bundle.state != QUEUED:
                return bundle
            bundle.state, bundle.failure, bundle.finished_at = READY if content else FAILED, failure, act.now
            if content is not None:
                assert head is not None, "a bundle ends at a signed head"
                bundle.sha256, bundle.size = hashlib.sha256(content).hexdigest(), len(content)
                bundle.head_position, bundle.entries_count = head.position, entries
                session.add(
                    AuditBundleFile(
                        id=new_id(), office_id=office_id, bundle_id=bundle.id, content=content, sha256=bundle.sha256
                    )
                )
            session.add(bundle)
            self._record(session, act, "audit_bundle.made" if content else "audit_bundle.failed", bundle)
        return bundle

    def _record(self, session: Session, act: Act, action: str, bundle: AuditBundle) -> None:
        self.gateway.audit.record(
            session, act, action, "audit_bundle", bundle.id,
            client_id=bundle.client_ids[0] if len(bundle.client_ids) == 1 else None,
            changes={
                "client_ids": Change(None, list(bundle.client_ids)),
                "from_date": Change(None, bundle.from_date),
                "until_date": Change(None, bundle.until_date),
                "sha256": Change(None, bundle.sha256),
            },
        )  # fmt: skip


def _leaf_of(entry: AuditEntry) -> bytes:
    """What an entry adds to the chain, for those who may not see the entry."""
    return leaf(canonical(entry), entry.mac)


def _wanted(session: Session, scope: bundle_rows.Scope, until: int) -> dict[UUID, int]:
    """Entries about the clients in the period: id to position. Days are those of Brussels."""
    # A second factor belongs to a person, not to a client: its resets concern every client the person serves.
    people = select(Membership.user_id).where(
        Membership.office_id == scope.office_id,
        or_(col(Membership.client_id).in_(scope.client_ids), col(Membership.client_id).is_(None)),
    )
    query = select(AuditEntry.id, AuditEntry.position).where(
        AuditEntry.office_id == scope.office_id,
        or_(
            col(AuditEntry.client_id).in_(scope.client_ids),
            col(AuditEntry.action).in_(SECOND_FACTOR_RESETS) & col(AuditEntry.object_id).in_(people),
        ),
        col(AuditEntry.occurred_at) >= scope.since,
        col(AuditEntry.occurred_at) < scope.until,
        col(AuditEntry.position) <= until,
    )
    return dict(session.exec(query).all())


def _values(session: Session, office_id: UUID, wanted: dict[UUID, int]) -> list[dict[str, Any]]:
    """The values kept of these entries; erased ones are not there, their digests are."""
    rows: list[dict[str, Any]] = []
    ids = sorted(wanted)
    for start in range(0, len(ids), bundle_rows.CHUNK):
        query = select(AuditValue).where(
            AuditValue.office_id == office_id,
            col(AuditValue.entry_id).in_(ids[start : start + bundle_rows.CHUNK]),
        )
        rows.extend(
            {
                "position": wanted[value.entry_id],
                "field": value.field,
                "salt": value.salt.hex(),
                "old": value.old_value,
                "new": value.new_value,
            }
            for value in session.exec(query)
        )
    return sorted(rows, key=lambda row: (row["position"], row["field"]))


def _heads(
    session: Session, office_id: UUID, start: AuditCheckpoint | None, head: AuditCheckpoint
) -> list[dict[str, Any]]:
    query = (
        select(AuditCheckpoint)
        .where(
            AuditCheckpoint.office_id == office_id,
            col(AuditCheckpoint.position) >= (start.position if start is not None else 0),
            col(AuditCheckpoint.position) <= head.position,
        )
        .order_by(col(AuditCheckpoint.position))
    )
    return [_signed(checkpoint) for checkpoint in session.exec(query)]


def _signed(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    return {**head_of(checkpoint).document(), "signature": checkpoint.signature.hex()}


def _people_in(rows: dict[str, list[dict[str, Any]]], entries: list[dict[str, Any]]) -> set[UUID]:
    found = {entry["actor_id"] for entry in entries if entry["actor_kind"] == "user"}
    found |= {approval["user_id"] for approval in rows["approvals"]}
    found |= {export["created_by"] for export in rows["exports"]}
    found |= {version["created_by"] for version in rows["rule_versions"]}
    found |= {actor for payment in rows["payments"] for actor in payment["preparers"]}
    found |= {row["user_id"] for row in rows["decision_signatures"]}
    found |= {row["author_id"] for row in rows["address_changes"] if row["author_kind"] == "user"}
    found |= {row["decider_id"] for row in rows["address_changes"] if row["decider_id"] is not None}
    return {UUID(one) for one in found}


def _get(session: Session, office_id: UUID, bundle_id: UUID, *, is_locked: bool = False) -> AuditBundle:
    query = select(AuditBundle).where(AuditBundle.office_id == office_id, AuditBundle.id == bundle_id)
    found = session.exec(query.with_for_update() if is_locked else query).one_or_none()
    if found is None:
        raise NotFound
    return found


def day_of(bundle: AuditBundle) -> date:
    """The Brussels day a bundle was asked for; part of its file name."""
    return brussels_date(bundle.created_at)
