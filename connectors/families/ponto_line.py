"""Calls to Ponto Connect: tokens, lists by cursor, new resources; what the answers mean is read elsewhere.

Source: as in `connectors.families.ponto`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from connectors import oauth, text
from connectors.base import Connector, Need
from connectors.errors import (
    AccountGone,
    BankAnswerInvalid,
    ConsentEnded,
    ConsentError,
    OperatorError,
    RequestRefused,
    TokenRejected,
)
from connectors.families import ponto_rows
from connectors.families.ponto_errors import UNKNOWN, error_of, failure_of
from connectors.http import BankAnswer, BankRequest, CallKind
from connectors.model import Access, PsuContext, Redirect, TokenSet

PAGE_ROWS: Final = 100
EARLY: Final = timedelta(seconds=60)
"""An access token is renewed this long before its end."""

Query = tuple[str, str, CallKind]
"""Path, template and kind of a list."""
ACCOUNTS: Final[Query] = ("/accounts", "/accounts", CallKind.ACCOUNTS)


@dataclass(slots=True)
class Session:
    """What must stay the same over the pages of one read."""

    access: Access
    tokens: TokenSet


class PontoLine(Connector):
    """Calls of both doors."""

    pages_max: ClassVar[int] = 500
    intermediary: ClassVar[str | None] = "Ponto"
    registered: ClassVar[frozenset[Need]] = frozenset({Need.CLIENT_SECRET})

    # Reading with a token

    def resources(self, access: Access) -> list[Mapping[str, Any]]:
        """Every account of the organisation as Ponto gives it."""
        return self.resources_of(self.session(access))

    def resources_of(self, session: Session) -> list[Mapping[str, Any]]:
        """As `resources`, within a session that goes on."""
        found = []
        for rows, _ in self.plain(session, ACCOUNTS):
            for row in rows:
                if not isinstance(row, Mapping):
                    raise BankAnswerInvalid("an account is no object", bank_id=self.profile.bank_id)
                found.append(row)
        return found

    def plain(self, session: Session, query: Query) -> Iterator[tuple[list[Any], Mapping[str, Any]]]:
        """The rows of each page, none twice, and what is beside them; raises when it must be authorised anew."""
        seen = set[str]()

        def read(params: Mapping[str, str]) -> BankAnswer:
            return self.read(session, query[0], query[1], query[2], params)

        for rows, body in self.pages(read, query):
            beside = ponto_rows.meta(body)
            failure = failure_of(beside.get("latestSynchronization"), bank_id=self.profile.bank_id)
            if isinstance(failure, ConsentError):
                # The copy would go on being read and grow old without a word.
                raise failure
            known = [text.present_id(row.get("id")) if isinstance(row, Mapping) else None for row in rows]
            yield [row for row, found in zip(rows, known, strict=True) if found is None or found not in seen], beside
            seen.update(found for found in known if found is not None)

    def of_account(self, session: Session, query: Query) -> Iterator[tuple[list[Any], Mapping[str, Any]]]:
        """As `plain`; raises `AccountGone` where Ponto does not know the account, which no read brings back."""
        with self.account_known():
            yield from self.plain(session, query)

    @contextmanager
    def account_known(self) -> Iterator[None]:
        """Tells an account that was taken out of the integration from an address that is wrong."""
        try:
            yield
        except RequestRefused as refused:
            if refused.bank_code != UNKNOWN:
                raise
            raise AccountGone(
                "Ponto does not know the account", bank_id=self.profile.bank_id, status=refused.status,
                bank_code=refused.bank_code,
            ) from refused  # fmt: skip

    def optional(self, session: Session, query: Query) -> Iterator[tuple[list[Any], Mapping[str, Any]]]:
        """As `plain`, and nothing where Ponto does not know the address: banks without unsettled rows."""
        try:
            yield from self.plain(session, query)
        except RequestRefused as refused:
            if refused.status != 404:
                raise

    def pages(
        self, read: Callable[[Mapping[str, str]], BankAnswer], query: Query
    ) -> Iterator[tuple[list[Any], Mapping[str, Any]]]:
        """Rows and body of each page. Only the cursor of a link is used, never its address."""
        cursor: str | None = None
        used: set[str | None] = set()
        for _ in range(self.pages_max):
            used.add(cursor)
            params = {"page[limit]": str(PAGE_ROWS)} | ({} if cursor is None else {"page[after]": cursor})
            body = read(params).json_object()
            rows = body.get("data")
            if not isinstance(rows, list):
                raise BankAnswerInvalid("the answer holds no list", bank_id=self.profile.bank_id)
            yield rows, body
            cursor = self._following(body, rows, used)
            if cursor is None:
                return
        raise BankAnswerInvalid(f"more than {self.pages_max} pages of {query[1]}", bank_id=self.profile.bank_id)

    def _following(self, body: Mapping[str, Any], rows: list[Any], used: set[str | None]) -> str | None:
        """The cursor of the next, older page; None at the end. Raises for a link to another host."""
        links, paging = body.get("links"), ponto_rows.meta(body).get("paging")
        url = self.http.link(links.get("next")) if isinstance(links, Mapping) else None
        cursor = text.present_id(paging.get("after")) if isinstance(paging, Mapping) else None
        if url is None and cursor is None:
            return None
        if url is not None:
            named = parse_qs(urlsplit(url).query)
            cursor = next((named[name][-1] for name in ("page[after]", "after") if name in named), None)
        if cursor is None or cursor in used:
            # A page that names itself; any row's id serves as a cursor, so nothing is lost.
            last = rows[-1] if rows else None
            cursor = text.present_id(last.get("id")) if isinstance(last, Mapping) else None
            if cursor is None or cursor in used:
                raise BankAnswerInvalid("the pages lead in a circle", bank_id=self.profile.bank_id)
        return cursor

    def session(self, access: Access) -> Session:
        return Session(access, access.tokens.current())

    def read(
        self, session: Session, path: str, template: str, kind: CallKind, params: Mapping[str, str] | None = None
    ) -> BankAnswer:
        def once(token: str) -> BankAnswer:
            return self.call("GET", path, template, kind, token, params=params, psu=session.access.psu)

        return self._with_token(session, once)

    def reader(self, token: str, psu: PsuContext | None) -> Callable[[Mapping[str, str]], BankAnswer]:
        """Reads accounts with a token that no keeper holds yet."""
        path, template, kind = ACCOUNTS
        return lambda params: self.call("GET", path, template, kind, token, params=params, psu=psu)

    def create(self, access: Access, path: str, template: str, kind: str, attributes: Mapping[str, Any]) -> BankAnswer:
        """A new resource; one key for both tries, of which the first was refused for its token."""
        headers = {"Ibanity-Idempotency-Key": self.new_id()}
        body = {"data": {"type": kind, "attributes": attributes}}

        def once(token: str) -> BankAnswer:
            return self.call(
                "POST", path, template, CallKind.CONSENT, token, json=body, headers=headers, psu=access.psu
            )

        return self._with_token(self.session(access), once)

    def _with_token(self, session: Session, once: Callable[[str], BankAnswer]) -> BankAnswer:
        """A call with the token; one that is refused is renewed once and the call repeated once."""
        try:
            return once(f"Bearer {session.tokens.access_token}")
        except TokenRejected:
            session.tokens = session.access.tokens.renew(session.tokens)
        try:
            return once(f"Bearer {session.tokens.access_token}")
        except TokenRejected as refusal:
            raise ConsentEnded(
                "Ponto refuses a fresh token too",
                bank_id=self.profile.bank_id, status=401, bank_code=refusal.bank_code,
            ) from refusal  # fmt: skip

    def call(
        self,
        method: str,
        path: str,
        template: str,
        kind: CallKind,
        authorization: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        psu: PsuContext | None,
    ) -> BankAnswer:
        answer = self.http.send(
            BankRequest(
                method=method,
                url=path,
                template=template,
                kind=kind,
                request_id=self.new_id(),
                headers={**(headers or {}), "Authorization": authorization},
                params=params,
                json=json,
                content=content,
                is_attended=psu is not None,
            )
        )
        if not answer.is_success:
            raise error_of(answer, bank_id=self.profile.bank_id, has_token=True)
        return answer

    def page_of(self, resource: Mapping[str, Any]) -> Redirect | None:
        """The page a new resource sends the PSU to; raises `BankAnswerInvalid` for an address that is none.

        It is opened by the PSU's browser and never by us: no list of hosts applies to it.
        """
        links = resource.get("links")
        url = links.get("redirect") if isinstance(links, Mapping) else None
        if url is None:
            return None
        if not isinstance(url, str) or urlsplit(url).scheme not in ("https", urlsplit(self.endpoint.base_url).scheme):
            raise BankAnswerInvalid("Ponto gave a page that is no address", bank_id=self.profile.bank_id)
        return Redirect(url)

    # Tokens

    @property
    def token_endpoint(self) -> str:
        """Where all tokens come from."""
        return f"{self.endpoint.base_url}/oauth2/token"

    def client_headers(self) -> dict[str, str]:
        """What names our registration at the token address."""
        if self.endpoint.client_secret is None:
            raise OperatorError("the client secret of the registration is not set", bank_id=self.profile.bank_id)
        pair = f"{self.endpoint.client_id}:{self.endpoint.client_secret}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def client_tokens(self, *, is_attended: bool) -> TokenSet:
        """Tokens of the registration itself, of nobody's account."""
        answer = oauth.post(
            self.http,
            self.token_endpoint,
            {"grant_type": "client_credentials"},
            request_id=self.new_id(),
            headers=self.client_headers(),
            is_attended=is_attended,
        )
        return early(oauth.read_tokens(self.http, answer, self.now(), refusal=OperatorError, refresh_token=None))


def data_of(answer: BankAnswer) -> Mapping[str, Any]:
    """The one resource of an answer."""
    found = answer.json_object().get("data")
    if not isinstance(found, Mapping):
        raise BankAnswerInvalid("the answer holds no resource", status=answer.status)
    return found


def early(tokens: TokenSet) -> TokenSet:
    """Tokens whose life ends a little before Ponto says so."""
    return tokens if tokens.expires_at is None else replace(tokens, expires_at=tokens.expires_at - EARLY)
