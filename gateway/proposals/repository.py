"""Queries on proposals."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from gateway.payments.queries import within
from gateway.proposals.models import Proposal
from gateway.proposals.states import ProposalState


class ProposalRepository:
    """Each query takes the office first."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, office_id: UUID, proposal_id: UUID, *, for_update: bool = False) -> Proposal | None:
        """One proposal; as it is now when it is locked."""
        query = select(Proposal).where(Proposal.office_id == office_id, Proposal.id == proposal_id)
        if for_update:
            query = query.with_for_update()
        return self.session.exec(query).one_or_none()

    def visible(
        self, office_id: UUID, *, clients: frozenset[UUID] | None, is_office_shown: bool, proposer_id: UUID
    ) -> SelectOfScalar[Proposal]:
        """Query over the proposals of these clients (all when None), of the office when shown, and of the person."""
        query = select(Proposal).where(Proposal.office_id == office_id)
        of_clients = (
            col(Proposal.client_id).is_not(None) if clients is None else within(Proposal.client_id, sorted(clients))
        )
        shown: list[ColumnElement[bool]] = [of_clients, col(Proposal.proposer_id) == proposer_id]
        if is_office_shown:
            shown.append(col(Proposal.client_id).is_(None))
        return query.where(or_(*shown))

    def due(self, office_id: UUID, *, now: datetime) -> list[UUID]:
        """Open proposals that take effect or expire by now."""
        query = (
            select(Proposal.id)
            .where(
                Proposal.office_id == office_id,
                Proposal.state == ProposalState.PROPOSED,
                or_(col(Proposal.expires_at) <= now, col(Proposal.effective_at) <= now),
            )
            .order_by(col(Proposal.id))
        )
        return list(self.session.exec(query))
