"""Bringing a consent into being: the row, its link and the link's hash, in one unit of work."""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.consents.links import LINK, LINK_LIFE
from gateway.consents.models import CallbackToken, Consent
from gateway.consents.secrets import ConsentSecrets
from gateway.consents.states import ConsentState
from gateway.ids import encode, new_id


def make_consent(
    gateway: Gateway,
    session: Session,
    act: Act,
    *,
    client_id: UUID,
    bank_id: str,
    language: str,
    return_url: str | None = None,
    replaces: UUID | None = None,
    sitting_id: UUID | None = None,
) -> tuple[Consent, str]:
    """A consent to be authorised, and the token of its link, which works for 14 days; who may was checked before.

    Raises `BankUnknown`, `BankNotConfigured`.
    """
    gateway.banks.connector(bank_id)
    token = secrets.token_urlsafe(32)
    consent = Consent(
        id=new_id(),
        office_id=act.office_id,
        client_id=client_id,
        bank_id=bank_id,
        replaces_id=replaces,
        sitting_id=sitting_id,
        state=ConsentState.CREATED,
        state_since=act.now,
        language=language,
        return_url=return_url,
        link_cipher=b"",
        link_expires_at=act.real_now + LINK_LIFE,
        created_at=act.now,
    )
    consent.link_cipher = ConsentSecrets(gateway.keys).seal_link(consent, token)
    session.add(consent)
    session.flush()
    session.add(
        CallbackToken(
            id=new_id(),
            office_id=act.office_id,
            consent_id=consent.id,
            purpose=LINK,
            token_hash=gateway.keys.keyed_hash(LINK, token),
            created_at=act.real_now,
            expires_at=consent.link_expires_at,
        )
    )
    gateway.audit.record(
        session,
        act,
        "consent.created",
        "consent",
        consent.id,
        client_id=client_id,
        changes={
            "bank_id": Change(None, bank_id),
            **({"replaces": Change(None, encode("consent", replaces))} if replaces is not None else {}),
        },
    )
    return consent, token
