"""Reading stored raw rows again with the present mapping, without a bank."""
