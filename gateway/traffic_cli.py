"""`sluis traffic …`: record what a bank answers under one consent, and play it through the present rules (OPS-08).

An operator sees no amounts (OFF-08): which rows and fields differ is printed, what they hold is not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlmodel import Session

from gateway import runtime
from gateway.accounts.repository import AccountRepository
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.consents.repository import ConsentRepository
from gateway.files_cli import FAULTS
from gateway.ids import decode, encode, kind_of
from gateway.offices.repository import OfficeRepository
from gateway.operator_cli import NamedOption, acting_operator
from gateway.pagination import PageRequest
from gateway.people.operators import OperatorService
from gateway.settings import Settings
from gateway.traffic.models import TrafficRecording
from gateway.traffic.repository import TrafficRepository
from gateway.traffic.service import (
    CALLS_DEFAULT,
    CALLS_MAX,
    DAYS_DEFAULT,
    DAYS_MAX,
    MEGABYTES_DEFAULT,
    MEGABYTES_MAX,
    ReplayedReading,
    TrafficService,
)

traffic_commands = typer.Typer(no_args_is_help=True, help="What banks answer, recorded for a while and played back.")

WantedArgument = Annotated[str, typer.Argument(help="Id of a consent, an account or a recording.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@dataclass(frozen=True, slots=True)
class _Place:
    """What an id means: an office, and a consent or a recording of it; the account where one was named."""

    act: Act
    consent_id: UUID | None
    recording_id: UUID | None = None
    account_id: UUID | None = None


@traffic_commands.command("start")
def start(
    wanted: WantedArgument,
    *,
    reason: Annotated[str, typer.Option(help="Why, for the audit; no names of persons.")],
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="Ends after so many days.")] = DAYS_DEFAULT,
    calls: Annotated[int, typer.Option(min=1, max=CALLS_MAX, help="Or after so many answers.")] = CALLS_DEFAULT,
    megabytes: Annotated[
        int, typer.Option(min=1, max=MEGABYTES_MAX, help="Or after so many megabytes.")
    ] = MEGABYTES_DEFAULT,
    as_: NamedOption = None,
) -> None:
    """Record what the bank answers under a consent, encrypted, until the first limit is reached."""
    with runtime.opened_gateway(Settings()) as gateway:
        place = _place(gateway, wanted, as_)
        if place.consent_id is None:
            raise typer.BadParameter("Name a consent, or an account that has one.")
        recording = TrafficService(gateway).start(
            place.act, place.consent_id, reason=reason, days=days, calls_max=calls, megabytes_max=megabytes
        )
        print(f"{encode('traffic_recording', recording.id)} records until {recording.expires_at.isoformat()}.")


@traffic_commands.command("stop")
def stop(
    wanted: WantedArgument,
    *,
    erase: Annotated[bool, typer.Option("--erase", help="Erase at once what was recorded.")] = False,
    as_: NamedOption = None,
) -> None:
    """End a recording; of a consent or an account, the newest one."""
    with runtime.opened_gateway(Settings()) as gateway:
        place = _place(gateway, wanted, as_)
        recording = _recording(gateway, place)
        view = TrafficService(gateway).stop(place.act, recording.id, is_erased=erase)
        held = f"{len(view.readings)} readings kept" if view.readings else "nothing kept"
        print(f"{encode('traffic_recording', recording.id)} has ended: {view.recording.end_code}, {held}.")


@traffic_commands.command("replay")
def replay(wanted: WantedArgument, *, as_json: JsonOption = False, as_: NamedOption = None) -> None:
    """Play recorded answers through the present rules, without any bank; exit 1 when rows would differ."""
    with runtime.opened_gateway(Settings()) as gateway:
        place = _place(gateway, wanted, as_)
        recording = _recording(gateway, place)
        replayed = [
            one
            for one in TrafficService(gateway).replay(place.act, recording.id)
            if place.account_id in {None, one.reading.account_id}
        ]
    rows = [_told(one) for one in replayed]
    if as_json:
        document = {"recording_id": encode("traffic_recording", recording.id), "readings": rows}
        print(json.dumps(document, indent=1))
    else:
        _print(rows)
    if any(row["outcome"] != "compared" or row["differences"] for row in rows):
        raise typer.Exit(FAULTS)


def _print(rows: list[dict[str, Any]]) -> None:
    if not rows:
        print("Nothing is recorded.")
    for row in rows:
        head = f"{row['account_id']}, recorded {row['recorded_at']}: "
        if row["outcome"] != "compared":
            print(f"{head}{row['outcome']} ({row['code'] or 'the recording ended in the middle'})")
            continue
        counts = ", ".join(f"{row[name]} {name}" for name in ("unchanged", "added", "gone", "changed"))
        print(f"{head}{counts}")
        for difference in row["differences"]:
            fields = f": {', '.join(difference['fields'])}" if difference["fields"] else ""
            print(f"  {difference['kind']} {difference['booking_date']} {difference['transaction_id'] or '-'}{fields}")


def _told(replayed: ReplayedReading) -> dict[str, Any]:
    """Without a value of any row."""
    comparison = replayed.comparison
    counts = {str(kind): count for kind, count in comparison.counts.items()}
    return {
        "reading_id": encode("recorded_reading", replayed.reading.id),
        "account_id": encode("account", replayed.reading.account_id),
        "recorded_at": replayed.reading.recorded_at.isoformat(),
        "outcome": str(comparison.outcome),
        "code": comparison.code,
        "unchanged": comparison.unchanged,
        **{name: counts.get(name, 0) for name in ("added", "gone", "changed")},
        "changed_since": comparison.changed_since,
        "rejected": dict(comparison.rejected),
        "differences": [
            {
                "kind": str(difference.kind),
                "transaction_id": difference.transaction_id and encode("transaction", difference.transaction_id),
                "booking_date": difference.booking_date and difference.booking_date.isoformat(),
                "fields": [one.name for one in difference.fields],
            }
            for difference in comparison.differences
        ],
    }


def _place(gateway: Gateway, wanted: str, email: str | None) -> _Place:
    """Find the office that has this object, and act there as the operator."""
    operator = acting_operator(gateway, email)
    try:
        kind = kind_of(wanted)
        object_id = decode(kind, wanted)
    except ValueError:
        raise typer.BadParameter("This is no id of a consent, an account or a recording.") from None
    with gateway.database.unit_of_work(None) as session:
        offices = OfficeRepository(session).all_ids()
    for office_id in offices:
        with gateway.database.unit_of_work(office_id) as session:
            found = _found(session, office_id, kind, object_id)
        if found is not None:
            consent_id, recording_id, account_id = found
            return _Place(OperatorService(gateway).act_at(operator, office_id), consent_id, recording_id, account_id)
    raise typer.BadParameter("There is no consent, account or recording with this id.")


def _found(
    session: Session, office_id: UUID, kind: str, object_id: UUID
) -> tuple[UUID | None, UUID | None, UUID | None] | None:
    """Consent, recording and account that an id of this office means."""
    if kind == "consent" and ConsentRepository(session).get(office_id, object_id) is not None:
        return object_id, None, None
    if kind == "account":
        account = AccountRepository(session).get(office_id, object_id)
        return None if account is None else (account.consent_id, None, object_id)
    if kind == "traffic_recording":
        recording = TrafficRepository(session).get(office_id, object_id)
        return None if recording is None else (recording.consent_id, recording.id, None)
    return None


def _recording(gateway: Gateway, place: _Place) -> TrafficRecording:
    """The recording that was named, or the newest of the consent."""
    service = TrafficService(gateway)
    if place.recording_id is not None:
        return service.get(place.act, place.recording_id).recording
    if place.consent_id is not None:
        rows, _ = service.page(place.act, place.consent_id, PageRequest(1, None))
        if rows:
            return rows[0]
    raise typer.BadParameter("Nothing was recorded for this.")
