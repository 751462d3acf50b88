"""One account authorised anew, where each has an end of its own: the office asks, the account holder does it.

The link and the way back work as those of a consent: who holds the link may start, and the return counts in the browser
that started. The return proves nothing: the source is asked for the last day, and the account is read while its holder
is present. Tokens and the other accounts stay as they are. Requirement CON-16.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from sqlmodel import Session

from connectors.base import Connector
from connectors.errors import ConnectorError
from connectors.model import Access, PsuContext
from gateway.accounts.errors import AccountMoved, AccountNotFound
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository, SyncRepository
from gateway.accounts.syncs import queue_sync
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents.errors import CallbackNotValid, ConsentNotValid, LinkNotValid, ReauthorisationNotOffered
from gateway.consents.links import LINK_LIFE, STATE_LIFE
from gateway.consents.models import CallbackToken, Consent
from gateway.consents.prolonging import prolong
from gateway.consents.repository import CallbackTokenRepository, ConsentRepository
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import ConsentState
from gateway.consents.tokens import ConsentTokens
from gateway.errors import NotFound
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.logos import logo_address
from gateway.offices.models import Office
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_client, require_open

LINK: Final = "account"
STATE: Final = "anew"
LINK_PATH: Final = "/reauthorise/"
BACK_PATH: Final = "/reauthorise/back"

log = logging.getLogger("gateway.consents")


@dataclass(frozen=True, slots=True)
class Asked:
    """A link for the account holder, given once."""

    account: Account
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReauthorisationView:
    """What the account holder's page shows; of the account its last digits only."""

    office_name: str
    office_logo: str | None
    client_name: str
    bank_name: str
    account_ends_with: str
    currency: str
    language: str
    valid_until: date | None
    link_expires_at: datetime
    can_begin: bool


