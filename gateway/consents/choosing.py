"""After the bank said yes: the accounts it lists, what of them goes on from before, and which are taken (CON-08)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from connectors.model import PsuContext
from gateway.consents import choice
from gateway.consents.authorising import AuthorisationSteps
from gateway.consents.links import LinkView
from gateway.consents.models import ConsentAccount
from gateway.consents.renewing import Answers, Comparison, compare
from gateway.consents.repository import ConsentRepository


class ChoiceSteps(AuthorisationSteps):
    """Choosing accounts under a valid consent."""

    def offered(self, token: str, *, browser_secret: str) -> Sequence[ConsentAccount]:
        """The accounts the bank listed, all kinds; read at the bank when that has not succeeded yet."""
        found = self._link(token)
        act = self._act(found)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._choosable(session, act, found, browser_secret)
            is_read = consent.accounts_read_at is not None
        if not is_read:
            self.read_accounts(act, found.consent_id, None)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            return ConsentRepository(session).offered(act.office_id, found.consent_id)

    def compared(self, token: str, *, browser_secret: str) -> Comparison | None:
        """What of the older consent goes on under a renewal; None for one that renews nothing, or was chosen from."""
        found = self._link(token)
        act = self._act(found)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            consent = self._choosable(session, act, found, browser_secret)
            if consent.replaces_id is None or consent.chosen_at is not None:
                return None
            offered = ConsentRepository(session).offered(act.office_id, consent.id)
            return compare(session, consent, offered, {row.id for row in offered if choice.refusal(row) is None})

    def choose(
        self,
        token: str,
        *,
        browser_secret: str,
        consent_account_ids: Sequence[UUID],
        psu: PsuContext | None,
        move_on: date | None = None,
        with_rules: bool = False,
        answers: Answers | None = None,
    ) -> LinkView:
        """Connect the ticked accounts and have each read at once, while the PSU is present.

        `move_on` is the day on which they move here from another office; None adds this office to others (OFF-05).
        `with_rules` is the client's wish that the approval rules of that office go along (OFF-17).

        Raises `AccountTypeNotSupported`, `AccountNotFitting` (naming each), `AccountElsewhere`, `ChoiceEmpty`,
        `MoveDateInvalid`, `RenewalQuestionOpen`, `OtherBrowser`, `ChoiceNotOpen`.
        """
        found = self._link(token)
        act = self._act(found, psu)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            known = self._choosable(session, act, found, browser_secret)
            # Two renewals of one consent take turns: each may take the other's accounts, and end it.
            ConsentRepository(session).lock_valid(act.office_id, known.client_id, known.bank_id)
            consent = self._choosable(session, act, found, browser_secret, is_locked=True)
            self._require_client_open(session, act, consent)
            choice.connect(
                self.gateway, session, act, consent,
                consent_account_ids=consent_account_ids, psu=psu, move_on=move_on, with_rules=with_rules,
                answers=answers, is_code_shown=self._is_browser(consent.code_browser_hash, browser_secret),
            )  # fmt: skip
            return self._view(session, act, found, browser_secret)
