"""Which of the accounts a bank offers are connected (CON-08), and what becomes of an older consent (CON-11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors.model import Account as BankAccount
from connectors.model import AccountKind, PsuContext
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents import endings, proof, renewing
from gateway.consents.connecting import connect_one
from gateway.consents.errors import AccountNotFitting, AccountTypeNotSupported, ChoiceEmpty
from gateway.consents.evidence import keep_evidence
from gateway.consents.models import Consent, ConsentAccount
from gateway.consents.renewing import Answers
from gateway.consents.repository import ConsentRepository, ProofRepository
from gateway.consents.states import ConsentState
from gateway.errors import FieldFault, NotFound
from gateway.i18n import _
from gateway.ids import new_id
from gateway.moves.requesting import check_day, request_move
from sepa.accounts import iban_fault

REASONS: Final[Mapping[str, str]] = {
    AccountKind.SAVINGS: _("This is a savings account; only current accounts can be connected."),
    AccountKind.CARD: _("This is a card account; only current accounts can be connected."),
    AccountKind.LOAN: _("This is a loan account; only current accounts can be connected."),
    AccountKind.INVESTMENT: _("This is an investment account; only current accounts can be connected."),
    AccountKind.OTHER: _("The bank does not call this a current account; only those can be connected."),
}


def store_offered(session: Session, consent: Consent, accounts: Sequence[BankAccount]) -> None:
    """Keep what the bank listed, in its order."""
    for account in accounts:
        session.add(
            ConsentAccount(
                id=new_id(),
                office_id=consent.office_id,
                consent_id=consent.id,
                bank_account_id=account.bank_account_id,
                iban=account.iban,
                currency=account.currency,
                kind=str(account.kind),
                name=_cut(account.name),
                product=_cut(account.product),
                holder_name=_cut(account.holder_name),
                bic=account.bic if account.bic is not None and len(account.bic) in (8, 11) else None,
                is_closed=account.is_closed,
            )
        )
        session.flush()


def refusal(offered: ConsentAccount) -> tuple[str, str] | None:
    """Code and reason why an offered account cannot be connected; None when it can."""
    if offered.kind != AccountKind.CURRENT:
        return AccountTypeNotSupported.code, REASONS[offered.kind]
    if offered.is_closed:
        return AccountTypeNotSupported.code, _("The bank says that this account is closed.")
    if offered.iban is None or iban_fault(offered.iban) is not None:
        return AccountNotFitting.code, AccountNotFitting.hint
    return None


def connect(
    gateway: Gateway,
    session: Session,
    act: Act,
    consent: Consent,
    *,
    consent_account_ids: Sequence[UUID],
    psu: PsuContext | None,
    move_on: date | None = None,
    with_rules: bool = False,
    answers: Answers | None = None,
    is_code_shown: bool = False,
) -> None:
    """Connect the chosen accounts of a locked consent; all of them or none. Choosing again adds accounts.

    What does not show that it is the client's waits for a proof, unknown to the office (CON-08); `is_code_shown` says
    that the browser has shown the code of the invitation.

    At a renewal `answers` says what became of accounts that are not as before (CON-11); chosen again, none is asked.

    With `move_on` they move here from any other office that has them; else they are added here, beside whatever
    others have (OFF-05). Nobody is asked whether others do. `with_rules` takes that office's approval rules along.
    """
    if move_on is not None:
        check_day(move_on, act.today)
    offered = {row.id: row for row in ConsentRepository(session).offered(act.office_id, consent.id)}
    chosen = [offered.get(wanted) for wanted in dict.fromkeys(consent_account_ids)]
    rows = [row for row in chosen if row is not None]
    if len(rows) != len(chosen):
        raise NotFound
    if not rows:
        raise ChoiceEmpty
    _refuse_unfit(rows)
    compared = None
    if consent.replaces_id is not None and consent.chosen_at is None:
        usable = [row.id for row in offered.values() if refusal(row) is None]
        compared = renewing.compare(session, consent, list(offered.values()), usable)
        renewing.check_answers(compared, {row.id for row in rows}, answers or Answers())
    fresh = [row for row in rows if row.account_id is None]
    doubts = proof.doubts(session, consent, fresh, is_code_shown=is_code_shown)
    by_row = {
        row.id: connect_one(gateway, session, act, consent, row, psu=psu) for row in fresh if row.id not in doubts
    }
    connected = list(by_row.values())
    if not fresh:
        return
    said = renewing.said_of(compared, answers or Answers())
    if compared is not None:
        renewing.settle(
            gateway, session, act, consent,
            compared=compared, answers=answers or Answers(), chosen={row.id for row in rows}, connected=by_row,
        )  # fmt: skip
    for row in fresh:
        if row.id in doubts:
            wish = proof.Wish(move_on, with_rules, *said.get(row.id, (None, None)))
            proof.await_proof(gateway, session, act, consent=consent, row=row, doubt=doubts[row.id], wish=wish)
        else:
            proof.note_fitting(session, act, row)
    if move_on is not None and connected:
        request_move(
            gateway, session, act, connected,
            move_on=move_on, proof="authorisation", chosen_by=consent.id, with_rules=with_rules,
        )  # fmt: skip
    consent.chosen_at = act.now
    session.add(consent)
    gateway.audit.record(
        session,
        act,
        "consent.accounts_chosen",
        "consent",
        consent.id,
        client_id=consent.client_id,
        changes={"accounts": Change(None, [str(account.id) for account in connected])},
    )
    keep_evidence(gateway, session, act, consent, connected)
    session.flush()
    _replace_older(gateway, session, act, consent)


def _refuse_unfit(rows: Sequence[ConsentAccount]) -> None:
    faults: dict[str, list[FieldFault]] = {}
    for index, row in enumerate(rows):
        found = refusal(row)
        if found is not None:
            code, reason = found
            faults.setdefault(code, []).append(
                FieldFault(f"/consent_account_ids/{index}", f"{code}:{row.kind}", reason)
            )
    for kind in (AccountTypeNotSupported, AccountNotFitting):
        if kind.code in faults:
            raise kind(faults=[fault for found in faults.values() for fault in found])


def _replace_older(gateway: Gateway, session: Session, act: Act, consent: Consent) -> None:
    """A valid consent of the same client and bank that reads no account any more is replaced by this one.

    Not while accounts wait under it for a proof.
    """
    for older in ConsentRepository(session).valid_others(act.office_id, consent):
        reads = AccountRepository(session).of_consent(act.office_id, older.id)
        if older.chosen_at is not None and not reads and not ProofRepository(session).waiting(act.office_id, older.id):
            endings.end(gateway, session, act, older, wanted=ConsentState.REPLACED, code="consent_replaced")


def _cut(text: str | None) -> str | None:
    return text[:140] if text else None