class Reauthorisations:
    """Both sides of it."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._secrets = ConsentSecrets(gateway.keys)

    def ask(self, act: Act, account_id: UUID) -> Asked:
        """A link with which the account holder authorises this account anew; it works for 14 days.

        Raises `AccountNotFound`, `ReauthorisationNotOffered` where a consent covers its accounts together,
        `ConsentNotValid`, and what `require_client` raises.
        """
        token = secrets.token_urlsafe(32)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            account = AccountRepository(session).get(act.office_id, account_id)
            if account is None:
                raise AccountNotFound
            try:
                require_client(session, act, account.client_id, Permission.CONSENTS_WRITE, is_change=True)
            except NotFound:
                raise AccountNotFound from None
            if account.moved_on is not None:
                raise AccountMoved
            consent = self._valid(session, account)
            if not self.gateway.banks.connector(consent.bank_id).reauthorises_accounts:
                raise ReauthorisationNotOffered
            expires_at = act.real_now + LINK_LIFE
            self._keep(session, account, consent, LINK, token, made_at=act.real_now, expires_at=expires_at)
            self._record(session, act, account, "asked", consent)
        return Asked(account, f"{self.gateway.settings.base_url}{LINK_PATH}{token}", expires_at)

    def view(self, token: str) -> ReauthorisationView:
        """What stands behind a link; raises `LinkNotValid`."""
        return self._view(self._link(token))

    def begin(self, token: str, *, browser_secret: str, psu: PsuContext) -> str:
        """Ask the source for a page and give its address; `psu` is the person in whose name it is asked.

        Raises `LinkNotValid`, `ConsentNotValid`, and what connectors raise.
        """
        found = self._link(token)
        act, state = self._act(found, psu), secrets.token_urlsafe(32)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            account, consent = self._open(session, act, found)
            self._keep(
                session, account, consent, STATE, state, made_at=act.real_now, expires_at=act.real_now + STATE_LIFE,
                browser_hash=self._browser(browser_secret),
            )  # fmt: skip
            connector, access = self._access(act, consent)
            bank_account_id = account.bank_account_id
        assert bank_account_id is not None, "an account with a consent has the bank's id"
        back = f"{self.gateway.settings.base_url}{BACK_PATH}?{urlencode({'state': state})}"
        step = connector.reauthorise_account(access, bank_account_id, back)
        if step is None:
            raise ReauthorisationNotOffered
        return step.url

    def receive(self, params: Mapping[str, str], *, browser_secret: str, psu: PsuContext) -> ReauthorisationView:
        """The account holder is back: ask the last day, and read the account while its holder is here.

        Raises `CallbackNotValid` for a state that is unknown, used, too old or of another browser.
        """
        found = self._take(params.get("state", ""), browser_secret)
        act = self._act(found, psu)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            account, consent = self._open(session, act, found)
            self._record(session, act, account, "returned", consent)
        try:
            prolong(self.gateway, found.office_id, found.consent_id)
        except ConnectorError as error:
            # The reading that follows meets the same trouble, and says who must act.
            log.info("the last day was not asked", extra={"consent_id": str(found.consent_id), "code": error.code})
        with self.gateway.database.unit_of_work(found.office_id) as session:
            account, _ = self._open(session, act, found)
            if SyncRepository(session).open_of(act.office_id, account.id) is None:
                queue_sync(session, self.gateway.keys, account, reason="request", now=act.now, psu=psu)
        return self._view(found)

    # Tokens

    def _keep(
        self,
        session: Session,
        account: Account,
        consent: Consent,
        purpose: str,
        token: str,
        *,
        made_at: datetime,
        expires_at: datetime,
        browser_hash: bytes | None = None,
    ) -> None:
        session.add(
            CallbackToken(
                id=new_id(),
                office_id=account.office_id,
                consent_id=consent.id,
                account_id=account.id,
                purpose=purpose,
                token_hash=self.gateway.keys.keyed_hash(purpose, token),
                browser_hash=browser_hash,
                created_at=made_at,
                expires_at=expires_at,
            )
        )

    def _link(self, token: str) -> CallbackToken:
        with self.gateway.database.unit_of_work(None) as session:
            found = CallbackTokenRepository(session).find(LINK, self.gateway.keys.keyed_hash(LINK, token))
        if found is None or found.expires_at <= self.gateway.real_now():
            raise LinkNotValid
        return found

    def _take(self, state: str, browser_secret: str) -> CallbackToken:
        """Use up a state in the browser that it was made for."""
        token_hash, now = self.gateway.keys.keyed_hash(STATE, state), self.gateway.real_now()
        with self.gateway.database.unit_of_work(None) as session:
            found = CallbackTokenRepository(session).find(STATE, token_hash, is_locked=True)
            is_fit = (
                found is not None
                and found.used_at is None
                and found.expires_at > now
                and found.browser_hash is not None
                and secrets.compare_digest(found.browser_hash, self._browser(browser_secret))
            )
            if found is None or not is_fit:
                log.warning("return refused", extra={"reason": "state_not_valid"})
                raise CallbackNotValid
            found.used_at = now
            session.add(found)
            return found

    def _browser(self, browser_secret: str) -> bytes:
        return self.gateway.keys.keyed_hash("browser", browser_secret)

    # What stands behind them

    def _open(self, session: Session, act: Act, found: CallbackToken) -> tuple[Account, Consent]:
        """The account and its consent, still the one that was asked about."""
        assert found.account_id is not None, "these tokens name an account"
        account = AccountRepository(session).get(act.office_id, found.account_id, is_locked=True)
        if account is None or account.consent_id != found.consent_id or account.moved_on is not None:
            raise LinkNotValid
        client = ClientRepository(session).get_granted(act.office_id, account.client_id, today=act.today)
        if client is None:
            raise LinkNotValid
        require_open(client)
        return account, self._valid(session, account)

    def _valid(self, session: Session, account: Account) -> Consent:
        consent = None
        if account.consent_id is not None:
            consent = ConsentRepository(session).get(account.office_id, account.consent_id)
        if consent is None or consent.state != ConsentState.VALID:
            raise ConsentNotValid
        return consent

    def _access(self, act: Act, consent: Consent) -> tuple[Connector, Access]:
        handle = self._secrets.handle(consent)
        assert handle is not None, "a valid consent has one"
        connector = self.gateway.banks.connector(consent.bank_id)
        tokens = ConsentTokens(self.gateway, connector, office_id=consent.office_id, consent_id=consent.id)
        return connector, Access(handle.bank_consent_id, tokens, act.psu)

    def _view(self, found: CallbackToken) -> ReauthorisationView:
        act = self._act(found)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            assert found.account_id is not None, "these tokens name an account"
            account = AccountRepository(session).get(act.office_id, found.account_id)
            consent = ConsentRepository(session).get(act.office_id, found.consent_id)
            office = session.get(Office, act.office_id)
            if account is None or consent is None or office is None:
                raise LinkNotValid
            client = ClientRepository(session).get_granted(act.office_id, account.client_id, today=act.today)
            if client is None:
                raise LinkNotValid
            is_same = account.consent_id == consent.id and account.moved_on is None
            return ReauthorisationView(
                office_name=office.name,
                office_logo=logo_address(session, act.office_id),
                client_name=client.name,
                bank_name=self.gateway.banks.profile(consent.bank_id).name,
                account_ends_with=account.iban[-4:],
                currency=account.currency,
                language=consent.language,
                valid_until=consent.valid_until,
                link_expires_at=found.expires_at,
                can_begin=is_same and consent.state == ConsentState.VALID,
            )

    def _act(self, found: CallbackToken, psu: PsuContext | None = None) -> Act:
        act = self.gateway.system_act(found.office_id)
        return Act(principal=act.principal, now=act.now, real_now=act.real_now, psu=psu)

    def _record(self, session: Session, act: Act, account: Account, what: str, consent: Consent) -> None:
        self.gateway.audit.record(
            session,
            act,
            f"account.reauthorisation_{what}",
            "account",
            account.id,
            client_id=account.client_id,
            changes={"consent_id": Change(None, str(consent.id))},
        )
