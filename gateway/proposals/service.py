"""Rules of acts that take two people (APP-12, OFF-03, SEC-02, SEC-13)."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import GatewayError, InvalidTransition, RightsError
from gateway.identity.rights import Permission, PrincipalKind
from gateway.ids import new_id
from gateway.offices.repository import ClientRepository, OfficeRepository
from gateway.offices.service import refuse_closed
from gateway.pagination import PageRequest, Sort
from gateway.payments.queries import one_of
from gateway.proposals import kinds
from gateway.proposals.errors import (
    ProposalDecided,
    ProposalExists,
    ProposalNotFound,
    SecondPersonMissing,
    SecondPersonRequired,
)
from gateway.proposals.kinds import Kind, Wish
from gateway.proposals.models import Proposal
from gateway.proposals.notices import tell_of_lone, tell_of_waiting
from gateway.proposals.repository import ProposalRepository
from gateway.proposals.states import TRANSITIONS, ProposalState

LIFE: Final = timedelta(days=14)
"""Nobody decides on something proposed longer ago."""
SUCCESSION: Final = "succession"
"""In the content of what follows a legal event by itself: two people wanted it (OFF-16)."""

log = logging.getLogger("gateway.proposals")


class ProposalService:
    """Proposing, confirming, withdrawing."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def propose(
        self, act: Act, kind: str, object_id: UUID, content: Mapping[str, Any], *, client_id: UUID | None = None
    ) -> Proposal:
        """Ask for something that takes two; it waits for another person with the right.

        Where there is nobody else, it takes effect after `Kind.lone_wait`, or at once before the client's first
        submission. Raises `PersonRequired`, `SecondFactorRequired`, `RightsError`, `ProposalKindUnknown`,
        `ProposalExists`, `SecondPersonMissing`, and what the kind refuses.
        """
        act.require_fresh_second_factor()
        chosen = kinds.kind_of(kind)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            OfficeRepository(session).hold(act.office_id)
            refuse_closed(session, act, client_id)
            wish = Wish(object_id, client_id, content)
            wish = Wish(object_id, client_id, chosen.check(session, act, wish))
            deciders = chosen.deciders(session, act, wish)
            if act.principal.id not in deciders:
                raise RightsError
            proposal = self._add(session, act, kind, wish)
            act.note_decider(proposal.id)
            if deciders == {act.principal.id}:
                self._alone(session, act, chosen, proposal)
            else:
                tell_of_waiting(self.gateway, session, proposal, deciders - {act.principal.id})
        return proposal

    def confirm(self, act: Act, proposal_id: UUID) -> Proposal:
        """Let it take effect, as another person than the one who proposed it.

        Raises `ProposalNotFound`, `ProposalDecided`, `SecondPersonRequired`, `RightsError`, and what the kind refuses.
        """
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            # Two confirmations, or a confirmation and the end of the confirmer's own role, follow one another here.
            OfficeRepository(session).hold(act.office_id)
            proposal = self._visible(session, act, proposal_id, for_update=True)
            refuse_closed(session, act, proposal.client_id)
            self._require_open(act, proposal)
            if proposal.proposer_id == act.principal.id:
                raise SecondPersonRequired
            chosen = kinds.kind_of(proposal.kind)
            if act.principal.id not in chosen.deciders(session, act, kinds.wish_of(proposal)):
                raise RightsError
            act.note_decider(proposal.id)
            self._take_effect(session, act, chosen, proposal)
        return proposal

    def withdraw(self, act: Act, proposal_id: UUID) -> Proposal:
        """End a proposal without effect: the person who made it, or one who could have confirmed it."""
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            proposal = self._visible(session, act, proposal_id, for_update=True)
            refuse_closed(session, act, proposal.client_id)
            self._require_open(act, proposal)
            if proposal.proposer_id != act.principal.id:
                deciders = kinds.kind_of(proposal.kind).deciders(session, act, kinds.wish_of(proposal))
                if act.principal.id not in deciders:
                    raise RightsError
                act.note_decider(proposal.id)
            self._step(session, act, proposal, ProposalState.WITHDRAWN)
        return proposal

    def get(self, act: Act, proposal_id: UUID) -> Proposal:
        """One proposal; raises `ProposalNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self._visible(session, act, proposal_id)

    def page(
        self,
        act: Act,
        request: PageRequest,
        *,
        state: ProposalState | None = None,
        client_id: UUID | None = None,
        only: Collection[str] = (),
    ) -> tuple[list[Proposal], str | None]:
        """Proposals the caller may see, the newest first; of one client and of these kinds, when they are named."""
        act.require(Permission.USERS_READ)
        order = [Sort(col(Proposal.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            query = ProposalRepository(session).visible(
                act.office_id,
                clients=act.principal.visible_clients(Permission.USERS_READ),
                is_office_shown=Permission.ADMIN in act.principal.office_permissions,
                proposer_id=act.principal.id,
            )
            if state is not None:
                query = query.where(Proposal.state == state)
            if client_id is not None:
                query = query.where(Proposal.client_id == client_id)
            if only:
                query = query.where(one_of(Proposal.kind, sorted(only)))
            name = f"proposals:{act.office_id}:{state}:{client_id}:{','.join(sorted(only))}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def can_confirm(self, act: Act, proposal: Proposal) -> bool:
        """Whether the caller is the other person this proposal waits for."""
        if proposal.state is not ProposalState.PROPOSED or proposal.proposer_id == act.principal.id:
            return False
        with self.gateway.database.unit_of_work(act.office_id) as session:
            deciders = kinds.kind_of(proposal.kind).deciders(session, act, kinds.wish_of(proposal))
        return act.principal.is_person and act.principal.id in deciders

    def require_decider(self, act: Act, proposal_id: UUID) -> None:
        """Raise what the caller would meet now who proposed, confirmed or refused this before (SEC-15).

        An admin of the office may have decided for a client that got its first administrator by that very decision.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            proposal = self._visible(session, act, proposal_id)
            deciders = kinds.kind_of(proposal.kind).deciders(session, act, kinds.wish_of(proposal))
        if act.principal.id not in deciders and Permission.ADMIN not in act.principal.office_permissions:
            raise RightsError

    def run_due(self, office_id: UUID) -> int:
        """Let what waited long enough take effect, and end what nobody decided; returns how many ended.

        Each has its own unit of work: one that is refused now, because the state changed, expires and says why.
        """
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            due = ProposalRepository(session).due(office_id, now=act.now)
        for proposal_id in due:
            try:
                self._run(act, proposal_id)
            except GatewayError as error:
                log.info("proposal refused", extra={"proposal_id": str(proposal_id), "code": error.code})
                self._run(act, proposal_id, is_refused=True)
        return len(due)

    def _run(self, act: Act, proposal_id: UUID, *, is_refused: bool = False) -> None:
        with self.gateway.database.unit_of_work(act.office_id) as session:
            OfficeRepository(session).hold(act.office_id)
            proposal = ProposalRepository(session).get(act.office_id, proposal_id, for_update=True)
            if proposal is None or proposal.state is not ProposalState.PROPOSED:
                return
            is_effective = proposal.effective_at is not None and proposal.effective_at <= act.now
            if is_effective and not is_refused:
                refuse_closed(session, act, proposal.client_id)
                chosen = kinds.kind_of(proposal.kind)
                self._require_right(session, act, chosen, proposal)
                self._take_effect(session, act, chosen, proposal)
            else:
                self._step(session, act, proposal, ProposalState.EXPIRED)

    def _require_right(self, session: Session, act: Act, kind: Kind, proposal: Proposal) -> None:
        """Raise `RightsError` when whoever waited alone has lost the right meanwhile, such as by a legal event.

        A successor was agreed on by two people of the office, whoever of them is still there.
        """
        if proposal.content.get(SUCCESSION):
            return
        if proposal.proposer_id not in kind.deciders(session, act, kinds.wish_of(proposal)):
            raise RightsError

    def _add(self, session: Session, act: Act, kind: str, wish: Wish) -> Proposal:
        content = dict(wish.content)
        proposal = Proposal(
            id=new_id(),
            office_id=act.office_id,
            kind=kind,
            object_id=wish.object_id,
            client_id=wish.client_id,
            content=content,
            fingerprint=content_fingerprint(wish.client_id, content),
            state=ProposalState.PROPOSED,
            proposer_id=act.principal.id,
            created_at=act.now,
            expires_at=act.now + LIFE,
        )
        try:
            with session.begin_nested():
                session.add(proposal)
                session.flush()
        except IntegrityError as error:
            raise ProposalExists from error
        self._record(session, act, proposal, "proposal.created", Change(None, ProposalState.PROPOSED))
        return proposal

    def _alone(self, session: Session, act: Act, kind: Kind, proposal: Proposal) -> None:
        """There is nobody else: wait, or go on where no payment was ever submitted (APP-12)."""
        if kind.lone_wait is None:
            raise SecondPersonMissing
        if not kinds.has_submitted(session, act.office_id, proposal.client_id):
            self._take_effect(session, act, kind, proposal)
            return
        proposal.effective_at = act.now + kind.lone_wait
        session.add(proposal)
        tell_of_lone(self.gateway, session, proposal)

    def _take_effect(self, session: Session, act: Act, kind: Kind, proposal: Proposal) -> None:
        kind.apply(self.gateway, session, act, proposal)
        if act.principal.is_person and act.principal.id != proposal.proposer_id:
            proposal.confirmer_id = act.principal.id
        self._step(session, act, proposal, ProposalState.CONFIRMED)

    def _step(self, session: Session, act: Act, proposal: Proposal, wanted: ProposalState) -> None:
        if wanted not in TRANSITIONS[proposal.state]:
            raise InvalidTransition(state=proposal.state, wanted=wanted)
        change = Change(proposal.state, wanted)
        proposal.state, proposal.decided_at = wanted, act.now
        session.add(proposal)
        self._record(session, act, proposal, f"proposal.{wanted}", change)

    def _record(self, session: Session, act: Act, proposal: Proposal, action: str, state: Change) -> None:
        changes = {"state": state}
        if state.old is None:
            changes |= {"kind": Change(None, proposal.kind), "content": Change(None, proposal.content)}
        self.gateway.audit.record(
            session, act, action, "proposal", proposal.id, client_id=proposal.client_id, changes=changes,
            second_factor=act.second_factor,
        )  # fmt: skip

    def _require_open(self, act: Act, proposal: Proposal) -> None:
        if proposal.state is not ProposalState.PROPOSED or proposal.expires_at <= act.now:
            raise ProposalDecided

    def _visible(self, session: Session, act: Act, proposal_id: UUID, *, for_update: bool = False) -> Proposal:
        proposal = ProposalRepository(session).get(act.office_id, proposal_id, for_update=for_update)
        if proposal is None:
            raise ProposalNotFound
        principal = act.principal
        if principal.kind is PrincipalKind.SYSTEM or proposal.proposer_id == principal.id:
            return proposal
        if proposal.client_id is None:
            is_shown = Permission.ADMIN in principal.office_permissions
        else:
            granted = ClientRepository(session).get_granted(act.office_id, proposal.client_id, today=act.today)
            is_shown = granted is not None and principal.allows(Permission.USERS_READ, proposal.client_id)
        if not is_shown:
            raise ProposalNotFound
        return proposal


def content_fingerprint(client_id: UUID | None, content: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of client and content: what makes two open proposals on one object the same."""
    text = json.dumps([str(client_id), dict(content)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
