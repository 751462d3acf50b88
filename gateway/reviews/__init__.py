"""The review list: what a person must decide about rows of a bank."""
