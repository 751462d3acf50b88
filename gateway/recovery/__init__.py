"""Getting back in, and changing what one signs in with: recovery codes, password, e-mail address."""
