"""Groups of clients, and which staff sees which client (OFF-09)."""
