"""Simulated banks for downloads."""

from __future__ import annotations

from tests.gateway.bank_to_coda.conftest import banks, linked, live, running_banks

__all__ = ["banks", "linked", "live", "running_banks"]
