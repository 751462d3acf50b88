"""The banks an installation reaches, and the certificates it has for them."""
