"""Downloads of several statements."""
