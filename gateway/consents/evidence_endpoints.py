"""REST: the evidence of a consent, as PDF (CON-07)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from gateway.api import ActDep, GatewayDep, MomentText, PageDep, Shape, problem_responses
from gateway.consents.evidence import page_of_evidence, read_evidence
from gateway.files import FILE_HEADERS, IfNoneMatch, file_answer
from gateway.ids import ConsentEvidenceId, ConsentId, encode
from gateway.pagination import Page

router = APIRouter(prefix="/v1", tags=["consents"])


class ConsentEvidenceRead(Shape):
    """A document that proves which accounts were connected, when, from which address and after which text."""

    id: ConsentEvidenceId
    made_at: MomentText
    text_version: str = Field(description="Another one whenever a word of the text changes in that language.")
    accounts_count: int
    sha256: str


@router.get("/consents/{consent_id}/evidence", operation_id="list_consent_evidence", responses=problem_responses(400))
def list_consent_evidence(
    consent_id: ConsentId, act: ActDep, gateway: GatewayDep, page: PageDep
) -> Page[ConsentEvidenceRead]:
    """The documents of a consent, the newest first: one each time accounts were connected under it."""
    rows, cursor = page_of_evidence(gateway, act, consent_id, page)
    return Page(items=[ConsentEvidenceRead.model_validate(row) for row in rows], next_cursor=cursor)


@router.get(
    "/consents/{consent_id}/evidence/{evidence_id}/content",
    operation_id="get_consent_evidence_content",
    response_class=Response,
    responses={
        200: {
            "description": "The document, the same bytes at every download.",
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        },
        **FILE_HEADERS,
        **problem_responses(416),
    },
)
def get_consent_evidence_content(
    *,
    consent_id: ConsentId,
    evidence_id: ConsentEvidenceId,
    request: Request,
    act: ActDep,
    gateway: GatewayDep,
    _if_none_match: IfNoneMatch = None,
) -> Response:
    """A document of a consent, with its checksum in `Repr-Digest` (RFC 9530) and `X-Content-SHA256`."""
    document, content = read_evidence(gateway, act, consent_id, evidence_id)
    return file_answer(
        request,
        content,
        sha256=document.sha256,
        media_type="application/pdf",
        name=f"{encode('consent_evidence', document.id)}.pdf",
        cache="private, no-cache",
    )
