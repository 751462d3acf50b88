"""Ponto Connect: accounts of many banks behind one interface of its own (JSON:API); the doors to it are beside.

Ponto keeps a copy that it renews four times a day, so a read never reaches the account's bank; a synchronisation does,
and is started only with the address of a PSU who is present. Each account has an end of authorisation of its own.
Source: Ponto Connect, API version 2 (interface description of 2022), official clients up to 2025; see `ponto.md`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from connectors import text
from connectors.errors import (
    BankAnswerInvalid,
    ConnectorError,
    ConsentEnded,
    RequestRefused,
)
from connectors.families import ponto_rows
from connectors.families.berlin_group_parts import segment
from connectors.families.ponto_errors import RECENTLY, failure_of
from connectors.families.ponto_line import ACCOUNTS, PontoLine, data_of
from connectors.families.ponto_payments import OFFER, PontoPayments
from connectors.http import CallKind
from connectors.model import (
    Access,
    Account,
    Balance,
    ConsentDetails,
    ConsentHandle,
    ConsentStatus,
    GrantedConsent,
    PsuContext,
    Redirect,
    RejectedRow,
    Synchronisation,
    TokenSet,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.normalise import normalise_berlin_group
from connectors.payments import PaymentInitiation, PaymentOffer
from connectors.profile import Knowledge

LATE: Final = timedelta(days=7)
"""How far before the day wanted the pages are read on: a late row stands among those of its own day."""
SUBTYPE: Final = "accountTransactionsWithUnsettled"

log = logging.getLogger(__name__)


class PontoConnector(PontoLine):
    """What both doors share: reading, synchronisations, authorising an account anew, payments."""

    payment_offer: ClassVar[PaymentOffer | None] = OFFER
    reauthorises_accounts: ClassVar[bool] = True

    # Consent

    def finish_consent(
        self, handle: ConsentHandle, callback: Mapping[str, str], psu: PsuContext | None
    ) -> GrantedConsent:
        """As in `Connector`; the handle to keep names the organisation, which ends the integration without tokens.

        Tokens once given are never lost: when Ponto cannot be read after the code was spent, they come back alone.
        """
        tokens = self.tokens_of(handle, callback)
        token, end, kept = f"Bearer {tokens.access_token}", None, None
        try:
            organisation = self.call("GET", "/userinfo", "/userinfo", CallKind.CONSENT, token, psu=psu).json_object()
            kept = ConsentHandle(text.present_id(organisation.get("sub")) or "", handle.private)
            accounts = [row for rows, _ in self.pages(self.reader(token, psu), ACCOUNTS) for row in rows]
            end, _ = ponto_rows.last_day_of([row for row in accounts if isinstance(row, Mapping)], self.now())
        except ConnectorError as error:
            # The tokens prove the permission; the rest is asked again.
            log.info("Ponto gave tokens and could not be read", extra={"code": error.code})
        return GrantedConsent(ConsentStatus.VALID, tokens, end, kept)

    def consent_status(self, access: Access) -> ConsentStatus:
        return self.consent_details(access).status

    def consent_details(self, access: Access) -> ConsentDetails:
        """Valid while Ponto answers; the day is the first on which an account must be authorised anew."""
        try:
            end, is_over = ponto_rows.last_day_of(self.resources(access), self.now())
        except ConsentEnded:
            # Why it ended is not told; it is over either way.
            return ConsentDetails(ConsentStatus.REVOKED)
        return ConsentDetails(ConsentStatus.EXPIRED if is_over else ConsentStatus.VALID, end)

    def reauthorise_account(self, access: Access, bank_account_id: str, redirect_uri: str) -> Redirect:
        """Where the PSU authorises one account anew; the other accounts, and our tokens, stay as they are."""
        attributes = {"redirectUri": redirect_uri}
        path = f"/accounts/{segment(bank_account_id)}/reauthorization-requests"
        template = "/accounts/{id}/reauthorization-requests"
        with self.account_known():
            answer = self.create(access, path, template, "reauthorizationRequest", attributes)
        page = self.page_of(data_of(answer))
        if page is None:
            raise BankAnswerInvalid("Ponto gave no page to authorise at", bank_id=self.profile.bank_id)
        return page

    # Payments

    def payments_with(self, access: Access) -> PaymentInitiation | None:
        if self.payment_offer is None or self.profile.pays_single is not Knowledge.YES:
            return None
        return PontoPayments(self, access, self.payment_offer)

    # Account data

    def accounts(self, access: Access) -> list[Account]:
        """Every account of the organisation; several may share an IBAN and differ by currency."""
        bics: dict[str, str | None] = {}
        found: list[Account] = []
        for resource in self.resources(access):
            institution = ponto_rows.related_id(resource, "financialInstitution")
            if institution is not None and institution not in bics:
                bics[institution] = self._bic(access, institution)
            account = ponto_rows.account(resource, bic=bics.get(institution or ""))
            if account is None:
                raise BankAnswerInvalid("an account has no id or no currency", bank_id=self.profile.bank_id)
            if account.bic is None and account.iban is not None:
                account = replace(account, bic=text.bic_of(account.iban))
            found.append(account)
        return found

    def balances(self, access: Access, bank_account_id: str) -> list[Balance]:
        path = f"/accounts/{segment(bank_account_id)}"
        with self.account_known():
            answer = self.read(self.session(access), path, "/accounts/{id}", CallKind.BALANCES)
        resource = data_of(answer)
        found = ponto_rows.balances(resource)
        named = ("currentBalance", "availableBalance")
        if len(found) != sum(ponto_rows.attributes(resource).get(name) is not None for name in named):
            raise BankAnswerInvalid("a balance has no readable amount", bank_id=self.profile.bank_id)
        return found

    def transaction_pages(
        self,
        access: Access,
        bank_account_id: str,
        *,
        account_iban: str,
        account_holder: str | None,
        date_from: date,
        today: date,
        own_ibans: frozenset[str] = frozenset(),
    ) -> Iterator[TransactionPage]:
        """Settled rows, newest first, then unsettled ones; Ponto takes no dates, so older rows are left out here."""

        def normalised(raw: Any, status: TransactionStatus) -> Transaction | RejectedRow:
            return self.transaction(
                raw,
                status=status,
                account_iban=account_iban,
                account_holder=account_holder,
                own_ibans=own_ibans,
                today=today,
            )

        waiting: TransactionPage | None = None
        for number, page in enumerate(self._rows(access, bank_account_id, date_from, normalised), start=1):
            if waiting is not None:
                yield waiting
            waiting = replace(page, number=number, date_from=date_from)
        assert waiting is not None, "there is a first page or an error"
        yield replace(waiting, is_last=True)

    def updated_transactions(
        self,
        access: Access,
        synchronisation_id: str,
        *,
        account_iban: str,
        account_holder: str | None,
        today: date,
        own_ibans: frozenset[str] = frozenset(),
    ) -> Iterator[TransactionPage]:
        """What one synchronisation brought or changed, settled rows first; no link is followed to it."""
        path = f"/synchronizations/{segment(synchronisation_id)}"
        session, number = self.session(access), 0
        for name in ("updated-transactions", "updated-pending-transactions"):
            query = (f"{path}/{name}", f"/synchronizations/{{id}}/{name}", CallKind.TRANSACTIONS)
            for rows, _ in self.optional(session, query) if "pending" in name else self.plain(session, query):
                number += 1
                read = [
                    self.transaction(
                        raw,
                        status=ponto_rows.status_of(raw),
                        account_iban=account_iban,
                        account_holder=account_holder,
                        own_ibans=own_ibans,
                        today=today,
                    )
                    for raw in rows
                ]
                yield _page(read, number)

    def transaction(
        self,
        raw: Any,
        *,
        status: TransactionStatus,
        account_iban: str,
        account_holder: str | None,
        own_ibans: frozenset[str],
        today: date,
    ) -> Transaction | RejectedRow:
        if not isinstance(raw, Mapping):
            return RejectedRow("not_an_object", {"value": raw})
        found = normalise_berlin_group(
            ponto_rows.row(raw),
            account_iban=account_iban,
            account_holder=account_holder,
            own_ibans=own_ibans,
            today=today,
            dialect=ponto_rows.DIALECT,
            status=status,
        )
        return replace(found, raw=raw)

    # Synchronisations

    def start_synchronisation(self, access: Access, bank_account_id: str) -> Synchronisation:
        """Ask the account's bank now, in the name of the PSU who is here; it goes on at Ponto.

        Asked for again within minutes, it counts as done: what it would bring is there. Raises `ValueError` without a
        PSU: in the background we only read.
        """
        if access.psu is None:
            raise ValueError("a synchronisation needs the PSU who is present")
        attributes = {
            "resourceType": "account",
            "resourceId": bank_account_id,
            "subtype": SUBTYPE,
            "customerIpAddress": access.psu.ip_address,
        }
        try:
            answer = self.create(access, "/synchronizations", "/synchronizations", "synchronization", attributes)
        except RequestRefused as refused:
            if refused.bank_code != RECENTLY:
                raise
            return Synchronisation(None, is_done=True)
        return self._state_of(data_of(answer))

    def synchronisation(self, access: Access, synchronisation_id: str) -> Synchronisation:
        """How far it is; raises `ConsentError` or `BankUnavailable` for one that failed."""
        path = f"/synchronizations/{segment(synchronisation_id)}"
        answer = self.read(self.session(access), path, "/synchronizations/{id}", CallKind.METADATA)
        return self._state_of(data_of(answer))

    def _state_of(self, resource: Mapping[str, Any]) -> Synchronisation:
        failure = failure_of(resource, bank_id=self.profile.bank_id)
        if failure is not None:
            raise failure
        # A state that is not known counts as under way.
        is_done = ponto_rows.attributes(resource).get("status") == "success"
        return Synchronisation(text.present_id(resource.get("id")), is_done=is_done)

    def _bic(self, access: Access, institution: str) -> str | None:
        """The BIC of an account's bank; None where Ponto does not tell it."""
        path = f"/financial-institutions/{segment(institution)}"
        try:
            answer = self.read(self.session(access), path, "/financial-institutions/{id}", CallKind.METADATA)
        except RequestRefused:
            return None
        return text.compact_account(ponto_rows.attributes(data_of(answer)).get("bic"))

    def _rows(
        self,
        access: Access,
        bank_account_id: str,
        date_from: date,
        normalised: Callable[[Any, TransactionStatus], Transaction | RejectedRow],
    ) -> Iterator[TransactionPage]:
        path, session = f"/accounts/{segment(bank_account_id)}", self.session(access)
        settled = (f"{path}/transactions", "/accounts/{id}/transactions", CallKind.TRANSACTIONS)
        for rows, beside in self.of_account(session, settled):
            read = [normalised(raw, TransactionStatus.BOOKED) for raw in rows]
            days = [row.booking_date for row in read if isinstance(row, Transaction) and row.booking_date is not None]
            page = _page([row for row in read if not _is_before(row, date_from)])
            yield replace(page, as_of=text.moment(beside.get("synchronizedAt")))
            if days and len(days) == len(rows) and max(days) < date_from - LATE:
                break
        unsettled = (f"{path}/pending-transactions", "/accounts/{id}/pending-transactions", CallKind.TRANSACTIONS)
        for rows, _ in self.optional(session, unsettled):
            yield _page([normalised(raw, TransactionStatus.PENDING) for raw in rows])

    def tokens_of(self, handle: ConsentHandle, callback: Mapping[str, str]) -> TokenSet:
        """The first tokens, by the way of this door."""
        raise NotImplementedError


def _is_before(row: Transaction | RejectedRow, day: date) -> bool:
    return isinstance(row, Transaction) and row.booking_date is not None and row.booking_date < day


def _page(rows: list[Transaction | RejectedRow], number: int = 0) -> TransactionPage:
    return TransactionPage(
        number,
        tuple(row for row in rows if isinstance(row, Transaction)),
        tuple(row for row in rows if isinstance(row, RejectedRow)),
    )
