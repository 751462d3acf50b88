"""Acts of two people: one proposes, another confirms (APP-12, OFF-03, SEC-13)."""
