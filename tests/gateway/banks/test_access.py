"""CON-04, SEC-12: what a bank needs is given by settings, and a bank that lacks some of it is not offered."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from pydantic import SecretStr, ValidationError

from connectors import registry
from connectors.base import Need
from connectors.certificates import Role
from connectors.issuing import Institution, InventedAuthority, Issued
from connectors.simulator.references import belgian_iban
from gateway.banks.access import LACK_TEXTS, Lack
from gateway.banks.certificates import SENTENCES, FindingCode, install
from gateway.banks.directory import BankDirectory, BankNotConfigured, BankReachedThrough, DirectoryEntry
from gateway.secret_files import SecretFileUnusable
from gateway.settings import BankAccessSettings, CertificateSettings, Settings

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
END = NOW + timedelta(days=365)
IDENTIFIER = Institution().organisation_identifier
AUTHORITY = InventedAuthority(not_before=NOW - timedelta(days=1), not_after=END)
QWAC, QSEAL = AUTHORITY.qwac(), AUTHORITY.qseal()


def written(path: Path, issued: Issued, *, key: bytes | None = None) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(issued.chain_pem + (issued.key_pem() if key is None else key))
    return path


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, CertificateSettings]:
    """A QWAC and a QSEAL, and what an intermediary might have issued."""
    own = {
        kind: CertificateSettings.model_validate(
            {
                "kind": kind,
                "certificate_file": written(tmp_path / f"{kind}.pem", issued),
                "organisation_identifier": None,
            }
        )
        for kind, issued in (("tls", QWAC), ("signature", QSEAL))
    }
    return own | {
        kind: CertificateSettings.model_validate(
            {
                "kind": kind,
                "certificate_file": written(tmp_path / f"{kind}.pem", issued),
                "organisation_identifier": IDENTIFIER,
            }
        )
        for kind, issued in (("qwac", QWAC), ("qseal", QSEAL))
    }


def bank(bank_id: str, **changes: Any) -> BankAccessSettings:
    url = registry.connector_class(bank_id).profile.production_url or f"https://{bank_id}.example/xs2a-bg/be_nl/v1"
    return BankAccessSettings.model_validate({"base_url": url, "client_id": IDENTIFIER} | changes)


def directory(
    certificates: dict[str, CertificateSettings], now: datetime = NOW, **banks: BankAccessSettings
) -> BankDirectory:
    settings = Settings(_env_file=None, certificates=certificates, banks=banks)
    return BankDirectory(settings, now=lambda: now)


def entry(found: BankDirectory, bank_id: str) -> DirectoryEntry:
    return next(one for one in found.entries() if one.profile.bank_id == bank_id)


def codes(settings: CertificateSettings, now: datetime = NOW) -> list[str]:
    return [str(finding.code) for finding in install("one", settings).findings(now)]


def seen(name: str, settings: CertificateSettings, **changes: Any) -> CertificateSettings:
    return CertificateSettings.model_validate(settings.model_dump() | changes)


@pytest.mark.parametrize("bank_id", [profile.bank_id for profile in registry.profiles()])
def test_what_a_connector_reads_of_its_registration_is_what_it_says_it_needs(bank_id: str) -> None:
    found = registry.connector_class(bank_id)
    assert (Need.TLS_CERTIFICATE in found.needs()) is found.is_behind_mutual_tls
    source = "".join(inspect.getsource(kind) for kind in found.__mro__ if kind.__module__.startswith("connectors.f"))
    for need, name in ((Need.API_KEY, "endpoint.api_key"), (Need.CLIENT_SECRET, "endpoint.client_secret")):
        assert (need in found.needs()) is (name in source)
    # A bank that has payments signed alone can be linked without a seal.
    assert (Need.SEAL_CERTIFICATE in found.needs()) is (found.signature is not None and found.signed_kinds is None)


@pytest.mark.parametrize("bank_id", [profile.bank_id for profile in registry.profiles()])
def test_the_card_names_the_settings_a_bank_needs(bank_id: str) -> None:
    needs = registry.connector_class(bank_id).needs()
    named = {need for need in (Need.KEY_ID, Need.API_KEY, Need.CLIENT_SECRET) if f"`{need}`" in registry.card(bank_id)}
    assert named == needs & {Need.KEY_ID, Need.API_KEY, Need.CLIENT_SECRET}


@pytest.mark.parametrize(
    ("bank_id", "missing"),
    [
        ("crelan", ["tls_certificate"]),
        ("kbc", ["tls_certificate"]),
        ("argenta", ["tls_certificate", "seal_certificate", "api_key"]),
        ("triodos", ["tls_certificate", "seal_certificate", "client_secret"]),
        ("ing", ["tls_certificate", "seal_certificate"]),
        ("bnppf", ["tls_certificate", "seal_certificate", "key_id", "client_secret"]),
        ("beobank", ["tls_certificate", "seal_certificate", "key_id"]),
        ("ponto", ["tls_certificate", "seal_certificate", "key_id", "client_secret"]),
        ("pontocustom", ["client_secret"]),
    ],
)
def test_a_bank_with_an_address_alone_is_not_configured_and_says_what_is_missing(
    bank_id: str, missing: list[str]
) -> None:
    found = directory({}, **{bank_id: bank(bank_id)})
    assert list(entry(found, bank_id).missing) == missing
    assert not entry(found, bank_id).is_configured
    with pytest.raises(BankNotConfigured) as refused:
        found.connector(bank_id)
    assert refused.value.parameters["missing"] == missing


def test_a_bank_that_is_not_in_the_settings_lacks_its_access() -> None:
    assert entry(directory({}), "crelan").missing == (Lack.ACCESS,)


@pytest.mark.parametrize("bank_id", [profile.bank_id for profile in registry.profiles()])
def test_every_bank_can_be_linked_with_all_it_needs(sets: dict[str, CertificateSettings], bank_id: str) -> None:
    found = directory(
        sets,
        **{bank_id: bank(bank_id, api_key="k", client_secret="s", key_id="https://tpp.example/seal.pem")},
    )
    assert entry(found, bank_id).missing == ()
    connector = found.connector(bank_id)
    assert (connector.endpoint.api_key, connector.endpoint.client_secret) == ("k", "s")
    assert (connector.http._signer is not None) is (type(connector).signature is not None)
    found.close()


def test_a_simulated_bank_on_this_machine_needs_no_certificate_and_still_its_secrets() -> None:
    plain = {"base_url": "http://127.0.0.1:8090/bank/v1"}
    found = directory({}, kbc=bank("kbc", **plain), argenta=bank("argenta", **plain))
    assert entry(found, "kbc").is_configured
    assert entry(found, "argenta").missing == (Lack.API_KEY,)


def test_two_sets_are_active_and_banks_move_one_by_one(sets: dict[str, CertificateSettings], tmp_path: Path) -> None:
    """SEC-12: a set that is added behind changes nothing until a bank names it."""
    newer = AUTHORITY.qseal()
    path = written(tmp_path / "newer.pem", newer)
    both = sets | {"qseal-2027": seen("newer", sets["qseal"], certificate_file=path)}
    settings = {"api_key": "k", "client_secret": "s"}
    found = directory(
        both, argenta=bank("argenta", **settings, seal_certificate="qseal-2027"), triodos=bank("triodos", **settings)
    )
    used = {one.name: found.users_of(one) for one in found.certificates}
    assert {name: banks for name, banks in used.items() if banks} == {
        "qwac": ["argenta", "triodos"],
        "qseal": ["triodos"],
        "qseal-2027": ["argenta"],
    }
    argenta = next(access for access in found.accesses() if access.bank_id == "argenta")
    assert f"SN={newer.certificate.serial_number},CA=" in (argenta.key_id() or "")


def test_the_key_id_follows_the_bank_s_rule_until_one_is_set(sets: dict[str, CertificateSettings]) -> None:
    serial = QSEAL.certificate.serial_number
    by_rule = {
        access.bank_id: access.key_id() for access in directory(sets, kbc=bank("kbc"), ing=bank("ing")).accesses()
    }
    assert by_rule == {"kbc": None, "ing": f"SN={serial:X}"}
    (access,) = directory(sets, ing=bank("ing", key_id="SN=1,CA=set")).accesses()
    assert access.key_id() == "SN=1,CA=set"


def test_a_set_must_exist_and_be_of_the_right_kind(sets: dict[str, CertificateSettings]) -> None:
    for name in ("nothing", "qwac"):
        with pytest.raises(ValidationError, match=r"banks\.argenta\.seal_certificate"):
            directory(sets, argenta=bank("argenta", seal_certificate=name))
    odd = directory(sets, ponto=bank("ponto", client_secret="s", key_id="k", tls_certificate="qwac"))
    assert entry(odd, "ponto").missing == (Lack.TLS_CERTIFICATE,), "an intermediary takes its own certificates only"
    with pytest.raises(ValidationError, match="name one of the two"):
        bank("kbc", certificate_file="qwac.pem", tls_certificate="qwac")


def test_secrets_come_from_files_and_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-06."""
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_text("geheim\n")
    monkeypatch.setenv(
        "SLUIS_BANKS",
        json.dumps({"argenta": {"base_url": "https://x.example", "client_id": "c", "api_key": f"file:{path}"}}),
    )
    found = Settings(_env_file=None).banks["argenta"]
    assert found.api_key == SecretStr("geheim")
    assert "geheim" not in repr(found)
    path.chmod(0o644)
    with pytest.raises(SecretFileUnusable, match="read by others") as refused:
        Settings(_env_file=None)
    assert "geheim" not in str(refused.value)


