"""A request sent twice is done once (API-03)."""
