"""API keys and applications: machines that call the API."""
