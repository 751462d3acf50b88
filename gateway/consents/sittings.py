"""One link per client that leads the account holder through all its permissions, one after the other (CON-12, CON-14).

Also those that are not due yet: given in one sitting they end together, with the shortest of them. The link works
without sign-in for 14 days; its token is stored as a hash, and encrypted for leading back from one bank to the next.
Each renewal is a consent of its own with its own link (`renewing`), so that a bank that fails holds up no other.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors.model import PsuContext
from gateway.accounts.models import Account
from gateway.accounts.repository import AccountRepository
from gateway.accounts.states import SyncHealth
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents import endings
from gateway.consents.errors import ConsentNotFound, LinkNotValid, NothingToRenew
from gateway.consents.links import LINK_LIFE, SITTING_PATH
from gateway.consents.lives import last_day
from gateway.consents.making import make_consent
from gateway.consents.models import Consent, ConsentSitting
from gateway.consents.repository import ConsentRepository, SittingRepository
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import RENEWABLE, STARTABLE, WAITING, ConsentState
from gateway.consents.telling import tell_stopped
from gateway.identity.rights import Permission
from gateway.ids import decode, encode, new_id
from gateway.offices.logos import logo_address
from gateway.offices.models import Client, Office
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_client, require_open

PURPOSE: Final = "sitting"


@dataclass(frozen=True, slots=True)
class AskedSitting:
    """A link for the account holder, given once."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SittingItem:
    """One permission as its giver sees it: the bank, the last digits of its accounts, and its last day."""

    consent_id: UUID
    bank_name: str
    account_ends: Sequence[str]
    valid_until: date | None
    is_active: bool
    """Something is read, or can be."""
    is_renewed: bool
    """Given in this sitting."""


@dataclass(frozen=True, slots=True)
class SittingView:
    """What the pages show."""

    token: str
    office_name: str
    office_logo: str | None
    client_name: str
    language: str
    link_expires_at: datetime
    items: Sequence[SittingItem]
    """Renewed ones first, then the rest by their last day."""

    @property
    def due(self) -> list[SittingItem]:
        """What is still to be renewed."""
        return [item for item in self.items if not item.is_renewed]

    @property
    def active(self) -> list[SittingItem]:
        """What can be stopped."""
        return [item for item in self.items if item.is_active]