def test_a_key_that_others_can_read_stops_the_start(sets: dict[str, CertificateSettings]) -> None:
    sets["qseal"].certificate_file.chmod(0o640)
    with pytest.raises(SecretFileUnusable, match="read by others"):
        Settings(_env_file=None, certificates=sets).check_files()


def test_a_good_certificate_has_no_findings(sets: dict[str, CertificateSettings]) -> None:
    assert codes(sets["qwac"]) == []
    assert codes(sets["qseal"]) == []


def test_a_key_may_lie_apart_and_be_locked(sets: dict[str, CertificateSettings], tmp_path: Path) -> None:
    path = tmp_path / "locked.key"
    path.touch(mode=0o600)
    path.write_bytes(QWAC.key_pem("open sesame"))
    assert codes(seen("apart", sets["qwac"], key_file=path, key_password="open sesame")) == []
    for password in (None, "wrong"):
        assert codes(seen("apart", sets["qwac"], key_file=path, key_password=password)) == ["key_unreadable"]


def test_each_fault_is_found_and_the_bank_is_not_offered(sets: dict[str, CertificateSettings], tmp_path: Path) -> None:
    institution = Institution(organisation_identifier="PSDBE-NBB-0999999823")
    ends = NOW + timedelta(days=10)
    odd = {
        "key_differs": (written(tmp_path / "1", QWAC, key=QSEAL.key_pem()), {}),
        "other_kind": (written(tmp_path / "2", QSEAL), {}),
        "role_missing": (written(tmp_path / "3", AUTHORITY.qwac(roles=[Role.PAYMENT_INITIATION])), {}),
        "identifier_changed": (written(tmp_path / "4", AUTHORITY.qwac(institution)), {}),
        "expired": (written(tmp_path / "5", AUTHORITY.qwac(not_after=NOW - timedelta(hours=1))), {}),
        "certificate_unreadable": (tmp_path / "not-there", {}),
    }
    for code, (path, changes) in odd.items():
        settings = seen(code, sets["qwac"], certificate_file=path, **changes)
        assert codes(settings)[0] == code
        found = directory({"qwac": settings}, kbc=bank("kbc"), crelan=bank("crelan", base_url="http://127.0.0.1:1/v1"))
        assert entry(found, "kbc").missing == (Lack.TLS_CERTIFICATE_UNUSABLE,)
        assert entry(found, "crelan").is_configured, "one certificate's fault leaves other banks alone"
    soon = seen("soon", sets["qwac"], certificate_file=written(tmp_path / "6", AUTHORITY.qwac(not_after=ends)))
    (finding,) = install("soon", soon).findings(NOW)
    assert (finding.code, finding.is_fault) == (FindingCode.ENDS_SOON, False)
    assert "in 10 days" in finding.text


