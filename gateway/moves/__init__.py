"""A client moves accounts to another office on a date; the former office is told and keeps reading (OFF-05, OFF-17)."""
