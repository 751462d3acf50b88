"""The seal of a payment, always computed from its row (APP-07).

Sealed beyond the canonical payment: the texts as they leave, the round, the basis, the rules' revision and the
preparers, so that none of these can be changed in the database to make an approval count that should not.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from gateway.crypto import KeyRing
from gateway.payments.models import Payment
from sepa import seal as seals

SEALED: Final = (
    *Payment.CONTENT,
    "end_to_end_id",
    "approval_round",
    "approval_basis",
    "rules_revision",
    "source",
    "external_id",
)


def payment_seal(keys: KeyRing, payment: Payment, preparers: Iterable[UUID]) -> str:
    """The seal that fits the row as it is now."""
    fields: dict[str, object] = {name: _plain(getattr(payment, name)) for name in SEALED}
    fields |= {
        "office_id": str(payment.office_id),
        "client_id": str(payment.client_id),
        "payment_id": str(payment.id),
        "preparers": sorted(str(preparer) for preparer in preparers),
    }
    return seals.seal(fields, keys.seal_key)


def is_sealed(keys: KeyRing, payment: Payment, preparers: Iterable[UUID]) -> bool:
    """Whether the row is what was sealed when it was submitted."""
    expected = payment_seal(keys, payment, preparers)
    return payment.seal is not None and hmac.compare_digest(payment.seal.encode(), expected.encode())


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value
