"""Marks that go in as secrets and personal data, looked for where they must never come out (SEC-06, SEC-07)."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from typing import Final

import structlog
from sqlalchemy import text
from sqlmodel import select

from gateway import logs
from gateway.assembly import Gateway
from gateway.offices.models import Office

TOLD: Final = ("event", "job", "audit_entry", "webhook_delivery")
"""Tables whose rows others read, or that never change: ids, states and counts only."""


@contextlib.contextmanager
def output() -> Iterator[io.StringIO]:
    """Everything the processes write to their logs, at the most talkative level."""
    buffer, held = io.StringIO(), sys.stderr
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    sys.stderr = buffer
    try:
        logs.configure("DEBUG")
        structlog.configure(cache_logger_on_first_use=False)
        yield buffer
    finally:
        sys.stderr = held
        root.handlers, root.level = handlers, level
        for name in logs.OWN_PACKAGES:
            logging.getLogger(name).setLevel(logging.NOTSET)
        structlog.reset_defaults()


def found_in(content: str, marks: Iterable[str]) -> set[str]:
    """The marks in a text, also as JSON writes them."""
    return {mark for mark in marks if mark in content or json.dumps(mark)[1:-1] in content}


def stored_leaks(gateway: Gateway, marks: Iterable[str]) -> Iterator[str]:
    """Marks in the arguments of jobs, in events, and in the other tables that only hold ids."""
    marks = set(marks)
    with gateway.database.unit_of_work(None) as session:
        offices = session.exec(select(Office.id)).all()
        jobs = session.connection().execute(text("SELECT task_name, args::text FROM procrastinate_jobs")).all()
    for task, arguments in jobs:
        yield from (f"a job of {task} holds {mark}" for mark in found_in(arguments, marks))
    for office_id in offices:
        with gateway.database.unit_of_work(office_id) as session:
            for table in TOLD:
                for (row,) in session.connection().execute(text(f"SELECT to_jsonb(t)::text FROM {table} t")):
                    yield from (f"a row of {table} holds {mark}" for mark in found_in(row, marks))
