"""Settings from the environment or `.env`, all with the prefix `SLUIS_`; `docs/settings.md` documents each by name."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway import secret_files


class CertificateSettings(BaseModel):
    """A certificate with its key, named once and used by many banks (SEC-12)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Literal["qwac", "qseal", "tls", "signature"]
    """What it is for: at banks mutual TLS or signatures; the same two with certificates an intermediary issued."""
    certificate_file: Path
    """PEM: the certificate, then those above it without the root."""
    key_file: Path | None = None
    """PEM with the key; default the same file."""
    key_password: SecretStr | None = None
    organisation_identifier: str | None
    """What the certificate must say; null for one that says nothing. A certificate with another is refused."""

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: Any) -> Any:
        return secret_files.resolved(cls, values, within="certificates.*.") if isinstance(values, dict) else values

    @property
    def key_path(self) -> Path:
        """Where the key lies."""
        return self.key_file or self.certificate_file


class BankAccessSettings(BaseModel):
    """How this installation reaches one bank directly; a bank that lacks it is `not_configured` (CON-04)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    base_url: str
    client_id: str
    allowed_hosts: list[str] = Field(default_factory=list)
    certificate_file: Path | None = None
    """PEM with QWAC and key in one, for this bank alone; `tls_certificate` names one that is shared."""
    tls_certificate: str | None = None
    """Name in `certificates`; default the first QWAC there, or the first `tls` for an intermediary."""
    seal_certificate: str | None = None
    """Name in `certificates`; default the first QSEAL there, or the first `signature` for an intermediary."""
    key_id: str | None = None
    """The name to sign under, where the bank gave one or wants an address; default by the bank's rule."""
    api_key: SecretStr | None = None
    client_secret: SecretStr | None = None
    authorisation_url: str | None = None
    """Where the PSU signs in, for those whose interface has one address for production and sandbox."""
    licence_holder: str | None = Field(default=None, max_length=140)
    """Who may ask this bank, named on the page of the account holder; default the organisation of the QWAC."""
    webhook_audience: str | None = None
    """Id of the application whose webhooks are taken at `/webhooks/ponto`; without it none are."""
    authority_file: Path | None = None
    """PEM of the authority of the bank's own certificate, where the system does not know it."""

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: Any) -> Any:
        return secret_files.resolved(cls, values, within="banks.*.") if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _name_one_qwac(self) -> Self:
        if self.certificate_file is not None and self.tls_certificate is not None:
            raise ValueError("certificate_file and tls_certificate: name one of the two")
        return self


