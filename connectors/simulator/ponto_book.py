"""What the simulated Ponto remembers beside consents: synchronisations, ends of accounts, keys that sign webhooks."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import RLock
from typing import Any, Final
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors.simulator.clock import BRUSSELS, BankClock

JSON = dict[str, Any]
RUNS: Final = (2, 8, 14, 20)
"""Hours in Brussels at which Ponto reads every account by itself."""
AGAIN_AFTER: Final = timedelta(minutes=5)
"""The same synchronisation is refused until then; the real wait is not published."""
LIFE_SECONDS: Final = 60
ISSUER: Final = "https://api.ibanity.com"


@dataclass(slots=True, kw_only=True)
class Synchronisation:
    """One reading of one account; it gets on each time somebody looks."""

    synchronisation_id: str
    consent_id: str
    account_id: str
    subtype: str
    created_at: datetime
    since: datetime
    """What was booked after this moment is new."""
    code: str | None
    """Why it fails; None succeeds."""
    looks: int = 0

    @property
    def status(self) -> str:
        """Pending, then running, then over."""
        return ("pending", "running")[self.looks] if self.looks < 2 else ("success" if self.code is None else "error")


@dataclass(slots=True, kw_only=True)
class Reauthorisation:
    """A page on which one account is authorised anew."""

    consent_id: str
    account_id: str
    redirect_uri: str = field(repr=False)


class RecentlySynchronised(Exception):
    """The same was asked for minutes ago."""


class PontoBook:
    """The state of the simulated Ponto; may be used by several threads."""

    def __init__(self, clock: BankClock) -> None:
        self._clock = clock
        self._lock = RLock()
        self._keys: list[tuple[str, rsa.RSAPrivateKey]] = []
        self.reset()

    def reset(self) -> None:
        """Forget everything but the keys."""
        with self._lock:
            self._client_tokens: set[str] = set()
            self._synchronisations: dict[str, Synchronisation] = {}
            self._reauthorisations: dict[str, Reauthorisation] = {}
            self._ends: dict[tuple[str, str], date] = {}
            self._failing: dict[str, tuple[str, datetime]] = {}
            self._anew: dict[tuple[str, str], datetime] = {}
            self._answers: dict[str, tuple[bytes, JSON]] = {}
            self._removed: set[tuple[str, str]] = set()
            self._additions: dict[tuple[str, str], int] = {}
            self._paying: set[str] = set()
            self._inactive: set[str] = set()
            self._activations: dict[str, tuple[str, str]] = {}

    # Tokens of applications

    def new_client_token(self) -> str:
        """A token of the application itself."""
        with self._lock:
            token = secrets.token_urlsafe(32)
            self._client_tokens.add(token)
            return token

    def is_client_token(self, token: str) -> bool:
        """Whether this application token was given."""
        return token in self._client_tokens

    # Synchronisations

    def fail(self, account_id: str, code: str = "authorizationInvalid") -> None:
        """From now on the account's bank cannot be read; `code` says why. A new authorisation mends it.

        The copy stays what it was, and grows old.
        """
        with self._lock:
            self._failing[account_id] = (code, self._clock.now)

    def mend(self, account_id: str) -> None:
        """The account's bank can be read again, from the next reading on."""
        with self._lock:
            self._failing.pop(account_id, None)

    def failure(self, account_id: str) -> str | None:
        """Why the account's bank cannot be read."""
        found = self._failing.get(account_id)
        return found[0] if found else None

    def copied_at(self, consent_id: str, account_id: str, linked_at: datetime) -> datetime:
        """The moment of which the copy speaks: the last time the account's bank was read.

        Read it is when it is linked or authorised anew, at Ponto's own hours, and by a synchronisation that succeeded.
        """
        with self._lock:
            failing = self._failing.get(account_id)
            moments = [linked_at, last_run(failing[1] if failing else self._clock.now)]
            moments += [
                one.created_at
                for one in self._synchronisations.values()
                if one.account_id == account_id and one.status == "success"
            ]
            moments += [self._anew.get((consent_id, account_id), linked_at)]
            return max(moment.astimezone(UTC) for moment in moments)

    def tried_at(self, consent_id: str, account_id: str, linked_at: datetime) -> datetime:
        """The last time it was tried, with or without success."""
        copied = self.copied_at(consent_id, account_id, linked_at)
        failing = self._failing.get(account_id)
        return copied if failing is None else max(copied, failing[1], last_run(self._clock.now)).astimezone(UTC)

    def synchronise(self, consent_id: str, account_id: str, subtype: str, linked_at: datetime) -> Synchronisation:
        """Begin to read; raises `RecentlySynchronised`."""
        now = self._clock.now.astimezone(UTC)
        with self._lock:
            same = [
                known.created_at
                for known in self._synchronisations.values()
                if (known.account_id, known.subtype) == (account_id, subtype)
            ]
            last = max(same, default=None)
            if last is not None and now - last < AGAIN_AFTER:
                raise RecentlySynchronised
            found = Synchronisation(
                synchronisation_id=str(uuid4()),
                consent_id=consent_id,
                account_id=account_id,
                subtype=subtype,
                created_at=now,
                since=self.copied_at(consent_id, account_id, linked_at),
                code=self.failure(account_id),
            )
            self._synchronisations[found.synchronisation_id] = found
            return found

    def begun(self) -> int:
        """How many were begun."""
        return len(self._synchronisations)

    def synchronisation(self, synchronisation_id: str) -> Synchronisation | None:
        """One that was begun."""
        return self._synchronisations.get(synchronisation_id)

    # Accounts taken out and added again

    def remove(self, consent_id: str, account_id: str) -> None:
        """The account is not in the integration any more."""
        with self._lock:
            self._removed.add((consent_id, account_id))

    def add_again(self, consent_id: str, account_id: str) -> None:
        """The PSU added the account again: it has another id."""
        with self._lock:
            self._removed.discard((consent_id, account_id))
            self._additions[consent_id, account_id] = self.additions(consent_id, account_id) + 1

    def is_removed(self, consent_id: str, account_id: str) -> bool:
        """Whether the account was taken out."""
        return (consent_id, account_id) in self._removed

    def additions(self, consent_id: str, account_id: str) -> int:
        """How many times it was added again."""
        return self._additions.get((consent_id, account_id), 0)

    # Authorising one account anew

    def ask(self, consent_id: str, account_id: str, redirect_uri: str) -> str:
        """A page for one account; its id."""
        with self._lock:
            page_id = str(uuid4())
            self._reauthorisations[page_id] = Reauthorisation(
                consent_id=consent_id, account_id=account_id, redirect_uri=redirect_uri
            )
            return page_id

    def asked(self, page_id: str) -> Reauthorisation | None:
        """The page with this id, unless it was used."""
        return self._reauthorisations.get(page_id)

    def authorise(self, page_id: str, end: date) -> None:
        """The PSU approved: the account holds until `end`, and is read again."""
        with self._lock:
            asked = self._reauthorisations.pop(page_id)
            self._ends[asked.consent_id, asked.account_id] = end
            self._failing.pop(asked.account_id, None)
            self._anew[asked.consent_id, asked.account_id] = self._clock.now

    def end_of(self, consent_id: str, account_id: str, usual: date) -> date:
        """The last day of an account, `usual` for one that was not authorised anew."""
        return self._ends.get((consent_id, account_id), usual)

    # Payments

    def let_pay(self, consent_id: str) -> None:
        """The PSU was asked for payments too."""
        with self._lock:
            self._paying.add(consent_id)

    def may_pay(self, consent_id: str) -> bool:
        """Whether payments go under this consent."""
        return consent_id in self._paying

    def switch_off(self, organisation: str) -> None:
        """From now on the organisation has payments switched off."""
        with self._lock:
            self._inactive.add(organisation)

    def is_active(self, organisation: str) -> bool:
        """Whether the organisation has payments switched on; they are until `switch_off`."""
        return organisation not in self._inactive

    def ask_activation(self, organisation: str, redirect_uri: str) -> str:
        """A page on which payments are switched on; its id."""
        with self._lock:
            page_id = str(uuid4())
            self._activations[page_id] = (organisation, redirect_uri)
            return page_id

    def activation(self, page_id: str) -> str | None:
        """The organisation of a page, unless it was used."""
        found = self._activations.get(page_id)
        return found[0] if found else None

    def activate(self, page_id: str) -> str | None:
        """Payments are on; where the browser goes back to."""
        with self._lock:
            found = self._activations.pop(page_id, None)
            if found is None:
                return None
            self._inactive.discard(found[0])
            return found[1]

    def once(self, key: str | None, content: bytes, answer: JSON) -> JSON:
        """The first answer under an idempotency key; raises `ValueError` when the body was another one."""
        if key is None:
            return answer
        with self._lock:
            first = self._answers.setdefault(key, (content, answer))
        if first[0] != content:
            raise ValueError("another body under the same key")
        return first[1]

    # Webhooks

    def key_set(self) -> JSON:
        """The public keys; the newest one is active, the others are not any more."""
        with self._lock:
            if not self._keys:
                self.rotate_key()
            newest = self._keys[-1][0]
            return {"keys": [_jwk(kid, key, is_active=kid == newest) for kid, key in self._keys]}

    def rotate_key(self) -> None:
        """Sign with another key from now on."""
        with self._lock:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self._keys.append((f"simulated_events_{len(self._keys) + 1}", key))

    def delivery(
        self, event_type: str, related: Mapping[str, str], *, audience: str, now: int, **attributes: Any
    ) -> tuple[str, bytes]:
        """Signature and body of one webhook; `related` names the resources by kind, `now` is Unix seconds."""
        created = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        data = {
            "type": f"pontoConnect.{event_type}",
            "id": str(uuid4()),
            "attributes": {"createdAt": created, **attributes},
            "relationships": {kind: {"data": {"type": kind, "id": found}} for kind, found in related.items()},
        }
        body = json.dumps({"data": data}, separators=(",", ":")).encode()
        claims = {
            "aud": audience,
            "digest": base64.b64encode(hashlib.sha512(body).digest()).decode(),
            "exp": now + LIFE_SECONDS,
            "iat": now,
            "iss": ISSUER,
            "jti": str(uuid4()),
        }
        with self._lock:
            self.key_set()
            kid, key = self._keys[-1]
        head = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS512", "kid": kid}, claims))
        return f"{head}.{_encoded(key.sign(head.encode(), padding.PKCS1v15(), hashes.SHA512()))}", body


def last_run(now: datetime) -> datetime:
    """The last of Ponto's own readings up to a moment."""
    local = now.astimezone(BRUSSELS)
    hours = [hour for hour in RUNS if hour <= local.hour]
    day = local if hours else local - timedelta(days=1)
    return day.replace(hour=hours[-1] if hours else RUNS[-1], minute=0, second=0, microsecond=0)


def uuid_of(name: str) -> str:
    """A UUID that is the same for the same name."""
    return str(UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def _jwk(kid: str, key: rsa.RSAPrivateKey, *, is_active: bool) -> JSON:
    numbers = key.public_key().public_numbers()
    return {
        "kty": "RSA",
        "alg": "RS512",
        "use": "sig",
        "status": "ACTIVE" if is_active else "DEPRECATED",
        "kid": kid,
        "e": _encoded(numbers.e.to_bytes(3)),
        "n": _encoded(numbers.n.to_bytes(256)),
    }


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
