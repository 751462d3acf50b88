"""The answer of operations whose change waits for a second person: 202 with the proposal (APP-12)."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Response

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.proposals.models import Proposal
from gateway.proposals.schemas import ProposalRead, shown

PROPOSED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": ProposalRead, "description": "Another person must confirm it."}
}


def accepted(gateway: Gateway, act: Act, proposal: Proposal) -> Response:
    """Nothing has changed yet."""
    body = shown(gateway, act, proposal).model_dump_json()
    return Response(body, status_code=202, media_type="application/json")
