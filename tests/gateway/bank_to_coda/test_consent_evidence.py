"""CON-07: evidence of a permission (text version, time, address, accounts) is kept as a PDF that never changes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from connectors.simulator import SimulatorServer
from gateway.assembly import Gateway
from gateway.consents import evidence_pdf, wording
from gateway.consents.evidence_pdf import Paper
from gateway.consents.models import ConsentEvidence
from gateway.consents.proofs import OperatorProofs
from gateway.consents.states import Relation
from gateway.ids import encode
from tests.gateway.bank_to_coda.story import PSU, Story
from tests.gateway.bank_to_coda.test_account_proofs import STRANGER, other_holder, proofs, prove, show_code, tick
from tests.gateway.bank_to_coda.test_rest import sign_in
from tests.gateway.builders import make_office
from tests.gateway.serving import app_of


@pytest.fixture
def story(linked: Gateway, banks: SimulatorServer) -> Story:
    return Story.begin(linked, banks)


@pytest.fixture
def papers(monkeypatch: pytest.MonkeyPatch) -> list[Paper]:
    """What was written."""
    written: list[Paper] = []
    original = evidence_pdf.write_pdf

    def write(paper: Paper) -> bytes:
        written.append(paper)
        return original(paper)

    monkeypatch.setattr(evidence_pdf, "write_pdf", write)
    return written


def kept(story: Story) -> list[ConsentEvidence]:
    with story.gateway.database.unit_of_work(story.office.id) as session:
        return list(session.exec(select(ConsentEvidence).order_by(col(ConsentEvidence.id))).all())


def said(paper: Paper) -> str:
    return "\n".join([paper.title, *(f"{name}: {text}" for _, rows in paper.parts for name, text in rows), paper.foot])


def test_it_says_text_version_moment_address_and_accounts(story: Story, papers: list[Paper]) -> None:
    account = story.connect()
    (paper,), (document,) = papers, kept(story)
    text = said(paper)
    four = " ".join(account.iban[start : start + 4] for start in range(0, len(account.iban), 4))
    assert four in text.replace("\u00a0", " ").replace("\u202f", " ")
    assert PSU.ip_address is not None
    for wanted in (
        PSU.ip_address, story.client.name, story.office.name, "Crelan", "23/11/2026", document.text_version,
        "Om bankafschriften voor uw rekeningen te maken.", encode("consent", document.consent_id),
    ):  # fmt: skip
        assert wanted in text, wanted
    assert (document.accounts_count, document.made_at) == (1, paper.made_at)
    assert document.text_version == wording.text_version("nl")


def test_the_page_shows_the_words_that_the_evidence_keeps(story: Story, papers: list[Paper]) -> None:
    token = story.invite()
    with TestClient(app_of(story.gateway)) as client:
        shown = client.get(f"/link/{token}").text
    story.choose(story.authorise(token))
    told = dict(papers[0].parts[1][1])
    assert len(told) >= 4
    for heading, sentence in told.items():
        assert heading in shown
        assert sentence in shown


def test_another_word_is_another_version_and_each_language_has_its_own() -> None:
    versions = {wording.text_version(language) for language in ("nl", "fr", "en", "de")}
    assert len(versions) == 4
    wording.text_version.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wording, "TEXTS", (*wording.TEXTS, ("What else", "Nothing.")))
        assert wording.text_version("en") not in versions
    wording.text_version.cache_clear()


def test_an_account_that_waits_stands_in_none_until_it_is_proven(story: Story, papers: list[Paper]) -> None:
    other_holder(story)
    token = tick(story)
    assert kept(story) == []
    show_code(story, token)
    prove(story, token, Relation.TRADE_NAME)
    assert STRANGER in said(papers[0])
    assert "Een andere naam waaronder ze handelt" in said(papers[0])
    assert [document.accounts_count for document in kept(story)] == [1]


def test_what_an_operator_proved_names_no_address(story: Story, papers: list[Paper]) -> None:
    other_holder(story)
    tick(story)
    (proof,) = proofs(story)
    OperatorProofs(story.gateway).prove(story.act, proof.id, reason="extract of the register")
    assert PSU.ip_address is not None
    assert PSU.ip_address not in said(papers[0])
    assert "De beheerder van deze installatie" in said(papers[0])


def test_every_download_gives_the_same_bytes(story: Story) -> None:
    account = story.connect()
    assert account.consent_id is not None
    address = f"/v1/consents/{encode('consent', account.consent_id)}/evidence"
    (document,) = kept(story)
    content = f"{address}/{encode('consent_evidence', document.id)}/content"
    with TestClient(app_of(story.gateway)) as client:
        assert client.get(address).status_code == 401
        foreign = sign_in(story.gateway, make_office(story.gateway, name="Ander kantoor"), "consents")
        assert [client.get(path, headers=foreign).status_code for path in (address, content)] == [404, 404]
        headers = sign_in(story.gateway, story.office, "consents")
        (row,) = client.get(address, headers=headers).json()["items"]
        first, second = client.get(content, headers=headers), client.get(content, headers=headers)
        assert first.headers["content-type"] == "application/pdf"
        assert first.content.startswith(b"%PDF-")
        assert first.content == second.content
        assert hashlib.sha256(first.content).hexdigest() == row["sha256"] == first.headers["X-Content-SHA256"]
        again = client.get(content, headers={**headers, "If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_the_same_paper_is_the_same_file_whatever_letters_it_holds() -> None:
    paper = Paper("nl", "Ω & <b>", [("Łódź", [("a", "b\u0301 \U0001f600")])], "", datetime(2026, 11, 23, tzinfo=UTC))
    assert evidence_pdf.write_pdf(paper) == evidence_pdf.write_pdf(paper)
