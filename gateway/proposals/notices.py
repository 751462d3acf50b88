"""Mail about changes of rights and rules: to who can confirm one, and to who could object to a lone one (APP-12)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session

from gateway.assembly import Gateway
from gateway.i18n import translate
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import ClientRole, OfficeRole
from gateway.notices.outbox import queue_mail
from gateway.offices.models import Client, Office
from gateway.proposals.models import Proposal
from gateway.web.formats import moment
from gateway.web.labels import label

TOLD: dict[bool, frozenset[str]] = {
    True: frozenset({ClientRole.ADMINISTRATOR, ClientRole.APPROVER}),
    False: frozenset({OfficeRole.ADMIN, ClientRole.ADMINISTRATOR, ClientRole.APPROVER}),
}
"""Roles told of a change at a client (True), and of one at the office, which concerns every client."""


def tell_of_lone(gateway: Gateway, session: Session, proposal: Proposal) -> None:
    """Mail approvers and administrators that it takes effect by itself, and when; the proposer too.

    For a change at a client the office's admins are told as well: with one administrator they are who can step in.
    """
    assert proposal.effective_at is not None, "it waits"
    people = IdentityRepository(session)
    proposer = people.user(proposal.proposer_id)
    office = session.get_one(Office, proposal.office_id)
    client = session.get_one(Client, proposal.client_id) if proposal.client_id is not None else None
    assert proposer is not None, "a person proposed it"
    is_at_client = client is not None
    told = {
        user.id: user
        for membership, user in people.members(proposal.office_id, client_id=proposal.client_id)
        if membership.role in TOLD[is_at_client]
    }
    for user_id in people.holders(proposal.office_id, OfficeRole.ADMIN):
        told[user_id] = people.user(user_id) or proposer
    for user_id, user in sorted(told.items()):
        queue_mail(
            session, gateway, proposal.office_id, to=user.email, language=user.language, template="lone_proposal",
            parameters={
                "place": client.name if client is not None else office.name,
                "person": f"{proposer.first_name} {proposer.last_name}",
                "what": translate(user.language, label("proposal", proposal.kind)),
                "moment": moment(proposal.effective_at),
                "url": gateway.settings.base_url.rstrip("/") + "/people",
            },
            key=f"lone-proposal:{proposal.id}:{user_id}",
        )  # fmt: skip


def tell_of_waiting(gateway: Gateway, session: Session, proposal: Proposal, deciders: Collection[UUID]) -> None:
    """Mail those who can confirm it that it waits for one of them."""
    people = IdentityRepository(session)
    proposer = people.user(proposal.proposer_id)
    office = session.get_one(Office, proposal.office_id)
    client = session.get_one(Client, proposal.client_id) if proposal.client_id is not None else None
    assert proposer is not None, "a person proposed it"
    for user_id in sorted(deciders):
        user = people.user(user_id)
        if user is None:
            continue
        queue_mail(
            session, gateway, proposal.office_id, to=user.email, language=user.language, template="waiting_proposal",
            parameters={
                "place": client.name if client is not None else office.name,
                "person": f"{proposer.first_name} {proposer.last_name}",
                "what": translate(user.language, label("proposal", proposal.kind)),
                "moment": moment(proposal.expires_at),
                "url": gateway.settings.base_url.rstrip("/") + "/people",
            },
            key=f"waiting-proposal:{proposal.id}:{user_id}",
        )  # fmt: skip
