"""A row that is locked is read anew: what is decided on it is decided on what the database holds (house law 4)."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from gateway.assembly import Gateway
from gateway.offices.models import Office
from tests.gateway.builders import make_office


def _changed_behind(session: Session, office: Office) -> None:
    """As another transaction does between a first look and the lock: the object in the session does not hear of it."""
    session.execute(
        update(Office).where(col(Office.id) == office.id).values(name="After"),
        execution_options={"synchronize_session": False},
    )


@pytest.mark.parametrize("way", ["get", "get_one", "query", "key_share"])
def test_locking_a_row_reads_it_anew(gateway: Gateway, way: str) -> None:
    made = make_office(gateway, name="Before")
    with gateway.database.unit_of_work(made.id) as session:
        held = session.get_one(Office, made.id)
        assert held.name == "Before"
        _changed_behind(session, held)
        assert session.get_one(Office, made.id).name == "Before", "the trap: a look without a lock gives what was read"
        query = select(Office).where(Office.id == made.id)
        match way:
            case "get":
                locked = session.get(Office, made.id, with_for_update=True)
            case "get_one":
                locked = session.get_one(Office, made.id, with_for_update=True)
            case "query":
                locked = session.exec(query.with_for_update()).one()
            case _:
                locked = session.exec(query.with_for_update(key_share=True)).one()
        assert locked is held
        assert held.name == "After"


def test_what_this_unit_of_work_changed_itself_outlives_the_lock(gateway: Gateway) -> None:
    made = make_office(gateway, name="Before")
    with gateway.database.unit_of_work(made.id) as session:
        held = session.get_one(Office, made.id)
        held.name = "Mine"
        assert session.get_one(Office, made.id, with_for_update=True).name == "Mine"
