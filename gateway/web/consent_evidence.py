"""The evidence of a permission, to look at and to download (CON-07)."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.consents.evidence import page_of_evidence, read_evidence
from gateway.consents.service import ConsentService
from gateway.ids import ConsentEvidenceId, ConsentId, encode
from gateway.pagination import LIMIT_MAX, PageRequest
from gateway.web import reading
from gateway.web.day import download
from gateway.web.rendering import page
from gateway.web.routing import page_router
from gateway.web.security import VisitDep

router = page_router()


@router.get("/consents/{consent_id}/evidence")
def documents(request: Request, consent_id: ConsentId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """Every document of a permission."""
    consent = ConsentService(gateway).get(visit.act, consent_id).consent
    rows, _ = page_of_evidence(gateway, visit.act, consent_id, PageRequest(LIMIT_MAX, None))
    return page(
        request,
        "consent_evidence.html",
        visit=visit,
        consent=consent,
        documents=rows,
        client=reading.client_of(gateway, visit, consent.client_id),
        bank_name=gateway.banks.profile(consent.bank_id).name,
    )


@router.get("/consents/{consent_id}/evidence/{evidence_id}")
def content(consent_id: ConsentId, evidence_id: ConsentEvidenceId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """One document as a file, the same bytes every time."""
    document, found = read_evidence(gateway, visit.act, consent_id, evidence_id)
    return download(found, f"{encode('consent_evidence', document.id)}.pdf", document.sha256)
