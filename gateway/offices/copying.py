"""Copying the office's template to clients that are being made, one or thousands at once (OFF-01)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session

from gateway.act import Act
from gateway.approvals import copying
from gateway.assembly import Gateway
from gateway.offices.models import ClientSettings, OfficeTemplate
from gateway.offices.template import DEFAULT, Template, template_of


def present_template(session: Session, office_id: UUID) -> tuple[Template, int]:
    """The office's template and its version; the defaults and 0 when it made none."""
    row = session.get(OfficeTemplate, office_id)
    return (DEFAULT, 0) if row is None else (template_of(row.content), row.version)


def copy_template(
    gateway: Gateway, session: Session, act: Act, client_ids: Sequence[UUID], template: tuple[Template, int]
) -> None:
    """Settings and rules for new clients, whose rows are there; their switches were set with the rows themselves.

    Clients of an office without a template get no rows: the defaults hold for them.
    """
    content, version = template
    if version == 0 or not client_ids:
        return
    session.connection().execute(
        insert(ClientSettings),
        [
            {
                "client_id": client_id,
                "office_id": act.office_id,
                **content.numbering,
                **content.reminders,
                "template_version": version,
                "rules_copied": len(content.rules),
                "version": 1,
                "changed_at": act.now,
            }
            for client_id in client_ids
        ],
    )
    copying.copy_to_new(gateway, session, act, client_ids, content.rules)
