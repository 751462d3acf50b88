"""People, machines and what they may do."""
