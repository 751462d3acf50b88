"""Pairs of key and value that callers put on objects (API-06)."""