class Sittings:
    """The office's side and the account holder's."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._secrets = ConsentSecrets(gateway.keys)

    def ask(self, act: Act, client_id: UUID) -> AskedSitting:
        """A link to all permissions of a client; raises `NothingToRenew`, and what `require_client` raises."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CONSENTS_WRITE, is_change=True)
            if not standing(session, act.office_id, client_id):
                raise NothingToRenew
            return self.open_in(session, act, client_id)

    def open_in(self, session: Session, act: Act, client_id: UUID) -> AskedSitting:
        """The same inside a unit of work, for a mail."""
        secret = secrets.token_urlsafe(32)
        sitting = ConsentSitting(
            id=new_id(),
            office_id=act.office_id,
            client_id=client_id,
            token_hash=self.gateway.keys.keyed_hash(PURPOSE, secret),
            link_cipher=b"",
            created_at=act.real_now,
            expires_at=act.real_now + LINK_LIFE,
        )
        # The office stands in the link, so that no table of all offices' links is needed to find it.
        token = f"{encode('office', act.office_id)}.{secret}"
        sitting.link_cipher = self._secrets.seal_sitting(sitting, token)
        session.add(sitting)
        self.gateway.audit.record(
            session, act, "client.renewal_link_made", "client", client_id, client_id=client_id,
            changes={"expires_at": Change(None, sitting.expires_at.isoformat())},
        )  # fmt: skip
        session.flush()
        return AskedSitting(f"{self.gateway.settings.base_url}{SITTING_PATH}{token}", sitting.expires_at)

    def view(self, token: str) -> SittingView:
        """What stands behind a link; raises `LinkNotValid`."""
        office_id, secret = self._parts(token)
        act = self.gateway.system_act(office_id)
        with self.gateway.database.unit_of_work(office_id) as session:
            sitting, client = self._open(session, act, secret)
            return self._view(session, act, sitting, client)

    def go_on(self, token: str, consent_id: UUID, *, psu: PsuContext | None) -> str:
        """The link token of the renewal of one permission: of the one begun in this sitting, else of a new one.

        Raises `LinkNotValid`, `ConsentNotFound`, `ClientSuspended`, `BankNotConfigured`.
        """
        office_id, secret = self._parts(token)
        act = self._act(office_id, psu)
        with self.gateway.database.unit_of_work(office_id) as session:
            sitting, client = self._open(session, act, secret, is_locked=True)
            require_open(client)
            made = SittingRepository(session).consents(office_id, sitting.id)
            due = _due(session, office_id, client.id, made)
            older = next((consent for consent, _ in due if consent.id == consent_id), None)
            if older is None:
                raise ConsentNotFound
            for begun in made:
                is_usable = begun.state in STARTABLE or (begun.state == ConsentState.VALID and begun.chosen_at is None)
                if begun.replaces_id == older.id and is_usable and begun.link_expires_at > act.real_now:
                    return self._secrets.link(begun)
            if sitting.ends_on is None:
                sitting.ends_on = self._ends_on(session, act, [consent for consent, _ in due])
                session.add(sitting)
            # Asked for in a sitting, no day is too early: all are to end together.
            _, link_token = make_consent(
                self.gateway, session, act,
                client_id=client.id, bank_id=older.bank_id, language=older.language,
                replaces=older.id, sitting_id=sitting.id,
            )  # fmt: skip
            return link_token

    def stop(self, token: str, consent_id: UUID, *, psu: PsuContext | None) -> None:
        """The account holder stops one permission; office and contact are told once (CON-14).

        Also of a client that is suspended. Raises `LinkNotValid`, `ConsentNotFound`; stopped before, nothing changes.
        """
        office_id, secret = self._parts(token)
        act = self._act(office_id, psu)
        with self.gateway.database.unit_of_work(office_id) as session:
            _, client = self._open(session, act, secret)
            consent = ConsentRepository(session).get(office_id, consent_id, is_locked=True)
            if consent is None or consent.client_id != client.id:
                raise ConsentNotFound
            if consent.state not in WAITING | {ConsentState.VALID}:
                return
            was_valid = consent.state == ConsentState.VALID
            endings.revoke(self.gateway, session, act, consent)
            if was_valid:
                tell_stopped(self.gateway, session, act, consent)

    def _ends_on(self, session: Session, act: Act, due: Sequence[Consent]) -> date:
        office = session.get_one(Office, act.office_id)
        return min(last_day(self.gateway.banks.profile(one.bank_id), office, act.today, None) for one in due)

    def _parts(self, token: str) -> tuple[UUID, str]:
        office, _, secret = token.partition(".")
        try:
            return decode("office", office), secret
        except ValueError:
            raise LinkNotValid from None

    def _open(
        self, session: Session, act: Act, secret: str, *, is_locked: bool = False
    ) -> tuple[ConsentSitting, Client]:
        token_hash = self.gateway.keys.keyed_hash(PURPOSE, secret)
        sitting = SittingRepository(session).find(act.office_id, token_hash, is_locked=is_locked)
        if sitting is None or sitting.expires_at <= act.real_now:
            raise LinkNotValid
        client = ClientRepository(session).get_granted(act.office_id, sitting.client_id, today=act.today)
        if client is None:
            raise LinkNotValid
        return sitting, client

    def _act(self, office_id: UUID, psu: PsuContext | None) -> Act:
        act = self.gateway.system_act(office_id)
        return Act(principal=act.principal, now=act.now, real_now=act.real_now, psu=psu)

    def _view(self, session: Session, act: Act, sitting: ConsentSitting, client: Client) -> SittingView:
        made = SittingRepository(session).consents(act.office_id, sitting.id)
        renewed = [consent for consent in made if consent.state == ConsentState.VALID and consent.chosen_at is not None]
        by_consent = _accounts(session, act.office_id, client.id)
        shown = [(consent, by_consent.get(consent.id, []), True) for consent in renewed]
        shown += [(consent, accounts, False) for consent, accounts in _due(session, act.office_id, client.id, made)]
        office = session.get_one(Office, act.office_id)
        return SittingView(
            token=self._secrets.sitting(sitting),
            office_name=office.name,
            office_logo=logo_address(session, act.office_id),
            client_name=client.name,
            language=client.language,
            link_expires_at=sitting.expires_at,
            items=[
                SittingItem(
                    consent_id=consent.id,
                    bank_name=self.gateway.banks.profile(consent.bank_id).name,
                    account_ends=[account.iban[-4:] for account in accounts],
                    valid_until=consent.valid_until,
                    is_active=consent.state == ConsentState.VALID,
                    is_renewed=is_renewed,
                )
                for consent, accounts, is_renewed in shown
            ],
        )


def standing(session: Session, office_id: UUID, client_id: UUID) -> list[tuple[Consent, list[Account]]]:
    """Permissions of a client that read accounts, or ended and left accounts that wait; by their last day."""
    by_consent = _accounts(session, office_id, client_id)
    found = [
        consent
        for consent in ConsentRepository(session).of_ids(office_id, list(by_consent))
        if consent.state in RENEWABLE and consent.chosen_at is not None
    ]
    found.sort(key=lambda consent: (consent.valid_until or date.max, consent.id))
    return [(consent, by_consent[consent.id]) for consent in found]


def _due(
    session: Session, office_id: UUID, client_id: UUID, made: Sequence[Consent]
) -> list[tuple[Consent, list[Account]]]:
    """What the sitting has not renewed yet. What a renewal left with the older one was answered for there."""
    done = {consent.id for consent in made}
    done |= {one.replaces_id for one in made if one.chosen_at is not None and one.replaces_id is not None}
    return [pair for pair in standing(session, office_id, client_id) if pair[0].id not in done]


def _accounts(session: Session, office_id: UUID, client_id: UUID) -> dict[UUID, list[Account]]:
    """Accounts that are read, or wait to be read again, by the consent they stand under."""
    found: dict[UUID, list[Account]] = {}
    for account in AccountRepository(session).of_client(office_id, client_id):
        if account.consent_id is not None and account.moved_on is None and account.health != SyncHealth.ENDED:
            found.setdefault(account.consent_id, []).append(account)
    return found
