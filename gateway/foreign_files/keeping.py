"""Keeping foreign files: whose account they are of, their bytes, and what their statements say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.foreign_files.models import ForeignFile, ForeignStatement
from gateway.foreign_files.reading import Facts, FileFault, FileUnusable, SentFile, facts_in
from gateway.foreign_files.repository import ForeignFileRepository
from gateway.ids import new_id
from gateway.offices.models import Client


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file and its statements."""

    file: SentFile
    statements: Sequence[Facts]


def read_all(files: Sequence[SentFile]) -> tuple[list[ReadFile], list[FileFault]]:
    """Every file that can be read, and why the others cannot."""
    found: list[ReadFile] = []
    faults: list[FileFault] = []
    for file in files:
        try:
            found.append(ReadFile(file, facts_in(file)))
        except FileUnusable as error:
            faults.append(error.fault)
    return found, faults


def own_files(
    files: Sequence[ReadFile], own: Set[str], *, wanted: str | None = None
) -> tuple[list[ReadFile], list[FileFault]]:
    """The files that speak of the client's accounts alone, or of the one wanted; the others are refused.

    A fault names accounts by their last four digits, and never whose another one is.
    """
    allowed = own if wanted is None else own & {wanted}
    found: list[ReadFile] = []
    faults: list[FileFault] = []
    for read in files:
        strange = next((facts.iban for facts in read.statements if facts.iban not in allowed), None)
        if strange is None:
            found.append(read)
            continue
        expected = ", ".join(sorted(f"…{iban[-4:]}" for iban in allowed)) or "–"
        faults.append(FileFault("wrong_account", read.file.name or "", f"…{strange[-4:]}", expected))
    return found, faults


def keep(
    gateway: Gateway, session: Session, act: Act, client_id: UUID, files: Sequence[ReadFile]
) -> Mapping[str, UUID]:
    """Store what was not stored before; the id of each file by SHA-256."""
    # Two who send the same file at once follow one another; the second one finds it kept.
    session.get(Client, client_id, with_for_update=True)
    digests = {read.file.sha256: read for read in files}
    kept = ForeignFileRepository(session).kept(act.office_id, client_id, digests)
    fresh = [read for digest, read in digests.items() if digest not in kept]
    made: list[tuple[ForeignFile, ReadFile]] = [
        (
            ForeignFile(
                id=new_id(),
                office_id=act.office_id,
                client_id=client_id,
                format="coda",
                name=read.file.name,
                content=read.file.content,
                sha256=read.file.sha256,
                creator_kind=act.principal.kind,
                creator_id=act.principal.id,
                created_at=act.now,
            ),
            read,
        )
        for read in fresh
    ]
    session.add_all(file for file, _ in made)
    session.flush()
    session.add_all(_row(file, facts) for file, read in made for facts in read.statements)
    session.flush()
    if made:
        gateway.audit.record(
            session, act, "client.foreign_files_added", "client", client_id, client_id=client_id,
            changes={"files": Change(None, len(made)), "digests": Change(None, [file.sha256 for file, _ in made])},
        )  # fmt: skip
    return {**kept, **{file.sha256: file.id for file, _ in made}}


def _row(file: ForeignFile, facts: Facts) -> ForeignStatement:
    link = facts.link
    return ForeignStatement(
        id=new_id(),
        office_id=file.office_id,
        client_id=file.client_id,
        file_id=file.id,
        position=link.position,
        iban=facts.iban,
        currency=link.currency,
        coda_number=link.number,
        paper_number=link.paper_number,
        opening_date=link.opening_date,
        opening_balance=link.opening,
        closing_date=facts.closing_date,
        closing_balance=link.closing,
        entries_count=facts.entries_count,
    )
