"""Issued statements of a selection in one download: a ZIP with a manifest, or one CODA file per account (STA-22)."""
