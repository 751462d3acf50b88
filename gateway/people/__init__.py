"""Users and roles as the API and the pages show them; the rules of roles are in `gateway.identity.people`."""
