"""Berlin Group NextGenPSD2 1.3.x, account data: accounts, balances and pages of transactions, read with a token.

What a bank does otherwise are the class attributes and hooks below; a dialect of the rows is a `Dialect`. Source: the
Berlin Group implementation guidelines 1.3 and the official interface description (CC BY 4.0).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from connectors import text
from connectors.account_data import balance_kind, normalise_account, normalise_balance
from connectors.base import Connector
from connectors.dialect import STANDARD, Dialect
from connectors.errors import (
    BankAnswerInvalid,
    ConsentEnded,
    RequestRefused,
    TokenRejected,
)
from connectors.families.berlin_group_errors import error_of
from connectors.families.berlin_group_parts import psu_headers, segment
from connectors.http import BankAnswer, BankRequest, CallKind
from connectors.model import (
    Access,
    Account,
    Balance,
    BalanceKind,
    RejectedRow,
    TokenSet,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.normalise import normalise_berlin_group

SHORT_WINDOW = timedelta(days=89)
"""What is asked for when the bank refuses the period (`PERIOD_INVALID`)."""
PROVING = frozenset({BalanceKind.CLOSING_BOOKED, BalanceKind.INTERIM_BOOKED, BalanceKind.OPENING_BOOKED})
"""Balances that must be readable; one bank lists others without an amount."""


@dataclass(slots=True)
class _Session:
    """What must stay the same over the pages of one read: token, consent and PSU."""

    access: Access
    tokens: TokenSet


class BerlinGroupAccountData(Connector):
    """What is read under a consent; see `connectors.base.Connector` for the contract of each method."""

    accounts_path: ClassVar[str] = "/accounts"
    lists_balances_with_accounts: ClassVar[bool] = False
    has_balances_in_list_only: ClassVar[bool] = False
    """Balances are read from the list of accounts: the bank offers no other place for them."""
    booking_status: ClassVar[str] = "both"
    dialect: ClassVar[Dialect] = STANDARD
    pages_max: ClassVar[int] = 500

    def consent_headers(self, access: Access) -> Mapping[str, str]:
        """What names the consent in a call for account data."""
        return {"Consent-ID": access.bank_consent_id}

    def key_id(self, access: Access) -> str | None:  # noqa: ARG002  of a dialect
        """The name to sign calls for account data under; None for that of the certificate."""
        return None

    def bank_headers(self) -> Mapping[str, str]:
        """Headers the bank wants on every call, those for tokens and metadata among them."""
        return {}

    def word_for_consent(self, access: Access) -> str | None:  # noqa: ARG002  of a bank that can tell
        """What the bank says of the consent itself, asked after a refusal that names no reason; None if it cannot."""
        return None

    # Account data

    def accounts(self, access: Access) -> list[Account]:
        params = {"withBalance": "true"} if self.lists_balances_with_accounts else None
        answer = self._read(self._session(access), self.accounts_path, "/accounts", CallKind.ACCOUNTS, params)
        rows = [] if answer.status == 204 else self._rows(answer.json_object(), "accounts", is_required=True)
        found: list[Account] = []
        for row in rows:
            account = self.account(row) if isinstance(row, Mapping) else None
            if account is None:
                raise BankAnswerInvalid("an account has no id or no currency", bank_id=self.profile.bank_id)
            found.append(account)
        return found

    def account(self, raw: Mapping[str, Any]) -> Account | None:
        """One row of the list of accounts; None without id or currency."""
        return normalise_account(raw, self.dialect)

    def balances_query(self, bank_account_id: str) -> tuple[str, Mapping[str, str] | None]:
        """Path and parameters of the balances of one account."""
        return f"/accounts/{segment(bank_account_id)}/balances", None

    def transactions_query(self, bank_account_id: str, first_day: date) -> tuple[str, Mapping[str, str]]:
        """Path and parameters of the first page of transactions."""
        path = f"/accounts/{segment(bank_account_id)}/transactions"
        return path, {"bookingStatus": self.booking_status, "dateFrom": first_day.isoformat()}

    def balances(self, access: Access, bank_account_id: str) -> list[Balance]:
        path, params = self.balances_query(bank_account_id)
        if self.has_balances_in_list_only:
            rows = self._listed_balances(access, bank_account_id)
        else:
            answer = self._read(self._session(access), path, "/accounts/{id}/balances", CallKind.BALANCES, params)
            rows = [] if answer.status == 204 else self._rows(answer.json_object(), "balances", is_required=True)
        found: list[Balance] = []
        for row in rows:
            balance = self.balance(row) if isinstance(row, Mapping) else None
            if balance is not None:
                found.append(balance)
            elif not isinstance(row, Mapping) or balance_kind(row) in PROVING:
                raise BankAnswerInvalid("a balance has no readable amount", bank_id=self.profile.bank_id)
        return found

    def balance(self, raw: Mapping[str, Any]) -> Balance | None:
        """One balance in the normal form; None without a readable amount."""
        return normalise_balance(raw)

    def _listed_balances(self, access: Access, bank_account_id: str) -> list[Any]:
        """The balances beside one account of the list; an account that is not there any more is an error."""
        params = {"withBalance": "true"}
        answer = self._read(self._session(access), self.accounts_path, "/accounts", CallKind.BALANCES, params)
        for account in self._rows(answer.json_object(), "accounts", is_required=True):
            if isinstance(account, Mapping) and text.present_id(account.get("resourceId")) == bank_account_id:
                return self._rows(account, "balances")
        raise BankAnswerInvalid("the list does not hold the account", bank_id=self.profile.bank_id)

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
        def normalised(raw: Any, status: TransactionStatus) -> Transaction | RejectedRow:
            return self.transaction(
                raw,
                status=status,
                account_iban=account_iban,
                account_holder=account_holder,
                own_ibans=own_ibans,
                today=today,
            )

        session = self._session(access)
        answer, date_from = self._first_page(session, bank_account_id, date_from, today)
        visited, seen = {_canonical(answer.url)}, set[bytes]()
        for number in range(1, self.pages_max + 1):
            page, following = self._page(answer, number, seen, normalised)
            if following is not None and _canonical(following) in visited:
                following = None
            yield replace(page, is_last=following is None, date_from=date_from)
            if following is None:
                return
            visited.add(_canonical(following))
            answer = self._read(session, following, "/accounts/{id}/transactions", CallKind.TRANSACTIONS)
        raise BankAnswerInvalid(f"more than {self.pages_max} pages of transactions", bank_id=self.profile.bank_id)

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
        """One row in the normal form; a bank with odd rows overrides this and mends the result of `super()`."""
        return normalise_berlin_group(
            raw,
            account_iban=account_iban,
            account_holder=account_holder,
            own_ibans=own_ibans,
            today=today,
            dialect=self.dialect,
            status=status,
        )

    # Reading with a token

    def _session(self, access: Access) -> _Session:
        return _Session(access, access.tokens.current())

    def _read(
        self,
        session: _Session,
        url: str,
        template: str,
        kind: CallKind,
        params: Mapping[str, str] | None = None,
    ) -> BankAnswer:
        """GET with token and consent; a token refused is renewed once per call and the call repeated once."""
        try:
            return self._read_once(session, url, template, kind, params)
        except TokenRejected:
            session.tokens = session.access.tokens.renew(session.tokens)
        try:
            return self._read_once(session, url, template, kind, params)
        except TokenRejected as refusal:
            # A bare 401 may mean the consent as well as the token; the bank's status tells which it was.
            code = refusal.bank_code or self.word_for_consent(session.access)
            raise ConsentEnded(
                "the bank refuses a fresh token too", bank_id=self.profile.bank_id, status=401, bank_code=code
            ) from refusal

    def _read_once(
        self, session: _Session, url: str, template: str, kind: CallKind, params: Mapping[str, str] | None
    ) -> BankAnswer:
        access = session.access
        headers = {
            **psu_headers(access.psu),
            **self.consent_headers(access),
            "Authorization": f"Bearer {session.tokens.access_token}",
        }
        return self.call(
            "GET", url, template, kind, headers=headers, params=params, is_attended=access.psu is not None,
            key_id=self.key_id(access),
        )  # fmt: skip

    def call(
        self,
        method: str,
        url: str,
        template: str,
        kind: CallKind,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        request_id: str | None = None,
        is_attended: bool,
        key_id: str | None = None,
    ) -> BankAnswer:
        """One call, with the bank's own headers; raises what `error_of` makes of a refusal."""
        answer = self.http.send(
            BankRequest(
                method=method,
                url=url,
                template=template,
                kind=kind,
                request_id=request_id or self.new_id(),
                headers={**self.bank_headers(), **headers},
                params=params,
                json=json,
                content=content,
                is_attended=is_attended,
                key_id=key_id,
            )
        )
        if not answer.is_success:
            raise error_of(answer, bank_id=self.profile.bank_id, has_token="Authorization" in headers)
        return answer

    def _first_page(
        self, session: _Session, bank_account_id: str, date_from: date, today: date
    ) -> tuple[BankAnswer, date]:
        """The first page and the first day it was asked from."""
        shorter = max(date_from, today - SHORT_WINDOW)
        for first_day in (date_from, shorter):
            path, params = self.transactions_query(bank_account_id, first_day)
            try:
                answer = self._read(session, path, "/accounts/{id}/transactions", CallKind.TRANSACTIONS, params)
            except RequestRefused as error:
                if not self.is_period_refused(error) or first_day == shorter:
                    raise
            else:
                return answer, first_day
        raise AssertionError("the second try returns or raises")

    def link(self, value: object) -> str | None:
        """The address a link of an answer leads to, checked; None when there is none."""
        return self.http.link(value)

    def is_period_refused(self, error: RequestRefused) -> bool:
        """Whether the bank finds the period too long, so that a shorter one is worth a try."""
        return error.bank_code == "PERIOD_INVALID"

    def _page(
        self,
        answer: BankAnswer,
        number: int,
        seen: set[bytes],
        normalised: Callable[[Any, TransactionStatus], Transaction | RejectedRow],
    ) -> tuple[TransactionPage, str | None]:
        """The rows of one answer and the address of the next page, None at the end.

        A page given before, under another address, counts as empty: its rows were already handed over. Only rows with
        an id can tell that, since a page of twins without ids may rightly follow another one.
        """
        if answer.status == 204:
            return TransactionPage(number, ()), None
        given, links = self.listed(answer.json_object())
        digest = self._digest([raw for raw, _ in given])
        if digest is not None and digest in seen:
            given = []
        elif digest is not None:
            seen.add(digest)
        rows = [normalised(raw, status) for raw, status in given]
        page = TransactionPage(
            number,
            tuple(row for row in rows if isinstance(row, Transaction)),
            tuple(row for row in rows if isinstance(row, RejectedRow)),
        )
        return page, self.following(answer, links)

    def following(self, answer: BankAnswer, links: Mapping[str, Any]) -> str | None:  # noqa: ARG002  of a dialect
        """The address of the page after this answer; None at the end. `links` are those `listed` found."""
        return self.link(links.get("next"))

    def listed(self, body: Mapping[str, Any]) -> tuple[list[tuple[Any, TransactionStatus]], Mapping[str, Any]]:
        """The rows of an answer, each with its status, and the links beside them."""
        report = body.get("transactions")
        if not isinstance(report, Mapping):
            raise BankAnswerInvalid("the answer holds no transactions", bank_id=self.profile.bank_id)
        links = report.get("_links") or body.get("_links")
        links = links if isinstance(links, Mapping) else {}
        if links.get("download") and "booked" not in report:
            raise BankAnswerInvalid("the bank offers the transactions as a file only", bank_id=self.profile.bank_id)
        given = [
            (raw, status)
            for name, status in (("booked", TransactionStatus.BOOKED), ("pending", TransactionStatus.PENDING))
            for raw in self._rows(report, name)
        ]
        return given, links

    def _digest(self, rows: list[Any]) -> bytes | None:
        """What recognises a page that comes again; None without rows, or when one of them has no id."""
        names = self.dialect.id_fields
        if not rows or not all(
            _is_object(row) and any(text.present_id(row.get(name)) for name in names) for row in rows
        ):
            return None
        return hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).digest()

    def _rows(self, body: Mapping[str, Any], name: str, *, is_required: bool = False) -> list[Any]:
        rows = body.get(name)
        if rows is None and not is_required:
            return []
        if not isinstance(rows, list):
            raise BankAnswerInvalid(f"the answer holds no list of {name}", bank_id=self.profile.bank_id)
        return rows


def _canonical(url: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """An address for comparing: path and query without regard to the order of parameters."""
    parts = urlsplit(url)
    return parts.path, tuple(sorted(parse_qsl(parts.query, keep_blank_values=True)))


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)
