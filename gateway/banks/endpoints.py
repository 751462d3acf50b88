"""REST: the bank directory."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from gateway.api import ActDep, GatewayDep, problem_responses
from gateway.banks.schemas import BankRead
from gateway.errors import FieldFault, InputError
from gateway.pagination import Page
from gateway.problems import language_of
from sepa.accounts import compact_iban, iban_fault

router = APIRouter(prefix="/v1", tags=["banks"])


class IbanInvalid(InputError):
    """The number's check digits or form are wrong."""

    code = "iban_invalid"
    title = "This is not a valid IBAN"
    hint = "Check the number; two digits may be exchanged."


@router.get("/banks", operation_id="list_banks", responses=problem_responses())
def list_banks(
    request: Request,
    act: ActDep,  # noqa: ARG001  the directory is for people who are signed in
    gateway: GatewayDep,
    iban: Annotated[
        str | None,
        Query(max_length=42, description="Only the banks this account can be at.", examples=["BE34103071423390"]),
    ] = None,
) -> Page[BankRead]:
    """Banks by name, those without access marked as not configured; all on one page."""
    if iban is None:
        entries = gateway.banks.entries()
    else:
        compact = compact_iban(iban)
        if iban_fault(compact) is not None:
            raise IbanInvalid(faults=[FieldFault("/iban", IbanInvalid.code, IbanInvalid.title, IbanInvalid.hint)])
        entries = gateway.banks.for_iban(compact)
    return Page(items=[BankRead.of(entry, language_of(request)) for entry in entries], next_cursor=None)
