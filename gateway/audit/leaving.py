"""Signed heads leave the installation: as an event each, and once a day by mail to an address of the operator (SEC-09).

Both are written in the transaction that signs the head. The line in the mail and the data of the event are what
`sluis audit verify --heads` takes, so that whoever keeps them can later prove a chain against them.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import Final

from sqlmodel import Session

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.checkpoints import Left
from gateway.audit.log import head_of
from gateway.audit.models import AuditCheckpoint
from gateway.clock import brussels_date
from gateway.notices.outbox import queue_mail

EVENT: Final = "audit.head_signed"
TEMPLATE: Final = "audit_head"


def leaving(gateway: Gateway) -> Left:
    """What a `CheckpointService` is to do with every head it signs."""

    def leave(session: Session, act: Act, checkpoint: AuditCheckpoint) -> None:
        document = head_of(checkpoint).document()
        gateway.events.record(
            session, act, EVENT, "audit_checkpoint", checkpoint.id,
            data={
                **document,
                "made_at": checkpoint.made_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "signature": checkpoint.signature.hex(),
            },
        )  # fmt: skip
        to = gateway.settings.audit_heads_email
        if to is None:
            return
        day = brussels_date(checkpoint.made_at).isoformat()
        queue_mail(
            session, gateway, checkpoint.office_id, to=to, language=gateway.settings.default_language,
            template=TEMPLATE, key=f"{TEMPLATE}:{day}",
            parameters={
                "position": str(checkpoint.position),
                "day": day,
                "head": json.dumps({**document, "signature": checkpoint.signature.hex()}, sort_keys=True),
            },
        )  # fmt: skip

    return leave
