"""Secrets of the settings that lie in files: named by `SLUIS_…_FILE`, or by a value `file:/run/secrets/…` (SEC-06).

The file must be readable by its owner only, as the key file must; what it holds is never part of an error.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from gateway.errors import ConfigError

SCHEME: Final = "file:"
SUFFIX: Final = "_FILE"
SECRET_BYTES_MAX: Final = 64 * 1024


class SecretFileUnusable(ConfigError):
    """A file that a setting names cannot be used; the service does not start."""

    code = "secret_file_unusable"
    title = "A file named by the settings cannot be used"
    detail = "{reason}"
    hint = "Name a file that exists, is not empty and is readable by its owner only (0600)."


class SecretFiles(PydanticBaseSettingsSource):
    """`SLUIS_DATABASE_URL_FILE=/run/secrets/url` for every secret setting; a value in the environment goes first."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - its signature
        """The file named for one field, as a `file:` value."""
        name = f"{self.config.get('env_prefix', '')}{field_name}".upper()
        path = os.environ.get(name + SUFFIX)
        return (SCHEME + path if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All fields that have one."""
        found = {}
        for name in secret_fields(self.settings_cls):
            value, key, _ = self.get_field_value(self.settings_cls.model_fields[name], name)
            if value is not None:
                found[key] = value
        return found


def secret_fields(settings: type[BaseModel]) -> Iterable[str]:
    """Names of the settings that hold a secret."""
    for name, field in settings.model_fields.items():
        if field.annotation is SecretStr or SecretStr in get_args(field.annotation):
            yield name


def resolved(settings: type[BaseModel], values: Mapping[str, Any], *, within: str = "") -> dict[str, Any]:
    """The values with each `file:…` of a secret setting replaced by what the file holds.

    `within` names the setting that these are a part of: `banks.*.`.
    """
    result = dict(values)
    for name in secret_fields(settings):
        value = result.get(name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and text.startswith(SCHEME):
            result[name] = read(Path(text.removeprefix(SCHEME)), setting=f"{within}{name}")
    return result


def read(path: Path, *, setting: str) -> str:
    """The secret in a file, without the line end; raises `SecretFileUnusable`."""
    check(path, setting=setting)
    text = path.read_text(errors="strict") if path.stat().st_size <= SECRET_BYTES_MAX else ""
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SecretFileUnusable(reason=f"{_name(setting)}: {path.name} is empty or too large")
    return secret


def check(path: Path, *, setting: str) -> None:
    """Raise `SecretFileUnusable` for a file that is not there or that others can read."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SecretFileUnusable(reason=f"{_name(setting)}: there is no file {path.name}") from error
    if not stat.S_ISREG(mode):
        raise SecretFileUnusable(reason=f"{_name(setting)}: {path.name} is not a file")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretFileUnusable(reason=f"{_name(setting)}: {path.name} can be read by others")


def _name(setting: str) -> str:
    return f"SLUIS_{setting.upper()}"
