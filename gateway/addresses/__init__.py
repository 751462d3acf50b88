"""Contact addresses and destinations of clients, which get nothing before another person confirmed them (DEL-13)."""
