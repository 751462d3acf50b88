"""What is kept of one reading: the question we asked and every answer, as one text that is then encrypted.

Nothing of the requests' headers is kept, and no call for tokens, consents or payments: see `connectors.replay`.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from connectors.http import CallKind
from connectors.replay import RecordedAnswer


@dataclass(frozen=True, slots=True)
class Question:
    """What the connector was asked, to ask it again."""

    bank_account_id: str = field(repr=False)
    bank_consent_id: str = field(repr=False)
    iban: str = field(repr=False)
    holder_name: str | None = field(repr=False)
    own_ibans: frozenset[str] = field(repr=False)
    date_from: date
    today: date


@dataclass(frozen=True, slots=True)
class Content:
    """A question and its answers."""

    question: Question
    answers: Sequence[RecordedAnswer] = field(repr=False)


def packed(content: Content) -> bytes:
    """As bytes, to be encrypted."""
    question: dict[str, Any] = asdict(content.question)
    question["own_ibans"] = sorted(content.question.own_ibans)
    answers = [
        {
            "kind": answer.kind,
            "template": answer.template,
            "request_id": answer.request_id,
            "status": answer.status,
            "headers": dict(answer.headers),
            "url": answer.url,
            "body": base64.b64encode(answer.body).decode(),
        }
        for answer in content.answers
    ]
    document = {"question": question, "answers": answers}
    return zlib.compress(json.dumps(document, default=date.isoformat, separators=(",", ":")).encode())


def unpacked(plain: bytes) -> Content:
    """The same, back from its bytes."""
    document = json.loads(zlib.decompress(plain))
    question = document["question"]
    return Content(
        Question(
            **question
            | {
                "own_ibans": frozenset(question["own_ibans"]),
                "date_from": date.fromisoformat(question["date_from"]),
                "today": date.fromisoformat(question["today"]),
            }
        ),
        [
            RecordedAnswer(**{**answer, "kind": CallKind(answer["kind"]), "body": base64.b64decode(answer["body"])})
            for answer in document["answers"]
        ],
    )
