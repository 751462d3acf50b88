"""Interface families: one code path for many banks."""
