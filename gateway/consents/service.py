"""The office's side of consents: create, look, revoke (CON-05, CON-09, CON-14). The PSU's side is in `links`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlmodel import Session, col

from connectors.errors import ConsentError, RequestRefused, TokenRejected
from connectors.model import Access
from gateway.act import Act
from gateway.consents import endings
from gateway.consents.choosing import ChoiceSteps
from gateway.consents.errors import ConsentNotFound, ReturnUrlNotRegistered
from gateway.consents.links import LINK_PATH, LinkView
from gateway.consents.making import make_consent
from gateway.consents.models import Consent, ConsentAccount, ConsentAnswer
from gateway.consents.renewing import check_renewable
from gateway.consents.repository import ConsentRepository
from gateway.consents.states import ConsentState
from gateway.consents.tokens import NoTokens
from gateway.errors import FieldFault, NotFound
from gateway.identity.rights import Permission
from gateway.metadata.writing import Holder, set_pairs
from gateway.offices.models import Client
from gateway.offices.repository import ClientRepository
from gateway.offices.service import clients_open, require_client, require_not_closed
from gateway.pagination import PageRequest, Sort

log = logging.getLogger("gateway.consents")

__all__ = ["ConsentService", "ConsentView", "LinkView"]


@dataclass(frozen=True, slots=True)
class ConsentView:
    """A consent, the accounts the bank offered under it, and what its holder said of those that changed."""

    consent: Consent
    accounts: Sequence[ConsentAccount]
    answers: Sequence[ConsentAnswer] = ()


class ConsentService(ChoiceSteps):
    """Everything about consents."""

    def create(
        self,
        act: Act,
        *,
        client_id: UUID,
        bank_id: str,
        language: str,
        return_url: str | None = None,
        metadata: Mapping[str, str] | None = None,
        replaces: UUID | None = None,
    ) -> tuple[Consent, str]:
        """A consent to be authorised, and the address of our page where the PSU begins; it works for 14 days.

        The address is given here only: its token is a secret. `replaces` is the consent that it renews. Raises
        `BankUnknown`, `BankNotConfigured`, `ReturnUrlNotRegistered`, `ConsentNotFound`, what `check_renewable` raises,
        and what `require_client` raises.
        """
        act.require(Permission.CONSENTS_WRITE, client_id)
        self._check_return_url(return_url)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CONSENTS_WRITE, is_change=True)
            if replaces is not None:
                older = self._visible(session, act, replaces, Permission.CONSENTS_WRITE)
                check_renewable(older, client_id=client_id, bank_id=bank_id, today=act.today)
            consent, token = make_consent(
                self.gateway, session, act,
                client_id=client_id, bank_id=bank_id, language=language, return_url=return_url, replaces=replaces,
            )  # fmt: skip
            set_pairs(self.gateway.audit, session, act, Holder("consent", consent.id, client_id, is_new=True), metadata)
        return consent, f"{self.gateway.settings.base_url}{LINK_PATH}{token}"

    def get(self, act: Act, consent_id: UUID) -> ConsentView:
        """One consent; raises `ConsentNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = self._visible(session, act, consent_id, Permission.CONSENTS_READ)
            consents = ConsentRepository(session)
            answers = consents.answers_of(act.office_id, [consent.id])
            return ConsentView(consent, consents.offered(act.office_id, consent.id), answers)

    def page(
        self, act: Act, request: PageRequest, *, client_id: UUID | None = None, state: ConsentState | None = None
    ) -> tuple[list[ConsentView], str | None]:
        """Consents, the newest first."""
        act.require(Permission.CONSENTS_READ, client_id)
        order = [Sort(col(Consent.id), lambda consent: str(consent.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            granted = clients_open(session, act, Permission.CONSENTS_READ)
            consents = ConsentRepository(session)
            query = consents.visible(act.office_id, granted.with_only_columns(col(Client.id)))
            if client_id is not None:
                require_client(session, act, client_id, Permission.CONSENTS_READ)
                query = query.where(Consent.client_id == client_id)
            if state is not None:
                query = query.where(Consent.state == state)
            name = f"consents:{act.office_id}:{client_id}:{state}"
            rows, cursor = self.gateway.pager.page(session, query, order, request, name=name)
            ids = [row.id for row in rows]
            accounts, answers = consents.offered_of(act.office_id, ids), consents.answers_of(act.office_id, ids)
            views = [
                ConsentView(
                    row,
                    [one for one in accounts if one.consent_id == row.id],
                    [one for one in answers if one.consent_id == row.id],
                )
                for row in rows
            ]
            return views, cursor

    def revoke(self, act: Act, consent_id: UUID) -> Consent:
        """End a consent: here at once, tokens destroyed; then at the bank, now or as soon as it answers (CON-14).

        One that still waits is abandoned. Data stays for its retention. Raises `ConsentNotFound`,
        `InvalidTransition` when it is already over.
        """
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = self._visible(session, act, consent_id, Permission.CONSENTS_WRITE, is_locked=True)
            client = ClientRepository(session).get(act.office_id, consent.client_id)
            assert client is not None, "a consent belongs to a client"
            require_not_closed(client)
            endings.revoke(self.gateway, session, act, consent)
        return consent

    def end_at_bank(self, act: Act, consent_id: UUID) -> None:
        """Tell the bank that a consent ended here; repeated until it is told. Raises what connectors raise."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = ConsentRepository(session).get(act.office_id, consent_id)
            if consent is None or not consent.is_bank_end_due:
                return
            handle = self.secrets.handle(consent)
            bank_id = consent.bank_id
        if handle is not None:
            try:
                self.gateway.banks.connector(bank_id).revoke_consent(Access(handle.bank_consent_id, NoTokens(), None))
            except (ConsentError, TokenRejected, RequestRefused):
                # The bank does not know it any more, or a repeat changes nothing; it is over here in any case.
                log.info("consent ended here, not known at the bank", extra={"consent_id": str(consent_id)})
        with self.gateway.database.unit_of_work(act.office_id) as session:
            consent = self._locked(session, act, consent_id)
            consent.is_bank_end_due = False
            consent.handle_cipher = None
            session.add(consent)

    def _visible(
        self, session: Session, act: Act, consent_id: UUID, permission: Permission, *, is_locked: bool = False
    ) -> Consent:
        consent = ConsentRepository(session).get(act.office_id, consent_id, is_locked=is_locked)
        if consent is None:
            raise ConsentNotFound
        try:
            # Ending a permission stays possible while the client is suspended; closing it ended them all.
            require_client(session, act, consent.client_id, permission)
        except NotFound:
            raise ConsentNotFound from None
        return consent

    def _check_return_url(self, return_url: str | None) -> None:
        if return_url is None:
            return
        own = urlsplit(self.gateway.settings.base_url)
        try:
            wanted = urlsplit(return_url)
            is_own = (wanted.scheme, wanted.netloc) == (own.scheme, own.netloc)
        except ValueError:
            is_own = False
        if not is_own and return_url not in self.gateway.settings.return_urls:
            raise ReturnUrlNotRegistered(
                faults=[FieldFault("/return_url", ReturnUrlNotRegistered.code, ReturnUrlNotRegistered.title)]
            )
