"""Where an account's statements come from: read at its bank and made here, or bank-made files that are passed on."""
