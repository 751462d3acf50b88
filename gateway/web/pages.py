"""The pages for people: what the application installs besides the API."""

from __future__ import annotations

import importlib
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gateway.web.rendering import STATIC, Assets
from gateway.web.routing import not_found_page, wants_page

SUBJECTS: Final = (
    "sign_in",
    "single_sign_on",
    "recovery",
    "my_security",
    "home",
    "day",
    "statement_list",
    "statements",
    "account",
    "calendar",
    "comparison",
    "sources",
    "link_a_bank",
    "consent_evidence",
    "link",
    "reauthorise",
    "renewal",
    "baskets",
    "payments",
    "exports",
    "client_imports",
    "approvals",
    "activation",
    "people",
    "documentation",
    "keys",
    "audit",
    "audit_bundles",
    "webhooks",
    "client_groups",
    "rules",
    "clients",
    "client_accounts",
    "numbering",
    "statement_uploads",
    "takeover",
    "addresses",
    "office",
    "onboarding",
    "monitor",
    "reviews",
)
"""Modules of this package with a `router`, in the order of the addresses they answer."""


def install(app: FastAPI) -> None:
    """Add static files and pages, and answer browsers with a page where the address does not exist."""
    app.mount("/static", Assets(directory=STATIC), name="static")
    for subject in SUBJECTS:
        app.include_router(importlib.import_module(f"gateway.web.{subject}").router)
    api_answer: Any = app.exception_handlers[HTTPException]

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 404 and wants_page(request):
            return not_found_page(request)
        response: Response = await api_answer(request, error)
        return response

    app.add_exception_handler(HTTPException, answer)
