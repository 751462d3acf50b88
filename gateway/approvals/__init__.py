"""Approval rules, groups and decisions."""
