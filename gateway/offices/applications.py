"""Applying the template to clients that are there: only to those selected, one by one, with a result each (OFF-01).

Approval rules take two people: a proposal per client that its administrator confirms, the office's admins where the
client has none (APP-12). A destination waits for its confirmation (DEL-13).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.approvals.copying import has_rules, put_rules
from gateway.approvals.errors import CatchAllNeeded
from gateway.approvals.guard import held_settings
from gateway.approvals.models import ApprovalSettings
from gateway.approvals.repository import ApprovalRepository
from gateway.approvals.rulebook import Rulebook
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, GatewayError, InputError, StaleError
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import ClientRole, Permission
from gateway.offices.copying import present_template
from gateway.offices.models import Client, ClientSettings, Service
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_client, require_open
from gateway.offices.settings import changed, default_settings, set_settings
from gateway.offices.switches import ClientSwitches, switch_client
from gateway.offices.template import Part, Template, rules_document, rules_of
from gateway.profiles.models import ClientProfile
from gateway.profiles.records import wait_for_addresses
from gateway.proposals.kinds import Kind, Wish, administrators
from gateway.proposals.models import Proposal
from gateway.proposals.service import ProposalService

RULES_KIND: Final = "client.template_rules"


@dataclass(slots=True)
class ClientOutcome:
    """What became of one client."""

    client_id: UUID
    changed: list[Part] = field(default_factory=list)
    proposal: Proposal | None = None
    """Rules that wait for the second person, or took effect where there is nobody else yet."""
    is_destination_waiting: bool = False
    error: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class _Order:
    parts: Collection[Part]
    template: Template
    version: int


class TemplateApplicationService:
    """Brings selected clients to the template as it is now."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def apply(
        self, act: Act, client_ids: Sequence[UUID], parts: Collection[Part], *, version: int, is_dry_run: bool = False
    ) -> list[ClientOutcome]:
        """One outcome per client, in their order; what is refused at one keeps no other waiting.

        `version` is the template the user saw. A dry run says what would change. Raises `StaleError`.
        """
        act.require(Permission.ADMIN)
        if Part.APPROVAL_RULES in parts or (Part.DELIVERY in parts and act.principal.is_person):
            act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            template, present = present_template(session, act.office_id)
        if present != version:
            raise StaleError
        return [
            self._apply_one(act, client_id, _Order(parts, template, present), is_dry_run=is_dry_run)
            for client_id in dict.fromkeys(client_ids)
        ]

    def _apply_one(self, act: Act, client_id: UUID, order: _Order, *, is_dry_run: bool) -> ClientOutcome:
        outcome = ClientOutcome(client_id)
        try:
            with self.gateway.database.unit_of_work(act.office_id) as session:
                client = require_client(session, act, client_id, Permission.CLIENTS_WRITE, is_change=True)
                session.refresh(client, with_for_update=True)
                needs_rules = self._write(session, act, client, order, outcome)
                if is_dry_run:
                    raise _DryRun
            if needs_rules:
                content = {"template_version": order.version, "rules": rules_document(order.template.rules)}
                outcome.proposal = ProposalService(self.gateway).propose(
                    act, RULES_KIND, client_id, content, client_id=client_id
                )
        except _DryRun:
            pass
        except GatewayError as error:
            outcome.error = error
        return outcome

    def _write(self, session: Session, act: Act, client: Client, order: _Order, outcome: ClientOutcome) -> bool:
        """Write everything but the rules; says whether those differ."""
        template, parts = order.template, order.parts
        settings = session.get(ClientSettings, client.id) or default_settings(act, client.id)
        if Part.SERVICES in parts:
            before = client.version
            wish = {**template.switches, "services": frozenset(Service(name) for name in template.services)}
            switch_client(self.gateway, session, act, client, ClientSwitches(**wish))
            if client.version != before:
                outcome.changed.append(Part.SERVICES)
        if Part.DELIVERY in parts:
            self._deliver(session, act, client, template, outcome)
        for part, wanted in ((Part.NUMBERING, template.numbering), (Part.REMINDERS, template.reminders)):
            if part in parts and set_settings(self.gateway, session, act, settings, wanted):
                outcome.changed.append(part)
        if settings.version:
            settings.template_version = order.version
            session.add(settings)
        needs_rules = Part.APPROVAL_RULES in parts and not has_rules(session, act.office_id, client.id, template.rules)
        if needs_rules:
            outcome.changed.append(Part.APPROVAL_RULES)
        return needs_rules

    def _deliver(self, session: Session, act: Act, client: Client, template: Template, outcome: ClientOutcome) -> None:
        profile = session.get(ClientProfile, client.id) or ClientProfile(
            client_id=client.id, office_id=act.office_id, updated_at=act.now
        )
        changes = changed(profile, template.delivery)
        if not changes:
            return
        if changes.keys() & {"delivery", "destination"} and profile.destination_confirmed_at is not None:
            changes["destination_confirmed_at"] = Change(profile.destination_confirmed_at, None)
            profile.destination_confirmed_at = None
        profile.updated_at = act.now
        session.add(profile)
        self.gateway.audit.record(
            session, act, "client.changed", "client", client.id, client_id=client.id, changes=changes
        )
        session.flush()
        wait_for_addresses(self.gateway, session, act, profile, changes)
        outcome.changed.append(Part.DELIVERY)
        outcome.is_destination_waiting = profile.destination is not None and profile.destination_confirmed_at is None


