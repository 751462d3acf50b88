"""An office with the act of its system, and short ways to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.imports.models import ClientImportRun, Outcome, RunKind
from gateway.imports.runs import RunService
from gateway.imports.service import ImportService, ImportView, RowView
from gateway.offices.models import Client, Office
from gateway.pagination import PageRequest
from tests.gateway.builders import act_of_system, make_office
from tests.gateway.imports.files import csv_of


@dataclass
class Desk:
    """Somebody who imports at one office."""

    gateway: Gateway
    office: Office
    act: Act

    @property
    def imports(self) -> ImportService:
        return ImportService(self.gateway)

    @property
    def runs(self) -> RunService:
        return RunService(self.gateway)

    def check(self, headers: Sequence[str], *rows: Sequence[Any]) -> ImportView:
        return self.imports.create(self.act, csv_of(headers, rows))

    def import_(self, view: ImportView, *, numbers: Sequence[int] | None = None) -> ClientImportRun:
        return self._run(view, RunKind.IMPORT, numbers)

    def undo(self, view: ImportView) -> ClientImportRun:
        return self._run(view, RunKind.UNDO, None)

    def _run(self, view: ImportView, kind: RunKind, numbers: Sequence[int] | None) -> ClientImportRun:
        import_id = view.client_import.id
        run, _job = self.runs.start(self.act, import_id, kind=kind, numbers=numbers, has_task=False)
        self.runs.work(self.office.id, run.id)
        return self.again(view).run or run

    def again(self, view: ImportView) -> ImportView:
        return self.imports.get(self.act, view.client_import.id)

    def rows(self, view: ImportView, *, kind: str | None = None, outcome: Outcome | None = None) -> list[RowView]:
        found, _cursor = self.imports.rows(
            self.act, view.client_import.id, PageRequest(500, None), kind=kind, outcome=outcome
        )
        return found

    def faults(self, view: ImportView) -> list[tuple[int | None, str | None, str]]:
        """Row, column and code of every fault."""
        return [
            (row.row and row.row.number, fault["column"], fault["code"])
            for row in self.rows(view, kind="invalid")
            for fault in row.content["faults"]
        ]

    def clients(self) -> list[Client]:
        with self.gateway.database.unit_of_work(self.office.id) as session:
            query = select(Client).where(Client.office_id == self.office.id).order_by(col(Client.name))
            return list(session.exec(query))


def desk_of(gateway: Gateway) -> Desk:
    """A new office."""
    office = make_office(gateway)
    return Desk(gateway, office, act_of_system(office, now=gateway.real_now()))


@pytest.fixture
def desk(gateway: Gateway) -> Desk:
    """An office on the rolled-back database."""
    return desk_of(gateway)
