"""What proves that a permission was given: text and its version, moment, address and accounts, as a PDF (CON-07).

Made when accounts are connected, once, and kept encrypted with its SHA-256: every download gives the same bytes. An
account that is proven later gets a document of its own; one that still waits stands in none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlmodel import Session, col

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.consents.errors import ConsentEvidenceNotFound, EvidenceMasked
from gateway.consents.models import Consent, ConsentEvidence
from gateway.consents.repository import ConsentRepository, EvidenceRepository
from gateway.consents.states import Relation
from gateway.consents.wording import RELATIONS, terms, text_version
from gateway.errors import NotFound
from gateway.i18n import _, sentence
from gateway.identity.rights import Permission
from gateway.ids import encode, new_id
from gateway.offices.models import Client, Office
from gateway.offices.service import require_client
from gateway.pagination import PageRequest, Sort
from gateway.web.formats import day, enterprise, fours, moment

if TYPE_CHECKING:
    from gateway.consents.evidence_pdf import Paper

TABLE: Final = "consent_evidence"
"""Name to which the encrypted bytes are bound."""


def keep_evidence(
    gateway: Gateway,
    session: Session,
    act: Act,
    consent: Consent,
    accounts: Sequence[Account],
    *,
    by_operator: bool = False,
    relation: Relation | None = None,
) -> None:
    """Write down that these accounts were connected now, by the person whose address the act carries.

    `relation` is what was said of a holder whose name is another, `by_operator` that an operator proved it.
    """
    if not accounts:
        return
    from gateway.consents.evidence_pdf import write_pdf  # noqa: PLC0415  a third of a second at every start else

    content = write_pdf(_paper(gateway, session, act, consent, accounts, by_operator=by_operator, relation=relation))
    evidence_id = new_id()
    session.add(
        ConsentEvidence(
            id=evidence_id,
            office_id=consent.office_id,
            consent_id=consent.id,
            text_version=text_version(consent.language),
            accounts_count=len(accounts),
            content_cipher=gateway.keys.encrypt(content, office_id=consent.office_id, table=TABLE, row_id=evidence_id),
            sha256=hashlib.sha256(content).hexdigest(),
            made_at=act.now,
        )
    )


def page_of_evidence(
    gateway: Gateway, act: Act, consent_id: UUID, request: PageRequest
) -> tuple[list[ConsentEvidence], str | None]:
    """The documents of a consent, the newest first; raises `ConsentEvidenceNotFound`, `EvidenceMasked`."""
    order = [Sort(col(ConsentEvidence.id), lambda row: str(row.id), UUID, is_descending=True)]
    with gateway.database.unit_of_work(act.office_id) as session:
        _require(session, act, consent_id)
        query = EvidenceRepository(session).of_consent(act.office_id, consent_id)
        return gateway.pager.page(session, query, order, request, name=f"evidence:{act.office_id}:{consent_id}")


def read_evidence(gateway: Gateway, act: Act, consent_id: UUID, evidence_id: UUID) -> tuple[ConsentEvidence, bytes]:
    """One document; raises as `page_of_evidence`. Its bytes are compared with the hash they were stored with."""
    with gateway.database.unit_of_work(act.office_id) as session:
        _require(session, act, consent_id)
        found = EvidenceRepository(session).get(act.office_id, evidence_id)
        if found is None or found.consent_id != consent_id:
            raise ConsentEvidenceNotFound
        content = gateway.keys.decrypt(found.content_cipher, office_id=act.office_id, table=TABLE, row_id=found.id)
        assert hashlib.sha256(content).hexdigest() == found.sha256, "evidence never changes"
        return found, content


def _require(session: Session, act: Act, consent_id: UUID) -> None:
    """Whoever reads the consent may read it, but for those to whom numbers are masked (OFF-08)."""
    consent = ConsentRepository(session).get(act.office_id, consent_id)
    if consent is None:
        raise ConsentEvidenceNotFound
    try:
        require_client(session, act, consent.client_id, Permission.CONSENTS_READ)
    except NotFound:
        raise ConsentEvidenceNotFound from None
    if act.principal.masks_ibans(consent.client_id):
        raise EvidenceMasked


def _paper(
    gateway: Gateway,
    session: Session,
    act: Act,
    consent: Consent,
    accounts: Sequence[Account],
    *,
    by_operator: bool,
    relation: Relation | None,
) -> Paper:
    language = consent.language
    office, client = session.get_one(Office, consent.office_id), session.get_one(Client, consent.client_id)
    bank = gateway.banks.profile(consent.bank_id)

    def say(text: str, **known: str) -> str:
        return sentence(language, text, known)

    who = [
        (say(_("Accountancy office")), office.name),
        (say(_("Client")), " · ".join(filter(None, (client.name, enterprise(client.enterprise_number))))),
        (say(_("Bank")), bank.name),
        (say(_("Number of the permission")), encode("consent", consent.id)),
    ]
    how = [
        (say(_("Permission given at the bank")), moment(consent.state_since)),
        (say(_("Valid until")), day(consent.valid_until)),
        (say(_("Accounts connected")), moment(act.now)),
    ]
    if by_operator:
        how.append((say(_("Proven by")), say(_("The operator of this installation"))))
    else:
        address = act.psu.ip_address if act.psu is not None else "–"
        how.append((say(_("Network address of the account holder")), address))
    if relation is not None:
        how.append((say(_("What the holder is to the client")), say(RELATIONS[relation])))
    from gateway.consents.evidence_pdf import Paper  # noqa: PLC0415  see above

    return Paper(
        language=language,
        title=say(_("Permission to read accounts")),
        parts=[
            (say(_("Who")), who),
            (
                say(_("What the account holder was told")),
                terms(
                    language,
                    office=office.name,
                    licence_holder=gateway.banks.licence_holder(consent.bank_id),
                    valid_until=consent.valid_until,
                ),
            ),
            (say(_("What was done")), how),
            (
                say(_("Accounts")),
                [(f"{fours(account.iban)} {account.currency}", account.holder_name or "–") for account in accounts],
            ),
        ],
        foot=say(_("Text version {version}. Made by Sluis."), version=text_version(language)),
        made_at=act.now,
    )
