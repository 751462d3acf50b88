"""Transactions: read at the bank, merged without loss or doubles."""
