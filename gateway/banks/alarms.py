"""What the operator is told: a certificate ends, a bank refuses us, accounts wait (SEC-12, SYN-12, SYN-13).

Certificates and registrations are the installation's and mails an office's: the oldest office keeps these.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog

from gateway.assembly import Gateway
from gateway.clock import brussels_date
from gateway.notices.outbox import mail_operator
from gateway.offices.repository import OfficeRepository

ENDS: Final = "certificate_ends"
ENDED: Final = "certificate_ended"
REFUSES: Final = "bank_refuses"
WAITS: Final = "accounts_wait"

log = structlog.get_logger("gateway.banks")


def tell_ends(gateway: Gateway) -> None:
    """One mail per certificate and step, however often it is asked; after downtime for the nearest step alone."""
    now = gateway.real_now()
    office_id = _keeper(gateway)
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


def tell_refusal(gateway: Gateway, bank_id: str) -> None:
    """One mail per bank and day, however many clients and offices the same fault of ours hits."""
    log.warning("bank refuses this installation", bank_id=bank_id)
    _tell_once_a_day(gateway, bank_id, REFUSES)


def tell_waiting(gateway: Gateway, bank_id: str) -> None:
    """One mail per bank and day: accounts there wait for us for more than 24 hours (SYN-12)."""
    log.warning("accounts wait for 24 hours", bank_id=bank_id)
    _tell_once_a_day(gateway, bank_id, WAITS)


def _tell_once_a_day(gateway: Gateway, bank_id: str, template: str) -> None:
    office_id = _keeper(gateway)
    if office_id is None:
        return
    day = brussels_date(gateway.real_now()).isoformat()
    with gateway.database.unit_of_work(office_id) as session:
        mail_operator(
            session,
            gateway,
            office_id,
            template=template,
            parameters={"bank": gateway.banks.profile(bank_id).name, "day": day},
            key=f"{template}:{bank_id}:{day}",
        )


def _keeper(gateway: Gateway) -> UUID | None:
    with gateway.database.unit_of_work(None) as session:
        return min(OfficeRepository(session).all_ids(), default=None)
