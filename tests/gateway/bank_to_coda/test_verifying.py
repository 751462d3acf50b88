"""STA-07, STA-09: stored files are compared with their hashes every night; what differs goes to the operator."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import col, select

from connectors.simulator import SimulatorServer
from gateway.assembly import Gateway
from gateway.notices.outbox import opened
from gateway.statements import issuing, verifying
from gateway.statements.models import Statement, StatementVerification
from gateway.statements.verifying import FileVerifier
from tests.gateway.bank_to_coda.story import Story
from tests.gateway.bank_to_coda.test_days import files, started


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    settings = linked.settings.model_copy(update={"operator_email": "beheer@example.be"})
    return Story.begin(replace(linked, settings=settings), banks)


def rounds(story: Story) -> list[StatementVerification]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(StatementVerification).order_by(col(StatementVerification.id))))


def test_every_stored_file_is_compared_in_steps_and_the_next_night_begins_anew(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(story)
    count = len(files(story))
    monkeypatch.setattr(verifying, "FILES_PER_STEP", 3)
    monkeypatch.setattr(verifying, "STEPS_PER_JOB", 2)
    verifier = FileVerifier(story.gateway)
    jobs = 1
    while not verifier.run(story.office.id):
        jobs += 1
    assert jobs == count // 6 + 1
    (first,) = rounds(story)
    assert (first.files_count, first.differences_count, first.finished_at is not None) == (count, 0, True)
    while not verifier.run(story.office.id):
        pass
    assert [row.files_count for row in rounds(story)] == [count, count]
    assert not opened(story.gateway, story.office.id)


def test_a_difference_is_told_once_and_nothing_is_repaired(story: Story) -> None:
    started(story)
    before = files(story)
    wrong, other = story.statements("issued")[:2]
    with story.gateway.database.unit_of_work(story.office.id) as session:
        for statement in (wrong, other):
            stored = session.get_one(Statement, statement.id)
            stored.sha256 = "0" * 64
            session.add(stored)
    for _ in range(2):
        assert FileVerifier(story.gateway).run(story.office.id)
    assert [row.differences_count for row in rounds(story)] == [2, 2]
    mails = opened(story.gateway, story.office.id)
    assert [mail.template for mail in mails] == ["statement_bytes_differ"] * 2
    assert files(story) == before
    with story.gateway.database.unit_of_work(story.office.id) as session:
        assert session.get_one(Statement, wrong.id).sha256 == "0" * 64


def test_the_operator_hears_once_that_the_numbers_of_a_year_are_used_up(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuing, "NUMBER_MAX", 5)
    account = started(story)
    story.sleep()
    story.read(account)
    assert story.statements("held")[0].hold_code == "numbers_exhausted"
    mails = opened(story.gateway, story.office.id)
    assert [mail.template for mail in mails] == ["numbers_exhausted"]
    assert account.iban not in mails[0].text
