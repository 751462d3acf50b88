"""Signing in through an office's own identity provider (OpenID Connect)."""
