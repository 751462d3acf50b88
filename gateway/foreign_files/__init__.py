"""Files of statements that are not ours: the bank's own CODA, and the numbers and balances they hand over."""
