"""Imports every module with tables, so that the metadata is complete for migrations and tests."""

from __future__ import annotations

import importlib
import pkgutil

import gateway


def import_all() -> None:
    """Import `gateway.<subject>.models` of every subject that has one."""
    for subject in pkgutil.iter_modules(gateway.__path__):
        if subject.ispkg and any(
            module.name == "models" for module in pkgutil.iter_modules([f"{gateway.__path__[0]}/{subject.name}"])
        ):
            importlib.import_module(f"gateway.{subject.name}.models")
