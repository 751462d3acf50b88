"""SEC-12: the operator is mailed 60, 30, 14 and 7 days before a certificate ends, once for each step."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.issuing import InventedAuthority
from gateway.assembly import Gateway
from gateway.banks.alarms import tell_ends, tell_refusal
from gateway.banks.directory import BankDirectory
from gateway.notices.outbox import opened
from gateway.settings import BankAccessSettings, CertificateSettings
from tests.gateway.builders import make_office

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
DAYS = 100


@pytest.fixture
def certificate(tmp_path: Path) -> CertificateSettings:
    authority = InventedAuthority(not_before=START, not_after=START + timedelta(days=DAYS))
    issued = authority.qwac()
    path = tmp_path / "qwac.pem"
    path.touch(mode=0o600)
    path.write_bytes(issued.chain_pem + issued.key_pem())
    return CertificateSettings(kind="qwac", certificate_file=path, organisation_identifier="PSDBE-NBB-0999999922")


def at(gateway: Gateway, certificate: CertificateSettings, left: int, *, bank: str = "kbc") -> Gateway:
    """The installation so many days before the certificate ends."""
    now = START + timedelta(days=DAYS - left, hours=-1)
    access = BankAccessSettings(base_url="https://kbc.example/psd2/v2", client_id="PSDBE-NBB-0999999922")
    settings = gateway.settings.model_copy(
        update={
            "operator_email": "operator@example.test",
            "certificates": {"qwac-2026": certificate},
            "banks": {bank: access},
        }
    )
    return replace(gateway, settings=settings, banks=BankDirectory(settings, now=lambda: now), real_now=lambda: now)


def test_each_step_is_told_once_and_names_the_banks(gateway: Gateway, certificate: CertificateSettings) -> None:
    office = make_office(gateway)
    later = make_office(gateway)
    for left in (90, 61):
        tell_ends(at(gateway, certificate, left))
        assert opened(gateway, office.id) == []
    for left, count in ((59, 1), (45, 1), (30, 1), (29, 2), (13, 3), (6, 4), (1, 4), (-1, 5), (-20, 5)):
        for _ in range(2):
            tell_ends(at(gateway, certificate, left))
        mails = opened(gateway, office.id)
        assert len(mails) == count, left
    assert {mail.to for mail in mails} == {"operator@example.test"}
    assert "qwac-2026 (qwac) ends on 2027-03-01, in 59 days. These banks are called with it: kbc." in mails[0].text
    assert "ended on 2027-03-01" in mails[-1].text
    assert mails[-1].subject == "Sluis: the certificate qwac-2026 has ended"
    assert opened(gateway, later.id) == [], "the oldest office keeps them"


def test_after_downtime_the_nearest_step_alone_is_told(gateway: Gateway, certificate: CertificateSettings) -> None:
    office = make_office(gateway)
    tell_ends(at(gateway, certificate, 10))
    assert len(opened(gateway, office.id)) == 1


def test_a_certificate_that_no_bank_uses_is_nobody_s_worry(gateway: Gateway, certificate: CertificateSettings) -> None:
    office = make_office(gateway)
    tell_ends(at(gateway, certificate, 5, bank="pontocustom"))
    assert opened(gateway, office.id) == []


def test_a_bank_that_refuses_us_is_one_mail_a_day_whatever_it_hits(
    gateway: Gateway, certificate: CertificateSettings
) -> None:
    """SYN-13: certificate faults from several clients make one alert; another bank and another day are another one."""
    office = make_office(gateway)
    make_office(gateway)
    for left in (40, 40, 39):
        installation = at(gateway, certificate, left)
        for _ in range(3):
            tell_refusal(installation, "kbc")
    tell_refusal(at(gateway, certificate, 39), "crelan")
    mails = opened(gateway, office.id)
    assert [mail.subject for mail in mails] == [
        "Sluis: KBC refuses this installation",
        "Sluis: KBC refuses this installation",
        "Sluis: Crelan refuses this installation",
    ]
    assert {mail.to for mail in mails} == {"operator@example.test"}
