"""A consent's link, without sign-in: what its page shows, and which browser may see accounts (CON-05, CON-06)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from connectors.model import PsuContext
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.consents.errors import ChoiceNotOpen, LinkNotValid, OtherBrowser
from gateway.consents.lives import last_day_of
from gateway.consents.models import CallbackToken, Consent, ConsentSitting
from gateway.consents.repository import CallbackTokenRepository, ConsentRepository, ProofRepository
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import STARTABLE, ConsentState
from gateway.offices.logos import logo_address
from gateway.offices.models import Office
from gateway.offices.repository import ClientRepository
from gateway.offices.service import require_open

LINK: Final = "link"
LINK_PATH: Final = "/link/"
SITTING_PATH: Final = "/renewal/"
LINK_LIFE: Final = timedelta(days=14)
STATE_LIFE: Final = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the PSU's page shows. It names the office and the client, and no account."""

    token: str
    """The link's own token: the page lives at `/link/{token}`."""
    consent_id: UUID
    office_name: str
    office_logo: str | None
    client_name: str
    bank_id: str
    bank_name: str
    hint: str
    """What the PSU needs at hand, in the consent's language."""
    licence_holder: str | None
    """Who asks the bank, by its licence."""
    gives_booked_balance: str
    """`yes`, `no` or `unknown`: without a booked balance no day proves (CON-02)."""
    language: str
    state: str
    valid_until: date
    """Last day once valid; until then the last day if it is authorised today."""
    link_expires_at: datetime
    can_begin: bool
    can_choose: bool
    is_chosen: bool
    refusal_code: str | None
    return_url: str | None
    today: date
    """In the office; a move can be on this day or later."""
    is_renewal: bool = False
    needs_code: bool = False
    """This browser has to show the code of the invitation first (CON-06)."""
    waits_for_proof: bool = False
    """Of what was ticked, accounts wait until it is proven that they are the client's (CON-08)."""
    is_own_browser: bool = False
    """It may see the accounts: it came back from the bank, or showed the code."""
    sitting_url: str | None = None
    """The page of all permissions, for one that is renewed together with the others (CON-12)."""


class Links:
    """What every step of the PSU takes from the link it came with."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.secrets = ConsentSecrets(gateway.keys)

    def view_link(self, token: str, *, browser_secret: str = "") -> LinkView:
        """What stands behind a link, in this browser; raises `LinkNotValid`."""
        found = self._link(token)
        with self.gateway.database.unit_of_work(found.office_id) as session:
            return self._view(session, self._act(found), found, browser_secret)

    def _link(self, token: str) -> CallbackToken:
        with self.gateway.database.unit_of_work(None) as session:
            found = CallbackTokenRepository(session).find(LINK, self.gateway.keys.keyed_hash(LINK, token))
        if found is None or found.expires_at <= self.gateway.real_now():
            raise LinkNotValid
        return found

    def _act(self, found: CallbackToken, psu: PsuContext | None = None) -> Act:
        act = self.gateway.system_act(found.office_id)
        return Act(principal=act.principal, now=act.now, real_now=act.real_now, psu=psu)

    def _office(self, session: Session, act: Act) -> Office:
        office = session.get(Office, act.office_id)
        assert office is not None, "an act belongs to an office that exists"
        return office

    def _last_day(self, session: Session, act: Act, consent: Consent, answer: date | None) -> date:
        profile = self.gateway.banks.profile(consent.bank_id)
        return last_day_of(session, consent, profile, self._office(session, act), today=act.today, answer=answer)

    def _sitting_url(self, session: Session, act: Act, consent: Consent) -> str | None:
        sitting = session.get(ConsentSitting, consent.sitting_id) if consent.sitting_id is not None else None
        if sitting is None or sitting.expires_at <= act.real_now:
            return None
        return f"{SITTING_PATH}{self.secrets.sitting(sitting)}"

    def _locked(self, session: Session, act: Act, consent_id: UUID) -> Consent:
        consent = ConsentRepository(session).get(act.office_id, consent_id, is_locked=True)
        assert consent is not None, "asked for a consent that exists"
        return consent

    def _require_client_open(self, session: Session, act: Act, consent: Consent) -> None:
        client = ClientRepository(session).get_granted(act.office_id, consent.client_id, today=act.today)
        if client is None:
            raise LinkNotValid
        require_open(client)

    def _choosable(
        self, session: Session, act: Act, found: CallbackToken, browser_secret: str, *, is_locked: bool = False
    ) -> Consent:
        consent = ConsentRepository(session).get(act.office_id, found.consent_id, is_locked=is_locked)
        assert consent is not None, "a link belongs to a consent that exists"
        if consent.state != ConsentState.VALID:
            raise ChoiceNotOpen(state=consent.state)
        if not self._is_own(consent, browser_secret):
            raise OtherBrowser
        return consent

    def _is_own(self, consent: Consent, browser_secret: str) -> bool:
        """The browser that came back from the bank, or one that showed the code of the invitation."""
        known = (consent.browser_hash, consent.code_browser_hash)
        return any(self._is_browser(one, browser_secret) for one in known)

    def _is_browser(self, known: bytes | None, browser_secret: str) -> bool:
        mine = self.gateway.keys.keyed_hash("browser", browser_secret)
        return known is not None and secrets.compare_digest(known, mine)

    def _is_closed_to(self, consent: Consent, browser_secret: str) -> bool:
        """Whether this browser has to show a code first; not the one that has come back from the bank (CON-06)."""
        return consent.is_code_needed and not self._is_own(consent, browser_secret)

    def _view(self, session: Session, act: Act, found: CallbackToken, browser_secret: str = "") -> LinkView:
        consent = ConsentRepository(session).get(act.office_id, found.consent_id)
        assert consent is not None, "a token belongs to a consent that exists"
        client = ClientRepository(session).get_granted(act.office_id, consent.client_id, today=act.today)
        if client is None:
            raise LinkNotValid
        office = self._office(session, act)
        profile = self.gateway.banks.profile(consent.bank_id)
        return LinkView(
            token=self.secrets.link(consent),
            consent_id=consent.id,
            office_name=office.name,
            office_logo=logo_address(session, act.office_id),
            client_name=client.name,
            bank_id=profile.bank_id,
            bank_name=profile.name,
            hint=profile.user_hints.get(consent.language, ""),
            licence_holder=self.gateway.banks.licence_holder(profile.bank_id),
            gives_booked_balance=str(profile.gives_booked_balance),
            language=consent.language,
            state=consent.state,
            valid_until=consent.valid_until or self._last_day(session, act, consent, None),
            link_expires_at=consent.link_expires_at,
            can_begin=consent.state in STARTABLE,
            can_choose=consent.state == ConsentState.VALID and consent.chosen_at is None,
            is_chosen=consent.chosen_at is not None,
            refusal_code=consent.refusal_code,
            return_url=consent.return_url,
            today=act.today,
            is_renewal=consent.replaces_id is not None,
            needs_code=self._is_closed_to(consent, browser_secret),
            waits_for_proof=bool(ProofRepository(session).waiting(act.office_id, consent.id)),
            is_own_browser=self._is_own(consent, browser_secret),
            sitting_url=self._sitting_url(session, act, consent),
        )
