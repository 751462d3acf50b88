"""Recorded answers of a bank in the place of its line: the connector reads them, and no bank is called.

Answers are given by kind and template of the call, in the order in which they came: a rule that asks for other days, or
walks pages otherwise, still meets them. A call of which nothing is left raises `AnswerNotRecorded`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from connectors.http import BankAnswer, BankHttp, BankRequest, CallKind
from connectors.model import TokenSet

RECORDED: Final = frozenset({CallKind.ACCOUNTS, CallKind.BALANCES, CallKind.TRANSACTIONS})
"""What may be recorded. Calls for tokens, consents and payments hold secrets in their answers, and never are."""
HEADERS: Final = frozenset({"content-type", "date", "link", "retry-after", "x-request-id"})
"""Headers of an answer that are kept, in lower case: they tell what it is, and no secret stands in them."""


class AnswerNotRecorded(Exception):
    """The connector asks for something that was not recorded; its template says what."""

    def __init__(self, template: str) -> None:
        super().__init__(f"no recorded answer is left for {template}")
        self.template = template


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """One answer as it came, and which call it answered. Nothing of the request's headers is here."""

    kind: CallKind
    template: str
    request_id: str
    """Tries of one call share it."""
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)


def recorded(request: BankRequest, answer: BankAnswer) -> RecordedAnswer | None:
    """What is kept of an answer; None for one that is never recorded."""
    if request.kind not in RECORDED:
        return None
    headers = {name: value for name, value in answer.headers.items() if name in HEADERS}
    return RecordedAnswer(
        request.kind, request.template, request.request_id, answer.status, headers, answer.body, answer.url
    )


class ReplayHttp(BankHttp):
    """The line to a bank, played from a record. It has no connection to close and none to open."""

    def __init__(
        self,
        base_url: str,
        *,
        bank_id: str,
        now: Callable[[], datetime],
        answers: Iterable[RecordedAnswer],
        allowed_hosts: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(base_url, bank_id=bank_id, now=now, allowed_hosts=allowed_hosts)
        super().close()
        self._left: dict[tuple[CallKind, str], deque[RecordedAnswer]] = {}
        for answer in answers:
            pile = self._left.setdefault((answer.kind, answer.template), deque())
            if pile and pile[-1].request_id == answer.request_id:
                # A try that was repeated: the last one counts, as it did then.
                pile.pop()
            pile.append(answer)

    def send(self, request: BankRequest) -> BankAnswer:
        pile = self._left.get((request.kind, request.template))
        if not pile:
            raise AnswerNotRecorded(request.template)
        found = pile.popleft()
        return self._accepted(request, BankAnswer(found.status, found.headers, found.body, found.url))

    def close(self) -> None:
        pass


class ReplayTokens:
    """Tokens of nobody: what is played back asks for none."""

    def current(self) -> TokenSet:
        return TokenSet("replayed")

    def renew(self, rejected: TokenSet) -> TokenSet:  # noqa: ARG002  the shape of `TokenKeeper`
        return TokenSet("replayed")
