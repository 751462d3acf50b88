"""Setting the pairs of an object in the unit of work that makes or changes it (API-06)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.audit.log import AuditLog, Change
from gateway.ids import new_id
from gateway.metadata.models import MetadataPair


@dataclass(frozen=True, slots=True)
class Holder:
    """The object that has the pairs: its table, its id and whose it is; a new one has none yet."""

    kind: str
    id: UUID
    client_id: UUID
    is_new: bool = False


def set_pairs(audit: AuditLog, session: Session, act: Act, holder: Holder, wanted: Mapping[str, str] | None) -> None:
    """Exactly these pairs; repeated, it changes nothing, and None leaves them as they are.

    The object's row is new or held, so that two such changes follow each other. No seal and no version of the object
    depends on its pairs.
    """
    if wanted is None or (holder.is_new and not wanted):
        return
    held = {} if holder.is_new else _held(session, act, holder)
    before = {key: pair.value for key, pair in held.items()}
    if before == dict(wanted):
        return
    for key in held.keys() - wanted.keys():
        session.delete(held[key])
    for key, value in wanted.items():
        if key in held:
            held[key].value = value
            session.add(held[key])
        else:
            session.add(
                MetadataPair(
                    id=new_id(),
                    office_id=act.office_id,
                    object_kind=holder.kind,
                    object_id=holder.id,
                    client_id=holder.client_id,
                    key=key,
                    value=value,
                )
            )
    audit.record(
        session, act, f"{holder.kind}.metadata_changed", holder.kind, holder.id, client_id=holder.client_id,
        changes={"metadata": Change(before, dict(wanted))},
    )  # fmt: skip


def _held(session: Session, act: Act, holder: Holder) -> dict[str, MetadataPair]:
    query = select(MetadataPair).where(
        MetadataPair.office_id == act.office_id,
        MetadataPair.object_kind == holder.kind,
        MetadataPair.object_id == holder.id,
    )
    return {pair.key: pair for pair in session.exec(query.order_by(col(MetadataPair.key)))}
