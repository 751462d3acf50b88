"""Clients in bulk: spreadsheet, CSV or JSON in, a dry run, an import that repeats safely, and its undo (OFF-12…15)."""
