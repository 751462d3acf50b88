"""Mail that the gateway sends: an outbox in the database, plain texts in four languages, SMTP."""
