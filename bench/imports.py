"""Time of 5,000 clients from an Excel file: dry run, import, the same again, undo; `python -m bench.imports`.

Prints seconds and statements per step on a database of its own. Requirement OFF-12: 5,000 rows in seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Started as a script, this folder comes first on the path, and bench/connectors.py would hide the package.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import argparse
import tempfile
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import event

from gateway import migrations
from gateway.assembly import build
from gateway.crypto import KeyRing
from gateway.database import connect
from gateway.embedded import APPLICATION, DATABASE, OWNER, EmbeddedPostgres
from gateway.settings import Settings
from tests.gateway.imports.conftest import desk_of
from tests.gateway.imports.files import HEADERS, clients, xlsx_of

Made = TypeVar("Made")


def main() -> None:
    """One round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedPostgres(folder / "postgres", is_durable=True) as server:
            migrations.upgrade(server.url(OWNER))
            database = connect(server.url(APPLICATION, DATABASE), pool_size=3)
            settings = Settings(_env_file=None, data_folder=folder, mode="test")
            desk = desk_of(build(settings, database, KeyRing.generate(folder / "keys.json")))
            content = xlsx_of(HEADERS, clients(rows))
            count = [0]
            event.listen(database.bind, "before_cursor_execute", lambda *_: count.__setitem__(0, count[0] + 1))

            def timed(step: str, work: Callable[[], Made]) -> Made:
                count[0], began, used = 0, time.perf_counter(), time.process_time()
                made = work()
                seconds, own = time.perf_counter() - began, time.process_time() - used
                print(f"{step:<22}{seconds:8.2f} s   {own:6.2f} s in Python   {count[0]:4d} statements")
                return made

            print(f"{rows} rows, {len(content):,} bytes")
            view = timed("dry run", lambda: desk.imports.create(desk.act, content))
            timed("import", lambda: desk.import_(view))
            again = timed("dry run again", lambda: desk.imports.create(desk.act, content))
            timed("import again", lambda: desk.import_(again))
            timed("undo", lambda: desk.undo(view))
            database.bind.engine.dispose()


if __name__ == "__main__":
    main()
