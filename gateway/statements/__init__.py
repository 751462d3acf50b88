"""Statements: proof, number, issue, CODA."""
