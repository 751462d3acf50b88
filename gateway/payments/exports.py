"""Exporting approved payments, and downloading the files (PAY-13…15, SEC-02).

Everything of one export happens in one transaction: checks, file, states. What fails leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlmodel import Session, col

from gateway.act import Act
from gateway.approvals import asking
from gateway.approvals.evaluation import files, panels
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.rights import Permission, PersonRequired
from gateway.ids import encode, new_id
from gateway.offices.models import Client, ClientState
from gateway.pagination import PageRequest, Sort
from gateway.payments.access import find_basket, find_export, follow, states_of, visible_clients
from gateway.payments.departure import Hindrance, departure_of, faults, hindrances
from gateway.payments.errors import (
    AlreadyExported,
    BasketNotApproved,
    ClientNotActive,
    ExportRefused,
    ExportVoided,
    FileDamaged,
    NothingToExport,
    PaymentNotFound,
)
from gateway.payments.files import MadeFile, file_mac, make_files
from gateway.payments.models import Basket, Export, ExportDownload, ExportFile, ExportPayment, Payment
from gateway.payments.repository import ExportRepository, PaymentRepository
from gateway.payments.states import (
    EXPORT_TRANSITIONS,
    PAYMENT_TRANSITIONS,
    UNDER_WAY,
    BasketState,
    ExportState,
    PaymentState,
    step,
)
from gateway.payments.telling import tell
from gateway.signed_decisions.service import require_signature, totals_of


@dataclass(frozen=True, slots=True)
class Download:
    """The bytes, always the same."""

    export: Export
    content: bytes


class ExportService:
    """Files of a client."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def create(self, act: Act, basket_id: UUID, *, payment_ids: Collection[UUID] | None = None) -> list[Export]:
        """Files for the approved payments of a basket, or for a selection; one per debtor account.

        A person with the exporter's right and a fresh second factor only. Any failing check refuses the whole act.
        Raises `BasketNotApproved`, `AlreadyExported`, `NothingToExport`, `ExportRefused`, `ClientNotActive`.
        """
        act.require_fresh_second_factor(decision="export")
        with self.gateway.database.unit_of_work(act.office_id) as session:
            basket, client = find_basket(session, act, basket_id, Permission.PAYMENTS_EXPORT, is_change=True)
            require_active(client)
            together = PaymentRepository(session).lock_payments_of(act.office_id, [basket.id])
            chosen = self._chosen(session, act, basket, together, payment_ids)
            act.principal.require_asserted(
                client_id=client.id, object_id=basket.id, seals={payment.id: payment.seal for payment in chosen}
            )
            require_signature(
                self.gateway, session, act, "export", totals=totals_of(chosen),
                seals={payment.id: payment.seal for payment in chosen if payment.seal is not None},
            )  # fmt: skip
            departure = departure_of(session, act, chosen, asking.total_of(together))
            found = hindrances(session, act, self.gateway.keys, chosen, departure)
            if found:
                raise ExportRefused(count=len(found), faults=faults(found))
            made = make_files(
                act, self.gateway.keys, basket, client, chosen,
                accounts=departure.accounts, address_mode=departure.address_mode,
            )  # fmt: skip
            self._store(session, made)
            for payment in chosen:
                payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.EXPORTED)
                payment.version += 1
            session.add_all(chosen)
            for payment in chosen:
                tell(self.gateway.events, session, act, payment)
            follow(session, self.gateway.events, act, basket, states_of(together))
            for file in made:
                self._record(session, act, "export.created", file.export, {"state": Change(None, file.export.state)})
        return [file.export for file in made]

    def get(self, act: Act, export_id: UUID) -> Export:
        """One export, without its bytes."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return find_export(session, act, export_id, Permission.PAYMENTS_READ)[0]

    def downloads(self, act: Act, export_id: UUID, request: PageRequest) -> tuple[list[ExportDownload], str | None]:
        """Who downloaded the file and when, oldest first."""
        order = [Sort(col(ExportDownload.id), lambda row: str(row.id), UUID)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            find_export(session, act, export_id, Permission.PAYMENTS_READ)
            query = ExportRepository(session).downloads(act.office_id, export_id)
            return self.gateway.pager.page(session, query, order, request, name=f"downloads:{export_id}")

    def page(
        self, act: Act, request: PageRequest, *, client_id: UUID | None = None, basket_id: UUID | None = None
    ) -> tuple[list[Export], str | None]:
        """Exports of the clients open to the caller, newest first."""
        order = [Sort(col(Export.id), lambda row: str(row.id), UUID, is_descending=True)]
        wanted = {"client_id": client_id, "basket_id": basket_id}
        filters = {name: value for name, value in wanted.items() if value is not None}
        with self.gateway.database.unit_of_work(act.office_id) as session:
            clients = visible_clients(session, act, Permission.PAYMENTS_READ)
            query = ExportRepository(session).all(act.office_id, clients).filter_by(**filters)
            name = f"exports:{act.office_id}:{client_id}:{basket_id}"
            return self.gateway.pager.page(session, query, order, request, name=name)

    def download(self, act: Act, export_id: UUID) -> Download:
        """The bytes, after their hash was verified; the download is recorded.

        The first one runs the checks of the export again: what fails there voids the file and puts its payments back to
        submitted. Raises `ExportVoided`, `FileDamaged`, `ClientNotActive`, `PersonRequired`, `SecondFactorRequired`.
        """
        if not act.principal.is_person:
            raise PersonRequired
        with self.gateway.database.unit_of_work(act.office_id) as session:
            export, client = find_export(session, act, export_id, Permission.PAYMENTS_EXPORT, is_change=True)
            require_active(client)
            basket = PaymentRepository(session).basket(act.office_id, export.basket_id, for_update=True)
            assert basket is not None, "an export comes from a basket"
            session.refresh(export, with_for_update=True)
            if export.state in (ExportState.VOIDED, ExportState.REPLACED):
                raise ExportVoided(reason=export.voided_reason)
            is_first = export.first_downloaded_at is None
            found: list[Hindrance] = []
            if is_first:
                act.require_fresh_second_factor(decision="download")
                members = ExportRepository(session).payments(act.office_id, export.id)
                seals = {row.payment_id: row.seal for row in members}
                act.principal.require_asserted(client_id=client.id, object_id=export.id, seals=seals)
                require_signature(self.gateway, session, act, "download", totals={client.id: export.total}, seals=seals)
                found = self._recheck(session, act, basket, export)
            content = b"" if found else self._content(session, act, export, is_first=is_first)
        if found:
            raise ExportVoided(reason=found[0].code, faults=faults(found))
        return Download(export, content)

    # Helpers -----------------------------------------------------------------------------------------------------

    def _chosen(
        self,
        session: Session,
        act: Act,
        basket: Basket,
        together: Sequence[Payment],
        payment_ids: Collection[UUID] | None,
    ) -> list[Payment]:
        wanted = None if payment_ids is None else set(payment_ids)
        if wanted is not None and not wanted <= {payment.id for payment in together}:
            raise PaymentNotFound
        approved = [payment for payment in together if payment.state is PaymentState.APPROVED]
        selected = approved if wanted is None else [payment for payment in together if payment.id in wanted]
        live = ExportRepository(session).live(act.office_id, [payment.id for payment in selected or together])
        if live:
            raise AlreadyExported(export_ids=", ".join(sorted({encode("export", id_) for id_ in live.values()})))
        if basket.state not in (BasketState.APPROVED, BasketState.PROCESSING):
            raise BasketNotApproved(state=basket.state.value)
        waiting = [
            Hindrance(payment.id, "not_approved", f"The payment is {payment.state.value}.")
            for payment in selected
            if payment.state is not PaymentState.APPROVED
        ]
        if waiting:
            raise ExportRefused(count=len(waiting), faults=faults(waiting))
        if not selected:
            raise NothingToExport
        return selected

    @staticmethod
    def _store(session: Session, made: Sequence[MadeFile]) -> None:
        """In the order of the references: exports, files and blocks, then what stands in the blocks."""
        session.add_all([file.export for file in made])
        session.flush()
        session.add_all([file.file for file in made])
        session.add_all([block for file in made for block in file.blocks])
        session.flush()
        session.add_all([payment for file in made for payment in file.payments])
        session.flush()

    def _recheck(self, session: Session, act: Act, basket: Basket, export: Export) -> list[Hindrance]:
        """Run the checks of the export again; when one fails, void the file and ask anew for its payments."""
        together = PaymentRepository(session).lock_payments_of(act.office_id, [basket.id])
        members = ExportRepository(session).payments(act.office_id, export.id)
        inside = {member.payment_id: member for member in members}
        payments = [payment for payment in together if payment.id in inside]
        departure = departure_of(session, act, payments, asking.total_of(together))
        found = hindrances(session, act, self.gateway.keys, payments, departure)
        found += [
            Hindrance(payment.id, "seal_mismatch", "The payment is not what the file holds.")
            for payment in payments
            if payment.seal != inside[payment.id].seal or payment.state not in UNDER_WAY
        ]
        if found:
            total = departure.basket_total
            self._void(session, act, export, payments, members, reason=found[0].code, basket_total=total)
            follow(session, self.gateway.events, act, basket, states_of(together))
        return found

    def _void(
        self,
        session: Session,
        act: Act,
        export: Export,
        payments: Sequence[Payment],
        members: Sequence[ExportPayment],
        *,
        reason: str,
        basket_total: Decimal,
    ) -> None:
        export.state = step(EXPORT_TRANSITIONS, export.state, ExportState.VOIDED)
        export.voided_reason = reason
        for member in members:
            member.is_live = False
        session.add_all([export, *members])
        back = [payment for payment in payments if payment.state is PaymentState.EXPORTED]
        for payment in back:
            payment.used_date = None
        panel = panels(session, act.office_id, [export.client_id])[export.client_id]
        on_file = files(session, act.office_id, back)
        if back and panel.is_process_on:
            asking.ask(
                session, act, panel, back, on_file, keys=self.gateway.keys, events=self.gateway.events,
                basket_total=basket_total, is_refusing=False,
            )  # fmt: skip
        elif back:
            # Nobody would be asked: somebody must look at them and submit them again.
            for payment in back:
                payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.SUBMITTED)
                payment.state = step(PAYMENT_TRANSITIONS, payment.state, PaymentState.DRAFT)
                payment.seal = None
                payment.version += 1
            session.add_all(back)
        for payment in back:
            tell(self.gateway.events, session, act, payment, word="export_voided")
        self._record(
            session, act, "export.voided", export,
            {"state": Change(ExportState.CREATED, export.state), "reason": Change(None, reason)},
        )  # fmt: skip

    def _content(self, session: Session, act: Act, export: Export, *, is_first: bool) -> bytes:
        file = ExportRepository(session).file(act.office_id, export.id)
        if not self._is_intact(export, file):
            raise FileDamaged
        if is_first:
            export.state = step(EXPORT_TRANSITIONS, export.state, ExportState.DOWNLOADED)
            export.first_downloaded_at = act.now
            session.add(export)
        session.add(
            ExportDownload(
                id=new_id(),
                office_id=act.office_id,
                export_id=export.id,
                downloaded_by=act.principal.id,
                downloaded_at=act.now,
                is_first=is_first,
            )
        )
        self._record(session, act, "export.downloaded", export, {"is_first": Change(None, is_first)})
        return bytes(file.content)

    def _is_intact(self, export: Export, file: ExportFile) -> bool:
        sha256 = hashlib.sha256(file.content).hexdigest()
        return sha256 == file.sha256 == export.sha256 and hmac.compare_digest(
            bytes(file.mac), file_mac(self.gateway.keys, export.id, sha256)
        )

    def _record(self, session: Session, act: Act, action: str, export: Export, changes: dict[str, Change]) -> None:
        more = {
            "sha256": Change(None, export.sha256),
            "payment_count": Change(None, export.payment_count),
            "total": Change(None, export.total),
        }
        self.gateway.audit.record(
            session, act, action, "export", export.id, client_id=export.client_id, changes={**changes, **more},
            second_factor=act.second_factor,
        )  # fmt: skip


def require_active(client: Client) -> None:
    """Files are made and handed out for active clients only (PAY-13)."""
    if client.state != ClientState.ACTIVE:
        raise ClientNotActive