def test_a_changed_identifier_is_refused_until_the_settings_name_it(
    sets: dict[str, CertificateSettings], tmp_path: Path
) -> None:
    """SEC-12. Confirmed or not, a bank that knows us by the old one as client id is not called under the new one."""
    changed = Institution(organisation_identifier="PSDBE-NBB-0999999823")
    path = written(tmp_path / "changed.pem", AUTHORITY.qwac(changed))
    refused = seen("changed", sets["qwac"], certificate_file=path)
    assert codes(refused) == ["identifier_changed"]
    confirmed = seen("changed", refused, organisation_identifier=changed.organisation_identifier)
    assert codes(confirmed) == []
    found = directory(
        {"qwac": confirmed},
        kbc=bank("kbc"),
        cbc=bank("cbc", client_id=changed.organisation_identifier),
        crelan=bank("crelan", client_id="A7"),
    )
    assert entry(found, "kbc").missing == (Lack.IDENTIFIER_DIFFERS,)
    assert entry(found, "cbc").is_configured
    assert entry(found, "crelan").is_configured


def test_a_lone_certificate_and_one_without_confirmation_are_noted(
    sets: dict[str, CertificateSettings], tmp_path: Path
) -> None:
    path = written(tmp_path / "alone.pem", Issued(QWAC.certificate, QWAC.key))
    assert codes(seen("alone", sets["qwac"], certificate_file=path)) == ["chain_missing"]
    path = written(tmp_path / "odd.pem", Issued(QWAC.certificate, QWAC.key, (QSEAL.certificate,)))
    assert codes(seen("odd", sets["qwac"], certificate_file=path)) == ["chain_disordered"]
    unconfirmed = seen("one", sets["qwac"], organisation_identifier=None)
    assert codes(unconfirmed) == ["identifier_unconfirmed"]
    assert install("one", unconfirmed).is_usable(NOW)


