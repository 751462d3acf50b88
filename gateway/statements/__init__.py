"""Statements: days that prove, numbered and issued as CODA files."""
