"""`sluis traffic`: the operator learns which rows and fields differ, never what they hold (OFF-08)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.simulator import SimulatorServer
from gateway.accounts.models import Account
from gateway.assembly import Gateway
from gateway.ids import encode, new_id
from gateway.traffic_cli import traffic_commands
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.traffic.test_traffic import change_rule, recorded, rows_of

Run = Callable[..., Any]


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def run(story: Story, monkeypatch: pytest.MonkeyPatch) -> Run:
    @contextmanager
    def opened(*_: Any) -> Iterator[Gateway]:
        yield story.gateway

    monkeypatch.setattr("gateway.traffic_cli.runtime.opened_gateway", opened)
    return lambda *words: CliRunner().invoke(traffic_commands, list(words))


def ids_of(account: Account) -> tuple[str, str]:
    assert account.consent_id is not None
    return encode("consent", account.consent_id), encode("account", account.id)


def test_from_switching_on_to_a_replay_without_a_difference(story: Story, run: Run) -> None:
    account = story.connect()
    consent_id, account_id = ids_of(account)
    started = run("start", consent_id, "--reason", "a rule is missing", "--days", "2")
    assert started.exit_code == 0, started.output
    assert started.output.startswith("rec_")
    story.work()
    for wanted in (consent_id, account_id, started.output.split()[0]):
        replayed = run("replay", wanted)
        assert (replayed.exit_code, f"{account_id}, recorded" in replayed.output) == (0, True)
        assert "0 added, 0 gone, 0 changed" in replayed.output
    stopped = run("stop", account_id, "--erase")
    assert "has ended: stopped, nothing kept" in stopped.output
    assert "Nothing is recorded." in run("replay", consent_id).output


def test_a_changed_rule_is_named_without_a_value_and_is_exit_code_1(
    story: Story, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, _recording = recorded(story)
    consent_id, _ = ids_of(account)
    change_rule(monkeypatch, lambda row: replace(row, counterparty_name="SLUIS"))
    shown = run("replay", consent_id)
    told = run("replay", consent_id, "--json")
    assert (shown.exit_code, told.exit_code) == (1, 1)
    (reading,) = json.loads(told.output)["readings"]
    assert reading["changed"] == len(rows_of(story.gateway, story))
    assert {name for one in reading["differences"] for name in one["fields"]} == {"counterparty_name"}
    names = {row["counterparty_name"] for row in rows_of(story.gateway, story) if row["counterparty_name"]}
    for output in (shown.output, told.output):
        assert "counterparty_name" in output
        assert "SLUIS" not in output
        assert not any(name in output for name in names)


@pytest.mark.parametrize("kind", [None, "consent", "payment"])
def test_an_id_of_nothing_is_refused(run: Run, kind: str | None) -> None:
    wanted = "nonsense" if kind is None else encode(kind, new_id())
    assert run("replay", wanted).exit_code == 2