def test_an_expiry_is_noticed_while_the_service_runs(sets: dict[str, CertificateSettings]) -> None:
    moment = [NOW]
    found = BankDirectory(
        Settings(_env_file=None, certificates=sets, banks={"kbc": bank("kbc")}), now=lambda: moment[0]
    )
    assert entry(found, "kbc").is_configured
    moment[0] = END + timedelta(seconds=1)
    assert entry(found, "kbc").missing == (Lack.TLS_CERTIFICATE_UNUSABLE,)


def test_every_code_has_words() -> None:
    assert set(LACK_TEXTS) == set(Lack)
    assert set(SENTENCES) == set(FindingCode)


def test_nothing_shown_of_a_certificate_holds_a_key(sets: dict[str, CertificateSettings]) -> None:
    shown = repr(install("one", sets["qseal"])) + repr(QSEAL)
    assert "PRIVATE" not in shown
    assert str(QSEAL.key.private_numbers().d) not in shown
    assert isinstance(QSEAL.certificate, x509.Certificate)


def test_every_bank_of_the_promise_is_listed_under_its_name_or_a_former_one() -> None:
    """CON-01."""
    promised = {
        "Argenta", "AXA Bank Belgium", "Bank de Kremer", "Bank J. Van Breda & C°", "Belfius", "Beobank",
        "BNP Paribas Fortis", "bpost bank", "CBC", "Crelan", "Europabank", "Fintro", "Hello bank!", "ING Belgium",
        "KBC", "KBC Brussels", "Keytrade Bank", "Nagelmackers", "Triodos Bank (Nederlands)", "vdk bank", "N26",
        "Revolut Business", "Wise", "Banque CPH", "Ponto",
    }  # fmt: skip
    entries = directory({}).entries()
    listed = {name for one in entries for name in (one.profile.name, *one.profile.routed_from)}
    assert promised - listed == set()
    assert len({one.profile.bank_id for one in entries}) == len(entries)


def test_a_bank_without_a_connector_is_linked_as_the_one_in_between(sets: dict[str, CertificateSettings]) -> None:
    access = bank("ponto", client_secret="s", key_id="k")
    found = directory(sets, ponto=access)
    wise = entry(found, "wise")
    assert (wise.linked_as, wise.is_configured, entry(directory({}), "wise").missing) == ("ponto", True, (Lack.ACCESS,))
    assert [one.profile.bank_id for one in found.for_iban(belgian_iban("967", "1234567"))] == ["wise"]
    with pytest.raises(BankReachedThrough) as refused:
        found.connector("wise")
    assert refused.value.parameters["linked_as"] == "ponto"
    assert entry(found, "kbc").linked_as == "kbc"
    found.close()


def test_the_licence_holder_is_named_from_settings_certificate_or_intermediary(
    sets: dict[str, CertificateSettings],
) -> None:
    """CON-04."""
    found = directory(
        sets,
        crelan=bank("crelan"),
        kbc=bank("kbc", licence_holder="Verzonnen Partner NV"),
        keytrade=bank("keytrade", base_url="http://127.0.0.1:8090/bank/v1"),
        ponto=bank("ponto", client_secret="s", key_id="k"),
        pontocustom=bank("pontocustom", client_secret="s"),
    )
    named = {name: found.licence_holder(name) for name in ("crelan", "kbc", "keytrade", "ponto", "pontocustom", "ing")}
    assert named == {
        "crelan": Institution().organisation,
        "kbc": "Verzonnen Partner NV",
        "keytrade": None,
        "ponto": "Ponto",
        "pontocustom": "Ponto",
        "ing": None,
    }
