"""Accounts, their balances and their synchronisations."""
