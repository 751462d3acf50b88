"""Settings of the office, its template, and the settings of one client (OFF-01)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import StaleError
from gateway.identity.rights import Permission
from gateway.offices.copying import present_template
from gateway.offices.models import ClientSettings, Office, OfficeTemplate
from gateway.offices.repository import OfficeRepository
from gateway.offices.service import require_client
from gateway.offices.template import DEFAULT, Template


class OfficeSettingsService:
    """What an office says of itself, by its admins."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def put(self, act: Act, wanted: Mapping[str, Any], *, version: int) -> Office:
        """Name, language and default delivery; raises `StaleError`."""
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            office = session.get(Office, act.office_id, with_for_update=True)
            assert office is not None, "a principal belongs to an office that exists"
            if office.version != version:
                raise StaleError
            changes = changed(office, wanted)
            if changes:
                office.version += 1
                session.add(office)
                self.gateway.audit.record(session, act, "office.changed", "office", office.id, changes=changes)
        return office

    def template(self, act: Act) -> tuple[Template, int]:
        """The template and its version; the defaults and 0 when none was made."""
        act.require(Permission.CLIENTS_READ)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return present_template(session, act.office_id)

    def put_template(self, act: Act, template: Template, *, version: int) -> tuple[Template, int]:
        """What new clients begin with from now on; those that are there keep what they have.

        Other approval rules need a person with a fresh second factor, never a key. Raises `StaleError`.
        """
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            OfficeRepository(session).hold(act.office_id)  # There may be no row yet that could be held.
            row = session.get(OfficeTemplate, act.office_id)
            present, present_version = present_template(session, act.office_id)
            if template.rules != present.rules:
                act.require_fresh_second_factor()
            if present_version != version:
                raise StaleError
            if template == present and row is not None:
                return present, present_version
            if row is None:
                row = OfficeTemplate(
                    office_id=act.office_id, content={}, version=0, changed_by=act.principal.id, changed_at=act.now
                )
            row.content, row.version = template.document(), row.version + 1
            row.changed_by, row.changed_at = act.principal.id, act.now
            session.add(row)
            before, after = present.document(), template.document()
            self.gateway.audit.record(
                session,
                act,
                "office.template_changed",
                "office",
                act.office_id,
                changes={name: Change(before[name], after[name]) for name in after if before[name] != after[name]},
                second_factor=act.second_factor if template.rules != present.rules else None,
            )
            return template, row.version


class ClientSettingsService:
    """Numbering and reminders of one client."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def get(self, act: Act, client_id: UUID) -> ClientSettings:
        """As they are, the defaults with version 0 where nobody set any."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            require_client(session, act, client_id, Permission.CLIENTS_READ)
            return session.get(ClientSettings, client_id) or default_settings(act, client_id)

    def put(self, act: Act, client_id: UUID, wanted: Mapping[str, Any], *, version: int) -> ClientSettings:
        """Set them for accounts and reminders from now on; raises `StaleError`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            client = require_client(session, act, client_id, Permission.CLIENTS_WRITE, is_change=True)
            session.refresh(client, with_for_update={"key_share": True})
            settings = session.get(ClientSettings, client_id) or default_settings(act, client_id)
            if settings.version != version:
                raise StaleError
            set_settings(self.gateway, session, act, settings, wanted)
            return settings


def default_settings(act: Act, client_id: UUID) -> ClientSettings:
    """What holds for a client without a row; not stored."""
    return ClientSettings(
        client_id=client_id,
        office_id=act.office_id,
        **DEFAULT.numbering,
        **DEFAULT.reminders,
        version=0,
        changed_at=act.now,
    )


def set_settings(
    gateway: Gateway, session: Session, act: Act, settings: ClientSettings, wanted: Mapping[str, Any]
) -> list[str]:
    """Write what differs; returns the names of what does."""
    changes = changed(settings, wanted)
    if changes:
        settings.version += 1
        settings.changed_at = act.now
        session.add(settings)
        gateway.audit.record(
            session, act, "client.settings_changed", "client", settings.client_id,
            client_id=settings.client_id, changes=changes,
        )  # fmt: skip
    return list(changes)


def changed(row: Any, wanted: Mapping[str, Any]) -> dict[str, Change]:
    """Set what differs on the row; old and new by name."""
    changes = {name: Change(getattr(row, name), value) for name, value in wanted.items() if getattr(row, name) != value}
    for name, change in changes.items():
        setattr(row, name, change.new)
    return changes
