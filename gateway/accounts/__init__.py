"""Accounts under consents, balances and their health."""
