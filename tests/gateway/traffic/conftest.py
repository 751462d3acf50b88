"""Simulated banks, as the road from bank to CODA uses them."""

from tests.gateway.bank_to_coda.conftest import banks, linked, live, running_banks

__all__ = ["banks", "linked", "live", "running_banks"]
