"""Webhooks: events sent to addresses that an office gave, after Standard Webhooks 1.0.0 (API-07)."""
