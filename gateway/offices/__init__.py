"""Offices, their clients and access grants."""
