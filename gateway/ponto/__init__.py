"""Webhooks that Ponto sends us; what we send to others is in `gateway.webhooks`."""
