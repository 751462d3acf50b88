"""API-12: `sluis events tail` and `trigger` work through the API, from outside."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from typer.testing import CliRunner

from gateway.app import create_app
from gateway.assembly import Gateway
from gateway.cli import app
from gateway.errors import NotFound
from gateway.events.errors import EventTypeUnknown
from gateway.events.service import EventService
from gateway.machines.service import MachineService
from tests.gateway.builders import act_of_system, make_client, make_office


@contextmanager
def served(gateway: Gateway) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(create_app(gateway), port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def objects(output: str) -> list[dict[str, Any]]:
    """The JSON lines; the server in this process logs to the same place."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_events_are_triggered_and_followed_from_outside(committed: Gateway) -> None:
    office = make_office(committed)
    now = committed.real_now()
    make_client(committed, office, now=now)
    _, token = MachineService(committed).create_credential(
        act_of_system(office, now=now), name="dev", scopes=["clients", "coda", "admin"]
    )
    with served(committed) as url:

        def run(*words: str, key: str = token) -> Any:
            return CliRunner().invoke(app, ["events", *words], env={"SLUIS_API_URL": url, "SLUIS_API_KEY": key})

        made = run("trigger", "statement.issued", "--json")
        assert made.exit_code == 0, made.output
        (event,) = objects(made.output)
        assert (event["type"], event["mode"]) == ("statement.issued", "test")
        tailed = run("tail", "--json")
        assert [found["type"] for found in objects(tailed.output)] == ["client.created", "statement.issued"]
        assert objects(run("tail", "--json", "--after", event["id"]).output) == []
        assert "client.created" in run("tail", "--type", "client.created").output
        refused = run("tail", key="sluis_test_nobody")
        assert refused.exit_code == 2
        assert "not_signed_in" in refused.output
        assert run("trigger", "weather.changed").exit_code == 2
    assert CliRunner().invoke(app, ["events", "tail", "--api-key", "k", "--url", url]).exit_code == 2


def test_a_live_office_makes_no_event_on_demand(gateway: Gateway) -> None:
    """API-11: trigger routes exist only for test offices."""
    live, test = make_office(gateway, mode="live"), make_office(gateway)
    with pytest.raises(NotFound):
        EventService(gateway).trigger(act_of_system(live), "statement.issued")
    with pytest.raises(EventTypeUnknown):
        EventService(gateway).trigger(act_of_system(test), "weather.changed")
