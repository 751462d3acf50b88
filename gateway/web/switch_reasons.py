"""The reason a person gives when switching the source of an account (CON-17)."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import FormData

from gateway.errors import InputError
from gateway.web.security import text_of

REASON_MAX: Final = 200


class SwitchReasonMissing(InputError):
    """A switch without its reason."""

    code = "switch_reason_missing"
    title = "Say why the source is switched"
    hint = "The reason is kept with the switch, for whoever looks at the account later."


def reason_of(form: FormData) -> str:
    """One line; raises `SwitchReasonMissing`."""
    reason = " ".join(text_of(form, "reason").split())[:REASON_MAX]
    if not reason or not reason.isprintable():
        raise SwitchReasonMissing
    return reason
