"""Banks: one protocol, families of interfaces, a profile per bank. Imports nothing else of the project."""
