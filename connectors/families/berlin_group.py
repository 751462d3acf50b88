"""Berlin Group NextGenPSD2 1.3.x, account information: consents, accounts, balances, transactions.

Banks of this family set a profile and the class attributes below; a dialect of the rows is a `Dialect`. Source: the
Berlin Group implementation guidelines 1.3 and the official interface description (CC BY 4.0).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors import oauth, text
from connectors.account_data import balance_kind, normalise_account, normalise_balance
from connectors.base import Connector
from connectors.errors import (
    BankAnswerInvalid,
    BankError,
    ConsentEnded,
    ConsentRefused,
    OperatorError,
    RequestRefused,
    TokenRejected,
)
from connectors.families.berlin_group_errors import error_of
from connectors.families.berlin_group_parts import psu_headers, segment
from connectors.families.berlin_group_payments import BerlinGroupPayments
from connectors.families.berlin_group_sca import POLL_SECONDS, require_state, tokens_of, way_of
from connectors.http import BankAnswer, BankRequest, CallKind
from connectors.model import (
    Access,
    Account,
    Balance,
    BalanceKind,
    ConsentDetails,
    ConsentHandle,
    ConsentRequest,
    ConsentStatus,
    Finished,
    GrantedConsent,
    NextStep,
    Poll,
    PsuContext,
    Redirect,
    RejectedRow,
    StartedConsent,
    TokenSet,
    Transaction,
    TransactionPage,
    TransactionStatus,
)
from connectors.normalise import STANDARD, Dialect, normalise_berlin_group
from connectors.payments import PaymentInitiation
from connectors.profile import Knowledge

SHORT_WINDOW = timedelta(days=89)
"""What is asked for when the bank refuses the period (`PERIOD_INVALID`)."""
PROVING = frozenset({BalanceKind.CLOSING_BOOKED, BalanceKind.INTERIM_BOOKED, BalanceKind.OPENING_BOOKED})
"""Balances that must be readable; one bank lists others without an amount."""

_STATUSES = {
    "received": ConsentStatus.AWAITING_AUTHORISATION,
    "partiallyauthorised": ConsentStatus.PARTIALLY_AUTHORISED,
    "valid": ConsentStatus.VALID,
    "rejected": ConsentStatus.REJECTED,
    "revokedbypsu": ConsentStatus.REVOKED,
    "terminatedbytpp": ConsentStatus.REVOKED,
    "expired": ConsentStatus.EXPIRED,
}


class ConsentModel(StrEnum):
    """Who chooses the accounts: everything, the PSU at the bank, or the request by IBAN."""

    GLOBAL = "global"
    BANK_OFFERED = "bank_offered"
    DETAILED = "detailed"


@dataclass(slots=True)
class _Session:
    """What must stay the same over the pages of one read: token, consent and PSU."""

    access: Access
    tokens: TokenSet


class BerlinGroupConnector(Connector):
    """A bank of the generic kind; see `connectors.base.Connector` for the contract of each method."""

    consent_model: ClassVar[ConsentModel] = ConsentModel.GLOBAL
    global_access: ClassVar[str] = "allAccounts"
    """Value of `allPsd2`; older deployments spell it `all-accounts`."""
    is_state_in_redirect_uri: ClassVar[bool] = True
    """Banks that send the browser back without OAuth give no `state`: it must be part of the return address."""
    accounts_path: ClassVar[str] = "/accounts"
    lists_balances_with_accounts: ClassVar[bool] = False
    has_balances_in_list_only: ClassVar[bool] = False
    """Balances are read from the list of accounts: the bank offers no other place for them."""
    can_read_consents: ClassVar[bool] = True
    """False where the bank's description has no `GET` of a consent: the tokens alone prove that it was granted."""
    reads_consents_without_token: ClassVar[bool] = True
    makes_consent_at_start: ClassVar[bool] = True
    """False where the PSU signs in first, and the consent is asked for with the tokens."""
    can_read_consent_details: ClassVar[bool] = True
    """False where only the status is known to be readable, without the last day."""
    needs_token_to_revoke: ClassVar[bool] = False
    booking_status: ClassVar[str] = "both"
    authorisation_params: ClassVar[Mapping[str, str]] = {}
    """What this bank wants in the authorisation address besides the parameters of OAuth."""
    dialect: ClassVar[Dialect] = STANDARD
    needs_psu_for_payments: ClassVar[bool] = False
    """Whether the PSU's address must be named whenever a payment's status is read."""
    pages_max: ClassVar[int] = 500

    # Consent

    def start_consent(self, request: ConsentRequest) -> StartedConsent:
        redirect_uri = request.redirect_uri
        if self.is_state_in_redirect_uri:
            redirect_uri = f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode({'state': request.state})}"
        answer = self.call(
            "POST",
            "/consents",
            "/consents",
            CallKind.CONSENT,
            headers={**psu_headers(request.psu), "TPP-Redirect-URI": redirect_uri},
            json=self.consent_body(request),
            is_attended=True,
        )
        body = answer.json_object()
        consent_id = text.present(body.get("consentId"))
        if consent_id is None:
            raise BankAnswerInvalid("the bank gave no consent id", bank_id=self.profile.bank_id, status=answer.status)
        handle = ConsentHandle(
            consent_id,
            {
                "state": request.state,
                "code_verifier": request.code_verifier,
                "redirect_uri": request.redirect_uri,
                **self.kept_of(body),
            },
        )
        return self._decided(handle, answer, request.psu)

    def consent_body(self, request: ConsentRequest) -> dict[str, Any]:
        """The wish for a consent. Source: Berlin Group 1.3, `consents`."""
        return {
            "access": self.consent_access(request),
            "recurringIndicator": True,
            "validUntil": request.valid_until.isoformat(),
            "frequencyPerDay": request.frequency_per_day,
            "combinedServiceIndicator": False,
        }

    def consent_access(self, request: ConsentRequest) -> dict[str, Any]:
        """The `access` object for this bank's consent model."""
        if self.consent_model is ConsentModel.GLOBAL:
            return {"allPsd2": self.global_access}
        if self.consent_model is ConsentModel.DETAILED and request.ibans:
            wanted = [{"iban": iban} for iban in request.ibans]
            return {"accounts": wanted, "balances": wanted, "transactions": wanted}
        return {"accounts": [], "balances": [], "transactions": []}

    def kept_of(self, body: Mapping[str, Any]) -> dict[str, str]:  # noqa: ARG002  of a dialect
        """What else of the answer to a new consent is needed later; kept in the handle."""
        return {}

    def scope(self, bank_consent_id: str) -> str:
        """The OAuth scope of one consent."""
        return f"AIS:{bank_consent_id}"

    def payment_scope(self, bank_payment_id: str) -> str:
        """The OAuth scope of one payment."""
        return self.scope(bank_payment_id).replace("AIS:", "PIS:")

    def payments(self) -> PaymentInitiation | None:
        if self.payment_offer is None or self.profile.pays_single is not Knowledge.YES:
            return None
        return BerlinGroupPayments(self, self.payment_offer)

    def confirm_consent(self, handle: ConsentHandle, tokens: TokenSet, psu: PsuContext | None) -> None:
        """What a bank wants between the tokens and a valid consent; most want nothing."""

    def consent_headers(self, access: Access) -> Mapping[str, str]:
        """What names the consent in a call for account data."""
        return {"Consent-ID": access.bank_consent_id}

    def key_id(self, access: Access) -> str | None:  # noqa: ARG002  of a dialect
        """The name to sign calls for account data under; None for that of the certificate."""
        return None

    def bank_headers(self) -> Mapping[str, str]:
        """Headers the bank wants on every call, those for tokens and metadata among them."""
        return {}

    def token_headers(self) -> Mapping[str, str]:
        """Headers of the calls for tokens."""
        return self.bank_headers()

    def token_params(self) -> Mapping[str, str]:
        """What the calls for tokens hold besides the parameters of OAuth."""
        return {}

    def authorisation_server(self) -> oauth.ServerMetadata | None:
        """The OAuth addresses of a bank that has the same for all consents and names them in no link."""
        return None

    def next_step(self, handle: ConsentHandle, psu: PsuContext | None) -> NextStep:
        if self.can_read_consents:
            status = self._status(handle.bank_consent_id, psu)
            if status is not ConsentStatus.AWAITING_AUTHORISATION:
                return Finished(status)
        url = handle.private.get("authorisation_url")
        return Redirect(url) if url else Poll(POLL_SECONDS, handle.private.get("psu_message"))

    def finish_consent(
        self, handle: ConsentHandle, callback: Mapping[str, str], psu: PsuContext | None
    ) -> GrantedConsent:
        """As in `Connector`; a bank that still says `received` gives `AWAITING_AUTHORISATION`: ask again later.

        Tokens once given are never lost: when the bank cannot be read after the code was spent, they come back with
        `AWAITING_AUTHORISATION`, and `consent_details` tells the rest later.
        """
        self._check_state(handle, callback)
        error = oauth.callback_error(callback, bank_id=self.profile.bank_id)
        if error is not None:
            raise error
        tokens = self._tokens_of(handle, callback)
        if not self.can_read_consents:
            return GrantedConsent(ConsentStatus.VALID, tokens, None)
        try:
            if tokens is not None:
                self.confirm_consent(handle, tokens, psu)
            details = self._details(handle.bank_consent_id, psu)
        except (BankError, OperatorError):
            if tokens is None:
                raise
            return GrantedConsent(ConsentStatus.AWAITING_AUTHORISATION, tokens, None)
        if details.status is ConsentStatus.REJECTED:
            raise ConsentRefused("the bank rejected the consent", bank_id=self.profile.bank_id)
        return GrantedConsent(details.status, tokens, details.valid_until)

    def consent_status(self, access: Access) -> ConsentStatus:
        if not self.can_read_consents:
            return self.consent_details(access).status
        return self._status(access.bank_consent_id, access.psu)

    def consent_details(self, access: Access) -> ConsentDetails:
        if not self.can_read_consents:
            try:
                self._read(self._session(access), self.accounts_path, "/accounts", CallKind.ACCOUNTS)
            except ConsentEnded:
                # Why it ended is not told; it is over either way.
                return ConsentDetails(ConsentStatus.REVOKED)
            return ConsentDetails(ConsentStatus.VALID)
        return self._details(access.bank_consent_id, access.psu)

    def refresh_tokens(self, tokens: TokenSet, handle: ConsentHandle | None = None) -> TokenSet:
        endpoint = handle.private.get("token_endpoint") if handle is not None else None
        return oauth.refresh(
            self.http,
            endpoint or self.token_endpoint(),
            tokens,
            client_id=self.endpoint.client_id,
            now=self.now(),
            request_id=self.new_id(),
            headers=self.token_headers(),
            extra=self.token_params(),
        )

    def token_endpoint(self) -> str:
        """Where tokens are renewed when the consent's own address is not at hand."""
        server = self.authorisation_server()
        return f"{self.endpoint.base_url}/token" if server is None else server.token_endpoint

    def revoke_consent(self, access: Access) -> None:
        try:
            self.call(
                "DELETE",
                f"/consents/{segment(access.bank_consent_id)}",
                "/consents/{id}",
                CallKind.CONSENT,
                headers={**psu_headers(access.psu), **self._revoking(access)},
                is_attended=access.psu is not None,
            )
        except ConsentEnded:
            return
        except RequestRefused as error:
            if error.status not in (404, 405, 410):
                raise

    def _revoking(self, access: Access) -> dict[str, str]:
        if not self.needs_token_to_revoke:
            return {}
        return {"Authorization": f"Bearer {access.tokens.current().access_token}"}

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

    # The way the PSU authorises

    def _decided(self, handle: ConsentHandle, answer: BankAnswer, psu: PsuContext) -> StartedConsent:
        """The handle and step for the answer to a new consent."""
        status = self._status_of(
            answer.json_object().get("consentStatus"), default=ConsentStatus.AWAITING_AUTHORISATION
        )
        if status is not ConsentStatus.AWAITING_AUTHORISATION:
            return StartedConsent(handle, Finished(status))
        private, step = way_of(
            self, answer, handle.private, scope=self.scope(handle.bank_consent_id), template="/consents/{id}",
            kind=CallKind.CONSENT, psu=psu,
        )  # fmt: skip
        return StartedConsent(replace(handle, private=private), step)

    def _check_state(self, handle: ConsentHandle, callback: Mapping[str, str]) -> None:
        require_state(handle.private, callback, bank_id=self.profile.bank_id)

    def _tokens_of(self, handle: ConsentHandle, callback: Mapping[str, str]) -> TokenSet | None:
        return tokens_of(self, handle.private, callback)

    def _status(self, consent_id: str, psu: PsuContext | None) -> ConsentStatus:
        path = f"/consents/{segment(consent_id)}/status"
        return self._consent(path, "/consents/{id}/status", psu).status

    def _details(self, consent_id: str, psu: PsuContext | None) -> ConsentDetails:
        if not self.can_read_consent_details:
            return ConsentDetails(self._status(consent_id, psu))
        return self._consent(f"/consents/{segment(consent_id)}", "/consents/{id}", psu)

    def _consent(self, path: str, template: str, psu: PsuContext | None) -> ConsentDetails:
        answer = self.call(
            "GET", path, template, CallKind.CONSENT, headers=psu_headers(psu), is_attended=psu is not None
        )
        body = answer.json_object()
        return ConsentDetails(self._status_of(body.get("consentStatus")), text.day(body.get("validUntil")))

    def _status_of(self, value: object, default: ConsentStatus | None = None) -> ConsentStatus:
        """A status not known counts as awaiting, never as valid; a missing one is an error without `default`."""
        word = text.present(value)
        if word is None:
            if default is None:
                raise BankAnswerInvalid("the bank gave no consent status", bank_id=self.profile.bank_id)
            return default
        return _STATUSES.get(word.casefold(), ConsentStatus.AWAITING_AUTHORISATION)

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
            code = refusal.bank_code
            if code is None and self.can_read_consents and self.reads_consents_without_token:
                # A bare 401 may mean the consent as well as the token; the bank's status tells which it was.
                code = self._status(session.access.bank_consent_id, session.access.psu).value
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
