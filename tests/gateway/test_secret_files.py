"""SEC-06: secrets of the settings can lie in files; a file that others can read stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.runtime import open_gateway
from gateway.secret_files import SecretFileUnusable
from gateway.settings import BankAccessSettings, Settings

URL = "postgresql://sluis_app:geheim@db.example/sluis"


def written(path: Path, text: str = URL + "\n", mode: int = 0o600) -> Path:
    path.touch(mode=mode)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_secret_is_read_from_the_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "url")
    monkeypatch.setenv("SLUIS_DATABASE_URL_FILE", str(path))
    monkeypatch.setenv("SLUIS_DATABASE_OWNER_URL", f"file:{path}")
    settings = Settings(_env_file=None)
    for secret in (settings.database_url, settings.database_owner_url):
        assert secret is not None
        assert secret.get_secret_value() == URL
    assert "geheim" not in repr(settings) + str(settings)
    monkeypatch.setenv("SLUIS_DATABASE_URL", "postgresql://other")
    other = Settings(_env_file=None).database_url
    assert other is not None
    assert other.get_secret_value() == "postgresql://other"


def test_a_file_named_in_dotenv_is_read_too(tmp_path: Path) -> None:
    path = written(tmp_path / "url")
    dotenv = written(tmp_path / ".env", f"SLUIS_DATABASE_URL=file:{path}\n")
    secret = Settings(_env_file=dotenv).database_url
    assert secret is not None
    assert secret.get_secret_value() == URL


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [(URL, 0o640, "read by others"), (URL, 0o604, "read by others"), ("", 0o600, "empty"), ("\n", 0o600, "empty")],
)
def test_a_file_that_cannot_be_trusted_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, mode: int, reason: str
) -> None:
    monkeypatch.setenv("SLUIS_DATABASE_URL_FILE", str(written(tmp_path / "url", text, mode)))
    with pytest.raises(SecretFileUnusable, match=reason) as raised:
        Settings(_env_file=None)
    assert "geheim" not in str(raised.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUIS_DATABASE_URL", f"file:{tmp_path / 'none'}")
    with pytest.raises(SecretFileUnusable, match="SLUIS_DATABASE_URL: there is no file none"):
        Settings(_env_file=None)


def test_a_certificate_file_with_a_key_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    bank = BankAccessSettings(base_url="https://bank.example/v1", client_id="x", certificate_file=tmp_path / "qwac.pem")
    settings = Settings(_env_file=None, data_folder=tmp_path, database_url=URL, banks={"crelan": bank})
    with pytest.raises(SecretFileUnusable, match=r"no file qwac\.pem"):
        open_gateway(settings)
    written(tmp_path / "qwac.pem", mode=0o644)
    with pytest.raises(SecretFileUnusable, match="read by others"):
        open_gateway(settings)


def test_a_faulty_setting_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-07."""
    monkeypatch.setenv("SLUIS_BANKS", '{"crelan": {"client_id": "geheim"}}')
    with pytest.raises(ValidationError) as raised:
        Settings(_env_file=None)
    assert "geheim" not in str(raised.value)
