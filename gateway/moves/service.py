"""Carrying moves out: former offices are told, their accounts become read-only, and the chain goes on here (OFF-17).

Each office has its own unit of work; the former one first, whose frozen chain is then read as often as a crash makes
it necessary. Offices are looped over, as dispatchers do: no query crosses them (law 5).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlmodel import Session, col

from gateway.accounts.health import set_health
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.accounts.states import SyncHealth
from gateway.act import Act
from gateway.approvals.moving import MovingRules, moving_rules, put_moving_rules
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents import endings
from gateway.consents.repository import ConsentRepository
from gateway.consents.states import ConsentState
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole, Permission
from gateway.moves.errors import MoveByAdministrator, NothingToMove
from gateway.moves.models import TRANSITIONS, ClientMove, ClientMoveAccount, MoveState
from gateway.moves.repository import MoveRepository
from gateway.moves.requesting import check_day, request_move
from gateway.notices.outbox import queue_mail
from gateway.offices.models import Client, ClientState, Office
from gateway.offices.repository import ClientRepository, OfficeRepository
from gateway.offices.service import require_client, set_state
from gateway.pagination import PageRequest, Sort
from gateway.statements.chains import begun
from gateway.statements.models import StatementChain
from gateway.statements.proof import ONE_DAY
from gateway.statements.repository import StatementRepository
from gateway.statements.service import StatementService

ACCOUNT_MOVED: Final = "account_moved"

log = logging.getLogger("gateway.moves")


@dataclass(frozen=True, slots=True)
class Handover:
    """Where the former office's chain ended."""

    closed_until: date
    closing_balance: Decimal
    last_entry_date: date | None
    year: int
    number: int
    """Last number given in `year`; 0: none."""


@dataclass(frozen=True, slots=True)
class MoveView:
    """A move with its accounts."""

    move: ClientMove
    accounts: list[tuple[ClientMoveAccount, Account]]


