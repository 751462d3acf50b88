"""Permissions of PSUs, from request to end."""
