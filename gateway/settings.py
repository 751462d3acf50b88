"""Settings from the environment or `.env`, all with the prefix `SLUIS_`; `docs/settings.md` documents each by name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class BankAccessSettings(BaseModel):
    """How this installation reaches one bank directly; a bank that lacks it is `not_configured` (CON-04)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str
    client_id: str
    allowed_hosts: list[str] = Field(default_factory=list)
    certificate_file: Path | None = None
    """PEM with certificate and key for mutual TLS; not needed against simulated banks."""


class Settings(BaseSettings):
    """One installation. Paths are relative to the working directory unless absolute."""

    model_config = SettingsConfigDict(env_prefix="SLUIS_", env_file=".env", extra="ignore", frozen=True)

    data_folder: Path = Path("var/data")
    """Embedded database, generated keys; never inside a web root."""
    database_url: SecretStr | None = None
    """PostgreSQL 16 or newer as role `sluis_app`; without it the embedded server is used."""
    database_owner_url: SecretStr | None = None
    """The same database as role `sluis_owner`; used by `sluis migrate` only."""
    keys_file: Path | None = None
    """Keys for encryption, seals and the audit chain; default `keys.json` in the data folder."""
    base_url: str = "http://127.0.0.1:8000"
    """The address people and banks use to reach this installation; mails and call-backs use no other."""
    host: str = "127.0.0.1"
    port: int = 8000
    mode: Literal["live", "test"] = "live"
    """Offices made here are in this mode; clock offsets exist in test mode only."""
    banks: dict[str, BankAccessSettings] = Field(default_factory=dict)
    """JSON: bank id to access, `{"crelan": {"base_url": "https://…", "client_id": "PSDBE-NBB-…"}}`."""
    return_urls: list[str] = Field(default_factory=list)
    """JSON list of addresses outside this installation to which a consent may lead the PSU back, letter by letter."""
    default_language: Literal["nl", "fr", "en", "de"] = "nl"
    worker_concurrency: int = Field(default=4, ge=1, le=64)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def keys_path(self) -> Path:
        """Where the keys lie."""
        return self.keys_file or self.data_folder / "keys.json"

    @property
    def is_https(self) -> bool:
        """Whether people reach us over TLS; cookies are marked accordingly."""
        return self.base_url.startswith("https://")
