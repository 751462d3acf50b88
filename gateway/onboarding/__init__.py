"""What is still to be done before an office, or one of its clients, runs by itself (OFF-11)."""
