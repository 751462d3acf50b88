"""Decisions above an amount that a passkey signs, seals included (SEC-04)."""
