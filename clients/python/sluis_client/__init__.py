"""Typed client of the Sluis REST API.

from sluis_client import Sluis, models

with Sluis("https://sluis.example", token="sluis_live_…") as sluis:
    for account in sluis.iter_accounts():
        print(account.iban, account.health)
"""

from sluis_client import models
from sluis_client.client import Sluis
from sluis_client.errors import Fault, Problem, SluisError, Unreachable
from sluis_client.webhooks import Webhook, WebhookInvalid, verify

__all__ = ["Fault", "Problem", "Sluis", "SluisError", "Unreachable", "Webhook", "WebhookInvalid", "models", "verify"]
