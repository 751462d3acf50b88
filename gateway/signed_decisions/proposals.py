"""The amount from which decisions are signed: changed by two administrators (SEC-04, APP-12)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from sqlmodel import Session, select

from gateway.act import Act
from gateway.approvals.guard import require_rules_change
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import FieldFault, InputError
from gateway.ids import new_id
from gateway.proposals.kinds import Kind, Wish
from gateway.proposals.models import Proposal
from gateway.signed_decisions.models import SigningLimit

LIMIT_KIND: Final = "signing_limit.set"
AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")


class SigningLimitSet(Kind):
    """Set or lift the amount. The object is the client, which stands beside it too; content `{"amount": "5000.00"}`."""

    object_kind = "client"

    def check(self, session: Session, act: Act, wish: Wish) -> Mapping[str, Any]:
        """An amount in euro, or null."""
        if wish.client_id != wish.object_id:
            raise InputError(faults=[FieldFault("/client_id", "client_not_found", "There is no such client.")])
        require_rules_change(session, act, wish.object_id)
        amount = wish.content.get("amount")
        is_amount = amount is None or (isinstance(amount, str) and AMOUNT.fullmatch(amount) is not None)
        if set(wish.content) != {"amount"} or not is_amount:
            raise InputError(faults=[FieldFault("/content/amount", "amount_invalid", "This is not an amount in euro.")])
        return {"amount": amount}

    def apply(self, gateway: Gateway, session: Session, act: Act, proposal: Proposal) -> None:
        """It holds for decisions from now on."""
        query = select(SigningLimit).where(
            SigningLimit.office_id == proposal.office_id, SigningLimit.client_id == proposal.object_id
        )
        row = session.exec(query.with_for_update()).one_or_none() or SigningLimit(
            id=new_id(), office_id=proposal.office_id, client_id=proposal.object_id, changed_at=act.real_now
        )
        text = proposal.content["amount"]
        amount = Decimal(text) if text is not None else None
        gateway.audit.record(
            session, act, "signing_limit.changed", "client", proposal.object_id, client_id=proposal.object_id,
            changes={"amount": Change(row.amount, amount)}, second_factor=act.second_factor,
        )  # fmt: skip
        row.amount, row.changed_at = amount, act.real_now
        session.add(row)


KINDS: Final[Mapping[str, Kind]] = {LIMIT_KIND: SigningLimitSet()}
