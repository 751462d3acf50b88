"""Custody of secrets: which columns are encrypted, and taking them from one master key to the next."""
