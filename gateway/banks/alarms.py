"""The operator is told before a certificate ends: 60, 30, 14 and 7 days before, and when it has ended (SEC-12)."""

from __future__ import annotations

from typing import Final

import structlog

from gateway.assembly import Gateway
from gateway.notices.outbox import mail_operator
from gateway.offices.repository import OfficeRepository

ENDS: Final = "certificate_ends"
ENDED: Final = "certificate_ended"

log = structlog.get_logger("gateway.banks")


def tell_ends(gateway: Gateway) -> None:
    """One mail per certificate and step, however often it is asked; after downtime for the nearest step alone.

    Certificates are the installation's and mails an office's: the oldest office keeps these.
    """
    now = gateway.real_now()
    with gateway.database.unit_of_work(None) as session:
        office_id = min(OfficeRepository(session).all_ids(), default=None)
    for found in gateway.banks.certificates:
        banks = gateway.banks.users_of(found)
        step = found.info.alarm(now) if found.info is not None else None
        if found.info is None or step is None or not banks:
            continue
        left = found.info.days_left(now)
        log.warning("certificate ends", certificate=found.name, days_left=left, banks=banks)
        if office_id is None:
            continue
        template = ENDED if left < 0 else ENDS
        parameters = {
            "certificate": found.name,
            "kind": found.settings.kind,
            "day": found.info.not_after.date().isoformat(),
            "banks": ", ".join(banks),
        }
        if template == ENDS:
            parameters["days"] = str(left)
        with gateway.database.unit_of_work(office_id) as session:
            mail_operator(
                session,
                gateway,
                office_id,
                template=template,
                parameters=parameters,
                # The serial number tells the next certificate of the same name from this one.
                key=f"{ENDS}:{found.info.serial_number}:{step}",
            )