class TrustedClaims(BaseModel):
    """Claims of an issuer that prove a second factor, each value as that issuer writes it (SEC-01)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    amr: list[str] = Field(default_factory=list)
    acr: list[str] = Field(default_factory=list)


class Settings(BaseSettings):
    """One installation. Paths are relative to the working directory unless absolute."""

    model_config = SettingsConfigDict(
        env_prefix="SLUIS_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        # A faulty value may be a password.
        hide_input_in_errors=True,
    )

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
    hsts_days: int = Field(default=365, ge=0, le=3650)
    """With an https base address: how long browsers go on using https alone for its host; 0: they are not told."""
    host: str = "127.0.0.1"
    port: int = 8000
    trusted_proxies: list[IPv4Network | IPv6Network] = Field(
        default_factory=lambda: [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    )
    """JSON list of addresses and ranges of our own proxies; only they may say in X-Forwarded-For who calls."""
    allowed_hosts: list[str] = Field(default_factory=list)
    """JSON list of host names besides the base address's and loopback under which requests are answered."""
    oidc_trusted: dict[str, TrustedClaims] = Field(default_factory=dict)
    """JSON: issuer to the claims by which it proves a second factor; for every other issuer ours is asked."""
    oidc_private_hosts: list[str] = Field(default_factory=list)
    """JSON list of hosts of identity providers that may lie on a private network."""
    mode: Literal["live", "test"] = "live"
    """Offices made here are in this mode; clock offsets exist in test mode only."""
    banks: dict[str, BankAccessSettings] = Field(default_factory=dict)
    """JSON: bank id to access, `{"crelan": {"base_url": "https://…", "client_id": "PSDBE-NBB-…"}}`."""
    certificates: dict[str, CertificateSettings] = Field(default_factory=dict)
    """JSON: name to certificate, shared by banks; a bank that names none uses the first of the kind."""
    return_urls: list[str] = Field(default_factory=list)
    """JSON list of addresses outside this installation to which a consent may lead the PSU back, letter by letter."""
    invitation_days: int = Field(default=7, ge=1, le=30)
    """How long the link of an invitation works."""
    default_language: Literal["nl", "fr", "en", "de"] = "nl"
    smtp_host: str | None = None
    """Where mail is handed over; without it mail is kept until there is one."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_sender: str | None = None
    """Address mails come from; default `sluis@` and the host of the base address."""
    smtp_ca_file: Path | None = None
    """Authority of the mail server's certificate, where the system does not know it."""
    operator_email: str | None = None
    """Who is told of what only the operator can repair."""
    audit_heads_email: str | None = None
    """Who is mailed the signed heads of the audit chains, one a day per office; better nobody who runs this machine."""
    allowed_private_networks: list[IPv4Network | IPv6Network] = Field(default_factory=list)
    """JSON list of networks that are not public and yet may receive webhooks, such as `["10.1.2.0/24"]`."""
    rate_limit_per_minute: int = Field(default=600, ge=0)
    """Requests of one key, application or person in one office; 0: no limit."""
    rate_limit_office_per_minute: int = Field(default=3000, ge=0)
    """Requests of all callers of one office together; 0: no limit."""
    rate_limit_unknown_per_minute: int = Field(default=300, ge=0)
    """Requests per address and web process of callers who are not signed in; 0: no limit."""
    payments_retention_years: int = Field(default=10, ge=0, le=100)
    """How long, from the end of a payment's year, the names of its people are kept (SEC-11)."""
    traffic_retention_days: int = Field(default=30, ge=1, le=400)
    """How long recorded answers of banks are kept (OPS-08)."""
    worker_concurrency: int = Field(default=4, ge=1, le=64)
    webhook_concurrency: int = Field(default=4, ge=1, le=64)
    """Webhooks a worker process sends at once, and as many again for endpoints that fail."""
    webhook_log_days: int = Field(default=90, ge=7, le=3660)
    """How long deliveries that ended are kept with their answers."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Secrets may be named by file: `SLUIS_DATABASE_URL_FILE` beside `SLUIS_DATABASE_URL`."""
        files = secret_files.SecretFiles(settings_cls)
        return init_settings, env_settings, files, dotenv_settings, file_secret_settings

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: Any) -> Any:
        return secret_files.resolved(cls, values) if isinstance(values, dict) else values

    @model_validator(mode="after")
    def _know_named_certificates(self) -> Self:
        for bank_id, bank in self.banks.items():
            for field, kinds in (("tls_certificate", ("qwac", "tls")), ("seal_certificate", ("qseal", "signature"))):
                name = getattr(bank, field)
                if name is not None and (name not in self.certificates or self.certificates[name].kind not in kinds):
                    raise ValueError(f"banks.{bank_id}.{field}: certificates has none of this name and kind")
        return self

    def check_files(self) -> None:
        """Raise `SecretFileUnusable` when a file with a private key is missing or open to others."""
        for name, certificate in self.certificates.items():
            secret_files.check(certificate.key_path, setting=f"certificates.{name}")
        for bank_id, bank in self.banks.items():
            if bank.certificate_file is not None:
                secret_files.check(bank.certificate_file, setting=f"banks.{bank_id}.certificate_file")

    @property
    def keys_path(self) -> Path:
        """Where the keys lie."""
        return self.keys_file or self.data_folder / "keys.json"

    @property
    def is_https(self) -> bool:
        """Whether people reach us over TLS; cookies are marked accordingly."""
        return self.base_url.startswith("https://")
