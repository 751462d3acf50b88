"""The seal of a payment: an HMAC over exactly what was shown, so that any later change is noticed (APP-07).

The key lives outside the database; whoever changes a row there cannot make a seal that fits. The canonical form is
versioned and never changes for a version: seals are kept for years.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from sepa.errors import SealKeyTooShort

VERSION = "v1"
KEY_BYTES_MIN = 32

PAYMENT_FIELDS = frozenset(
    {
        "office_id",
        "client_id",
        "payment_id",
        "source_reference",
        "debtor_iban",
        "creditor_name",
        "creditor_iban",
        "creditor_bic",
        "creditor_address",
        "amount",
        "currency",
        "asked_date",
        "date_choice",
        "remittance",
        "category_purpose",
        "invoice_sha256",
    }
)
APPROVAL_FIELDS = frozenset({"seal", "user_id", "acting_for", "verdict", "rule_versions", "decided_at"})


def seal(payment_fields: Mapping[str, object], key: bytes) -> str:
    """The seal `v1:<64 hex>` over the fields of `PAYMENT_FIELDS`, each of them given (None when it has no value).

    Further fields may be added and are sealed too. Values: str, bool, int, Decimal, date, datetime with an offset,
    None, and lists and mappings of these. Equal amounts seal alike however they are written (1.5 and 1.50).
    Raises `ValueError` for a missing field, `TypeError` for another type (never a float), `SealKeyTooShort`.
    """
    return _seal("payment", payment_fields, PAYMENT_FIELDS, key)


def seal_approval(approval_fields: Mapping[str, object], key: bytes) -> str:
    """The seal of one approval over the payment's seal, approver, verdict and rule versions; as `seal`."""
    return _seal("approval", approval_fields, APPROVAL_FIELDS, key)


def verify(given: str, payment_fields: Mapping[str, object], key: bytes) -> bool:
    """Whether the seal fits the fields; takes the same time whatever differs. False for an unknown version."""
    return hmac.compare_digest(given.encode(), seal(payment_fields, key).encode())


def verify_approval(given: str, approval_fields: Mapping[str, object], key: bytes) -> bool:
    """As `verify`, for the seal of an approval."""
    return hmac.compare_digest(given.encode(), seal_approval(approval_fields, key).encode())


def canonical(fields: Mapping[str, object]) -> bytes:
    """The bytes that are sealed: JSON with sorted names, no blanks, and the type of every value beside it."""
    return json.dumps(_tagged(dict(fields)), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _seal(kind: str, fields: Mapping[str, object], required: frozenset[str], key: bytes) -> str:
    if len(key) < KEY_BYTES_MIN:
        raise SealKeyTooShort(f"the seal key has fewer than {KEY_BYTES_MIN} bytes")
    missing = sorted(required - fields.keys())
    if missing:
        raise ValueError(f"a {kind} is sealed with {', '.join(missing)} too")
    # The kind and version are part of the message, so that no seal can serve in another place.
    message = f"sluis/{kind}/{VERSION}\n".encode() + canonical(fields)
    return f"{VERSION}:{hmac.new(key, message, hashlib.sha256).hexdigest()}"


def _tagged(value: object) -> object:  # noqa: PLR0911 — one line per type reads best
    match value:
        case None | bool():
            return value
        case str():
            return ["s", str(value)]
        case int():
            return ["i", str(value)]
        case Decimal() if value.is_finite():
            # `f` never writes an exponent and, unlike arithmetic, never rounds.
            plain = "0" if value.is_zero() else f"{value:f}"
            return ["d", plain.rstrip("0").rstrip(".") if "." in plain else plain]
        case datetime() if value.tzinfo is not None:
            return ["t", value.astimezone(UTC).isoformat()]
        case date() if not isinstance(value, datetime):
            return ["y", value.isoformat()]
        case list() | tuple():
            return ["l", *map(_tagged, value)]
        case dict():
            if not all(isinstance(name, str) for name in value):
                raise TypeError("names of sealed fields are strings")
            return ["m", {name: _tagged(part) for name, part in value.items()}]
    raise TypeError(f"a {type(value).__name__} cannot be sealed")
