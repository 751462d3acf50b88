"""Files of the bank that fill gaps and histories of an account which is otherwise read at its bank (STA-19)."""
