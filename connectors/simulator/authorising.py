"""For banks where the authorisation is the consent: nothing is asked of the bank before the PSU's browser comes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors.simulator.banks import BankSettings
from connectors.simulator.simulator import Simulator

REFUSED = "unknown request"


def open_consent(request: Request, bank: BankSettings, access: Mapping[str, Any], *, needs_challenge: bool) -> Response:
    """Record a consent to this access for as long as the bank gives, and send the browser to its page."""
    simulator: Simulator = request.app.state.simulator
    redirect_uri = request.query_params.get("redirect_uri", "")
    if urlsplit(redirect_uri).scheme not in {"http", "https"} or not urlsplit(redirect_uri).hostname:
        return Response(REFUSED, 400)
    consent = simulator.consents.create(
        bank,
        access=access,
        redirect_uri=redirect_uri,
        is_recurring=True,
        valid_until=simulator.clock.today + timedelta(days=bank.consent_days_max),
        frequency_per_day=bank.unattended_calls_max or 1,
        needs_challenge=needs_challenge,
    )
    query = urlencode({**dict(request.query_params), "scope": f"AIS:{consent.consent_id}"})
    page = f"/{bank.bank_id}/public/berlingroup/authorize/{consent.authorisation_id}"
    return RedirectResponse(f"{page}?{query}", 303)
