"""Baskets, payments and exports."""
