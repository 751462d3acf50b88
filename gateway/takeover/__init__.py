"""Before a CODA mandate elsewhere is cancelled: which of its accounts can continue here (CON-18)."""