class MoveService:
    """Moves of clients to an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def request(self, act: Act, client_id: UUID, *, move_on: date, with_rules: bool = False) -> MoveView:
        """The client's administrator moves every account that is connected here, with a fresh second factor.

        Raises `MoveByAdministrator`, `MoveDateInvalid`, `NothingToMove`, and what `require_client` raises.
        """
        act.require_fresh_second_factor()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CONSENTS_WRITE, is_change=True)
            check_day(move_on, act.today)
            if Permission.RULES_WRITE not in act.principal.client_permissions.get(client_id, frozenset()):
                raise MoveByAdministrator
            accounts = [
                locked
                for account in AccountRepository(session).of_client(act.office_id, client_id)
                if account.consent_id is not None
                and account.takes_over_on is None
                and (locked := AccountRepository(session).get(act.office_id, account.id, is_locked=True)) is not None
                and StatementRepository(session).chain(act.office_id, account.id) is None
            ]
            if not accounts:
                raise NothingToMove
            move = request_move(
                self.gateway, session, act, accounts,
                move_on=move_on, proof="administrator", chosen_by=act.principal.id, with_rules=with_rules,
            )  # fmt: skip
            return MoveView(move, list(MoveRepository(session).accounts(act.office_id, [move.id])))

    def page(self, act: Act, client_id: UUID, request: PageRequest) -> tuple[list[MoveView], str | None]:
        """Moves of a client, the newest first."""
        order = [Sort(col(ClientMove.id), lambda row: str(row.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.ACCOUNTS_READ)
            repository = MoveRepository(session)
            query = repository.of_client(act.office_id, client_id)
            rows, cursor = self.gateway.pager.page(session, query, order, request, name=f"moves:{client_id}")
            accounts = repository.accounts(act.office_id, [row.id for row in rows])
            return [MoveView(row, [pair for pair in accounts if pair[0].move_id == row.id]) for row in rows], cursor

    def run(self, office_id: UUID, move_id: UUID) -> bool:
        """Take a move as far as it goes today; whether it is done. Harmless to repeat."""
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            move = MoveRepository(session).get(office_id, move_id)
            mode = session.get_one(Office, office_id).mode
            pairs = MoveRepository(session).accounts(office_id, [move_id])
        if move is None or move.state is MoveState.DONE:
            return move is not None
        if act.today < move.move_on:
            if move.announced_at is None:
                for _row, account in pairs:
                    for former in self._others(office_id, mode):
                        self._announce(former, move, account)
                self._note_announced(act, move_id)
            return False
        for row, account in pairs:
            if row.done_at is None and self._is_ready(act, account):
                handover = None
                for former in self._others(office_id, mode):
                    handover = self._give_away(former, move, account) or handover
                self._take_over(act, row, account.id, handover)
                StatementService(self.gateway).close_days(office_id, account.id)
        rules = self._rules_of(self._others(office_id, mode), move, [account for _row, account in pairs])
        return self._finish(act, move_id, rules)

    # At the former office

    def _rules_of(self, others: Sequence[UUID], move: ClientMove, accounts: Sequence[Account]) -> list[MovingRules]:
        """The rules of the clients whose accounts this move took over, when the client wished them."""
        found = []
        for former_id in others if move.with_rules else ():
            with self.gateway.database.unit_of_work(former_id) as session:
                repository = MoveRepository(session)
                taken = (repository.taken(former_id, one.iban, one.currency, move_id=move.id) for one in accounts)
                clients = dict.fromkeys(account.client_id for account in taken if account is not None)
                found += [moving_rules(session, former_id, client_id) for client_id in clients]
        return found

    def _others(self, office_id: UUID, mode: str) -> list[UUID]:
        """Every other office of the same mode: a test never touches what is live."""
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session)
            found = [(other, offices.get(other)) for other in offices.all_ids() if other != office_id]
        return [other for other, office in found if office is not None and office.mode == mode]

    def _announce(self, former_id: UUID, move: ClientMove, account: Account) -> None:
        act = self.gateway.system_act(former_id)
        with self.gateway.database.unit_of_work(former_id) as session:
            former = MoveRepository(session).former(former_id, account.iban, account.currency, move_id=move.id)
            if former is None:
                return
            self.gateway.audit.record(
                session, act, "account.move_announced", "account", former.id,
                client_id=former.client_id, changes={"move_on": Change(None, move.move_on)},
            )  # fmt: skip
            self._tell(session, act, former, "account_moves", move)

    def _give_away(self, former_id: UUID, move: ClientMove, account: Account) -> Handover | None:
        """Make the former office's account read-only, once, and say where its chain ended."""
        act = self.gateway.system_act(former_id)
        with self.gateway.database.unit_of_work(former_id) as session:
            former = MoveRepository(session).former(former_id, account.iban, account.currency, move_id=move.id)
            if former is None:
                return None
            if former.moved_by is None:
                self._freeze(session, act, former, move)
            return _handover(session, former)

    def _freeze(self, session: Session, act: Act, former: Account, move: ClientMove) -> None:
        consent_id = former.consent_id
        former.moved_on, former.moved_by, former.consent_id = move.move_on, move.id, None
        former.is_default_debtor = False
        former.version += 1
        session.add(former)
        set_health(session, self.gateway.events, act, former, SyncHealth.ENDED, code=ACCOUNT_MOVED)
        self.gateway.audit.record(
            session, act, "account.moved_away", "account", former.id,
            client_id=former.client_id, changes={"moved_on": Change(None, move.move_on)},
        )  # fmt: skip
        session.flush()
        if consent_id is not None and not AccountRepository(session).of_consent(act.office_id, consent_id):
            consent = ConsentRepository(session).get(act.office_id, consent_id, is_locked=True)
            if consent is not None and consent.state == ConsentState.VALID:
                # This office's own permission, which reads nothing any more; the new office has its own.
                endings.revoke(self.gateway, session, act, consent)
        client = session.get(Client, former.client_id, with_for_update=True)
        assert client is not None, "an account belongs to a client"
        if client.state is not ClientState.CLOSED and not MoveRepository(session).stays(act.office_id, client.id):
            set_state(self.gateway, session, act, client, ClientState.CLOSED)
            endings.revoke_all(self.gateway, session, act, client.id)
        self._tell(session, act, former, "account_moved", move)

    def _tell(self, session: Session, act: Act, former: Account, template: str, move: ClientMove) -> None:
        """Every admin of the former office; it is told the day, and not to whom."""
        client = ClientRepository(session).get(act.office_id, former.client_id)
        assert client is not None, "an account belongs to a client"
        for role, user in IdentityRepository(session).members(act.office_id):
            if role.client_id is None and role.role == OfficeRole.ADMIN:
                queue_mail(
                    session, self.gateway, act.office_id, to=user.email, language=user.language, template=template,
                    parameters={"client": client.name, "day": f"{move.move_on:%d/%m/%Y}", "ending": former.iban[-4:]},
                    key=f"{template}:{move.id}:{former.id}:{user.id}",
                )  # fmt: skip

    # At the new office

    def _is_ready(self, act: Act, account: Account) -> bool:
        """The holder's authorisation holds, and the account was read here: later rows are told from earlier ones."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            if account.consent_id is None or account.fresh_as_of is None:
                return False
            consent = ConsentRepository(session).get(act.office_id, account.consent_id)
            return consent is not None and consent.state == ConsentState.VALID

    def _take_over(self, act: Act, row: ClientMoveAccount, account_id: UUID, handover: Handover | None) -> None:
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = AccountRepository(session).get(act.office_id, account_id, is_locked=True)
            assert account is not None, "accounts are not deleted"
            held = session.get_one(ClientMoveAccount, row.id, with_for_update=True)
            if held.done_at is not None:
                return
            held.done_at, account.takes_over_on = act.now, None
            statements = StatementRepository(session)
            chain = statements.chain(act.office_id, account.id)
            if handover is not None and (chain is None or chain.closed_until < handover.closed_until):
                account.statements_from = handover.closed_until + ONE_DAY
                session.add(_continued(act, chain or _new_chain(act, account, handover), handover))
                held.is_chain_continued = True
            account.version += 1
            session.add_all([held, account])
            self.gateway.audit.record(
                session, act, "account.taken_over", "account", account.id, client_id=account.client_id,
                changes={
                    "statements_from": Change(None, account.statements_from),
                    "last_balance": Change(None, handover.closing_balance if handover is not None else None),
                    "last_number": Change(
                        None, f"{handover.year}-{handover.number:03d}" if handover is not None else None
                    ),
                },
            )  # fmt: skip

    def _note_announced(self, act: Act, move_id: UUID) -> None:
        with self.gateway.database.unit_of_work(act.office_id) as session:
            move = MoveRepository(session).get(act.office_id, move_id, is_locked=True)
            assert move is not None, "moves are not deleted"
            move.announced_at = move.announced_at or act.now
            session.add(move)

    def _finish(self, act: Act, move_id: UUID, rules: Sequence[MovingRules]) -> bool:
        with self.gateway.database.unit_of_work(act.office_id) as session:
            repository = MoveRepository(session)
            move = repository.get(act.office_id, move_id, is_locked=True)
            assert move is not None, "moves are not deleted"
            if any(row.done_at is None for row, _account in repository.accounts(act.office_id, [move_id])):
                return False
            if move.state is not MoveState.DONE:
                assert MoveState.DONE in TRANSITIONS[move.state], "moves go along their life cycle"
                change = Change(move.state, MoveState.DONE)
                move.state, move.done_at = MoveState.DONE, act.now
                if move.with_rules:
                    move.rules = [
                        line
                        for moving in rules
                        for line in put_moving_rules(
                            self.gateway, session, act, move.client_id, moving, chosen_by=move.chosen_by
                        )
                    ]
                session.add(move)
                self.gateway.audit.record(
                    session, act, "client.move_done", "client_move", move.id,
                    client_id=move.client_id, changes={"state": change, "rules": Change(None, move.rules)},
                )  # fmt: skip
        return True

    def run_due(self, office_id: UUID) -> int:
        """Every open move of an office; how many are done now."""
        with self.gateway.database.unit_of_work(office_id) as session:
            found = MoveRepository(session).open_ids(office_id)
        return sum(self.run(office_id, move_id) for move_id in found)


def _handover(session: Session, former: Account) -> Handover | None:
    statements = StatementRepository(session)
    chain = statements.chain(former.office_id, former.id)
    if chain is None:
        return None
    # Numbers run per calendar year: those of the year in which the next file may fall, or of the one before.
    year = chain.closed_until.year
    number = statements.last_number(former.office_id, former.id, year)
    return Handover(chain.closed_until, chain.closing_balance, chain.last_entry_date, year, number)


def _new_chain(act: Act, account: Account, handover: Handover) -> StatementChain:
    return begun(
        account,
        basis="handed_over",
        balance=handover.closing_balance,
        first_date=handover.closed_until + ONE_DAY,
        closed_until=handover.closed_until,
        anchor_read_at=act.now,
        now=act.now,
    )


def _continued(act: Act, chain: StatementChain, handover: Handover) -> StatementChain:
    """The chain as it goes on where the former office's ended; what was read here before of earlier days was on it.

    Also for an account that comes back: its own chain is overtaken.
    """
    chain.first_date = handover.closed_until + ONE_DAY
    chain.anchor_date, chain.anchor_read_at = handover.closed_until, act.now
    chain.closed_until, chain.closing_balance = handover.closed_until, handover.closing_balance
    chain.last_entry_date = handover.last_entry_date
    chain.handed_year, chain.handed_number = handover.year, handover.number
    return chain
