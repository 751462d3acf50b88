"""The event log: what happened, in the transaction in which it happened (API-08)."""
