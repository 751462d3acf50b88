"""Consents: the account holder's permission, from invitation to revocation."""
