"""What the bank of a client takes: the version of the file and the form of an address (PAY-07, PAY-14)."""

from __future__ import annotations

from uuid import UUID

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.models import Service
from gateway.offices.service import require_client
from gateway.payments.models import PaymentSettings
from gateway.payments.repository import PaymentRepository
from sepa import AddressMode


class PaymentSettingsService:
    """Set by the office, since it follows from the bank's contract."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def get(self, act: Act, client_id: UUID) -> PaymentSettings | None:
        """The settings; None: the defaults."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.PAYMENTS_READ)
            return PaymentRepository(session).settings(act.office_id, client_id)

    def put(self, act: Act, client_id: UUID, *, pain_version: str, address_mode: AddressMode) -> PaymentSettings:
        """Set them; for payments entered or submitted from now on."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            client = require_client(
                session, act, client_id, Permission.CLIENTS_WRITE, is_change=True, services=[Service.PAYMENTS]
            )
            session.refresh(client, with_for_update={"key_share": True})  # There may be no row yet to hold.
            settings = PaymentRepository(session).settings(act.office_id, client_id)
            if settings is None:
                settings = PaymentSettings(id=new_id(), office_id=act.office_id, client_id=client_id)
            changes = {
                "pain_version": Change(settings.pain_version, pain_version),
                "address_mode": Change(settings.address_mode, address_mode),
            }
            settings.pain_version, settings.address_mode = pain_version, address_mode.value
            session.add(settings)
            self.gateway.audit.record(
                session, act, "payment_settings.changed", "client", client_id, client_id=client_id, changes=changes
            )
        return settings
