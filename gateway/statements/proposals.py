"""What two people of the office decide about statements (STA-03, STA-23)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.client_groups.repository import ClientGroupRepository
from gateway.errors import FieldFault, InputError
from gateway.identity.repository import IdentityRepository
from gateway.identity.rights import OfficeRole
from gateway.ids import encode
from gateway.proposals.kinds import Kind, Wish
from gateway.proposals.models import Proposal
from gateway.statements import refusals, reissuing, restarts
from gateway.statements.documents import document_by_id
from gateway.statements.repository import StatementRepository

AMOUNT: Final = re.compile(r"-?\d{1,12}\.\d{2,3}")


class OfficeKind(Kind):
    """Decided by two of the office's admins and staff; a client's own people and machines decide none of it."""

    lone_wait = None

    def deciders(self, session: Session, act: Act, wish: Wish) -> set[UUID]:
        """The office's people who reach the client."""
        people, groups = IdentityRepository(session), ClientGroupRepository(session)
        found = people.holders(act.office_id, OfficeRole.ADMIN)
        for user_id in people.holders(act.office_id, OfficeRole.STAFF) - found:
            reach = groups.reach(act.office_id, user_id)
            if reach is None or wish.client_id in reach:
                found.add(user_id)
        return found


class ChainRestartKind(OfficeKind):
    """The object is the account; content `{document_id, document_sha256, day, balance}`."""

    object_kind = "account"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The document is the account's, and the day one that waits."""
        content = wish.content
        account = restarts.account_to_restart(session, act, wish.object_id)
        require_at(wish, account.client_id)
        try:
            day, document_id = date.fromisoformat(content["day"]), UUID(content["document_id"])
            is_amount = AMOUNT.fullmatch(content["balance"]) is not None
        except (KeyError, TypeError, ValueError):
            raise content_fault() from None
        document = document_by_id(session, act.office_id, document_id)
        if not is_amount or document is None or document.account_id != account.id:
            raise content_fault()
        restarts.check_day(StatementRepository(session).chain(act.office_id, account.id), account, day)
        return {
            "document_id": str(document_id),
            "document_sha256": document.document_sha256,
            "day": day.isoformat(),
            "balance": content["balance"],
        }

    def shown(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """With a typed id."""
        return {**content, "document_id": encode("bank_document", UUID(content["document_id"]))}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """The chain goes on from the balance of the document."""
        restarts.restart(gateway, session, act, proposal)


class WithdrawalKind(OfficeKind):
    """The object is the first statement that is in no package; content `{next_number}`, null where numbers stay."""

    object_kind = "statement"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """The file was refused, and the number can be."""
        statement = refusals.issued_statement(session, act, wish.object_id)
        require_at(wish, statement.client_id)
        number = wish.content.get("next_number")
        if set(wish.content) - {"next_number"} or not (number is None or type(number) is int):
            raise content_fault()
        files = refusals.check_withdrawal(session, statement, number)
        return {"next_number": number, "files": len(files), "until": files[-1].day.isoformat()}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """Withdrawn, and issued anew."""
        reissuing.reissue(gateway, session, act, proposal)


KINDS: Final[Mapping[str, Kind]] = {restarts.KIND: ChainRestartKind(), refusals.KIND: WithdrawalKind()}


def require_at(wish: Wish, client_id: UUID) -> None:
    """The proposal stands at the client it is about; raises `InputError`."""
    if wish.client_id != client_id:
        raise InputError(faults=[FieldFault("/client_id", "client_not_found", "There is no such client.")])


def content_fault() -> InputError:
    """The content is not that of the kind."""
    return InputError(faults=[FieldFault("/content", "content_invalid", "This is not the content of this kind.")])