class _DryRun(Exception):
    """Rolls a unit of work back."""


class TemplateRules(Kind):
    """Give a client the approval rules of the office's template. The object is the client.

    An admin of the office proposes; a client with an administrator of its own is changed by that person's confirmation.
    """

    object_kind = "client"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The rules are those of the template now."""
        if wish.client_id != wish.object_id:
            raise InputError(faults=[FieldFault("/client_id", "client_not_found", "There is no such client.")])
        require_client(session, act, wish.object_id, Permission.CLIENTS_READ, is_change=True)
        template, version = present_template(session, act.office_id)
        if dict(wish.content) != {"template_version": version, "rules": rules_document(template.rules)}:
            raise InputError(
                faults=[FieldFault("/content", "content_invalid", "These are not the rules of the template.")]
            )
        act.principal.require_for_office(Permission.ADMIN)
        return {**wish.content, "proposer_id": str(act.principal.id)}

    def deciders(self, session: Session, act: Act, wish: Wish) -> set[UUID]:
        """The client's administrators and who proposed it; without one, the office's admins."""
        own = IdentityRepository(session).holders(act.office_id, ClientRole.ADMINISTRATOR, client_id=wish.client_id)
        if not own:
            return administrators(session, act.office_id, wish.client_id)
        proposer = wish.content.get("proposer_id")
        return own | ({UUID(proposer)} if proposer else set())

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """The rules are in force for payments submitted from now on."""
        client = ClientRepository(session).get(proposal.office_id, proposal.object_id)
        assert client is not None, "clients are never deleted"
        require_open(client)
        settings = held_settings(session, act, client.id)
        had_catch_all = _has_catch_all(session, settings)
        put_rules(gateway, session, act, settings, rules_of(proposal.content["rules"]))
        session.flush()
        if settings.is_payment_process_on and had_catch_all and not _has_catch_all(session, settings):
            raise CatchAllNeeded


KINDS: Final[Mapping[str, Kind]] = {RULES_KIND: TemplateRules()}


def _has_catch_all(session: Session, settings: ApprovalSettings) -> bool:
    rows = ApprovalRepository(session).versions(settings.office_id, [settings.client_id]).get(settings.client_id, [])
    return any(rule.is_catch_all for rule in Rulebook(rows).in_force(settings.rules_revision))
