"""Passkeys in forms: the question stands in the page, a script puts the answer into a field and sends the form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from starlette.datastructures import FormData

from gateway.ids import decode
from gateway.passkeys.service import Answer

CHALLENGE_FIELD: Final = "passkey_challenge"
ANSWER_FIELD: Final = "passkey_answer"
SIGNATURE_FIELD: Final = "passkey_signature"
"""Set where the passkey signs the decision in the form, rather than only proving who sends it."""
ANSWER_LENGTH_MAX: Final = 20_000
NAME_LENGTH_MAX: Final = 70


@dataclass(frozen=True, slots=True)
class PasskeyShown:
    """A question as it stands in a page."""

    challenge_id: UUID
    options: str


def answer_of(form: FormData) -> Answer | None:
    """The authenticator's answer in a form; None when there is none that can be read."""
    challenge, text = form.get(CHALLENGE_FIELD), form.get(ANSWER_FIELD)
    if not isinstance(challenge, str) or not isinstance(text, str) or not text or len(text) > ANSWER_LENGTH_MAX:
        return None
    try:
        credential = json.loads(text)
        challenge_id = decode("passkey_challenge", challenge)
    except (ValueError, RecursionError):
        return None
    return Answer(challenge_id, credential) if isinstance(credential, dict) else None
