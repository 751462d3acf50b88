"""The bank directory: which banks there are and how they are reached."""
