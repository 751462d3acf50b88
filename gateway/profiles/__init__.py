"""What an office notes of a client beyond its key: contact, labels, package, delivery wish, known accounts."""
