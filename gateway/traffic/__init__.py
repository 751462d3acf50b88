"""Recorded traffic: what a bank answered on the accounts of one consent, kept for a while, and played back."""
