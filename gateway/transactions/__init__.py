"""Bank transactions: sync and absorb without loss or doubles."""
