"""From an OAuth scope to the page of the bank on which the PSU decides, for banks with one authorisation address."""

from __future__ import annotations

from connectors.simulator.simulator import Simulator


def page_of(simulator: Simulator, bank_id: str, scope: str) -> str | None:
    """Path of the page for the consent (`AIS:…`) or payment (`PIS:…`) a scope names; None when it is not known."""
    for word in scope.split(" "):
        kind, _, wanted = word.partition(":")
        consent = simulator.consents.find(bank_id, wanted) if kind == "AIS" else None
        if consent is not None:
            return f"/{bank_id}/public/berlingroup/authorize/{consent.authorisation_id}"
        payment = simulator.payments.find(bank_id, wanted) if kind == "PIS" else None
        if payment is not None:
            return f"/{bank_id}/public/berlingroup/pay/{payment.authorisation_id}"
    return None
