"""Passkeys: a second factor that cannot be phished, and a sign-in on its own."""
