"""What support looks at: where something stands still, without amounts and with masked IBANs (OFF-08)."""
