"""The office's side: make a link for a client and a bank, hand it over, stop a permission (CON-01, 05, 14)."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from gateway.api import GatewayDep
from gateway.assembly import Gateway
from gateway.banks.directory import DirectoryEntry
from gateway.banks.requests import NAME_MAX, BankRequestService
from gateway.consents.errors import ContactMissing, RenewalMismatch, RenewalNotPossible, RenewalTooEarly
from gateway.consents.inviting import Invitations, Invited
from gateway.consents.links import LINK_LIFE
from gateway.consents.models import Consent
from gateway.consents.service import ConsentService
from gateway.consents.sittings import Sittings
from gateway.consents.wording import terms
from gateway.errors import ConflictError, InputError
from gateway.i18n import LANGUAGES
from gateway.identity.rights import Permission
from gateway.ids import ClientId, ConsentId, decode, encode
from gateway.web import reading
from gateway.web.qr import qr_code
from gateway.web.rendering import page, part, see_other
from gateway.web.routing import page_router
from gateway.web.security import FormDep, PostedDep, Visit, VisitDep, text_of

router = page_router()


class ChoiceIncomplete(InputError):
    """Client or bank was not chosen."""

    code = "link_choice_incomplete"
    title = "Choose a client and a bank"
    hint = "Both are needed to make the link."


@router.get("/link-a-bank")
def form_page(
    *, request: Request, gateway: GatewayDep, visit: VisitDep, client: str = "", bank: str = "", renew: str = ""
) -> Response:
    """Choose whose accounts, and at which bank; `renew` is the permission that the new one replaces."""
    return _form(request, gateway, visit, client=client, bank=bank, renew=renew)


@router.post("/link-a-bank/search")
def search(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """The same page with the banks that fit the words or the IBAN; posted, so that no IBAN stands in an address."""
    return _form(
        request,
        gateway,
        visit,
        client=text_of(form, "client"),
        bank=text_of(form, "bank"),
        wanted=text_of(form, "wanted"),
        renew=text_of(form, "renew"),
    )


@router.post("/link-a-bank/ask")
def ask(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Ask for the bank that was looked for and is not on the list."""
    client, wanted = text_of(form, "client"), " ".join(text_of(form, "wanted").split())
    try:
        found, _ = BankRequestService(gateway).ask(visit.act, wanted[:NAME_MAX])
    except (InputError, ConflictError) as error:
        return _form(request, gateway, visit, client=client, bank="", wanted=wanted, error=error)
    return _form(request, gateway, visit, client=client, bank="", wanted=wanted, asked=found.name)


@router.post("/link-a-bank")
def create(request: Request, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """Make the consent and show its link; the link is shown this once."""
    client, bank = text_of(form, "client"), text_of(form, "bank")
    client_id = _id("client", client)
    renew = text_of(form, "renew")
    if client_id is None or not bank:
        return _form(request, gateway, visit, client=client, bank=bank, renew=renew, error=ChoiceIncomplete())
    language = text_of(form, "language")
    try:
        consent, address = ConsentService(gateway).create(
            visit.act,
            client_id=client_id,
            bank_id=bank,
            language=language if language in LANGUAGES else "nl",
            replaces=_id("consent", renew),
        )
    except (RenewalMismatch, RenewalTooEarly, RenewalNotPossible) as error:
        return _form(request, gateway, visit, client=client, bank=bank, error=error)
    return page(
        request,
        "link_made.html",
        consent=consent,
        address=address,
        client=reading.client_of(gateway, visit, client_id),
        bank_name=gateway.banks.profile(consent.bank_id).name,
        ends_at=visit.act.real_now + LINK_LIFE,
    )


@router.post("/clients/{client_id}/renewal-link")
def renewal_link(request: Request, client_id: ClientId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """A link that leads through every permission of a client; it is shown this once (CON-12)."""
    asked = Sittings(gateway).ask(visit.act, client_id)
    return page(
        request,
        "renewal_made.html",
        visit=visit,
        address=asked.url,
        client=reading.client_of(gateway, visit, client_id),
        ends_at=asked.expires_at,
    )


@router.get("/consents/{consent_id}/invitation")
def invitation_form(request: Request, consent_id: ConsentId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """What an invitation is, before its code is made."""
    visit.act.require(Permission.CONSENTS_WRITE)
    return _invitation(request, gateway, visit, ConsentService(gateway).get(visit.act, consent_id).consent)


@router.post("/consents/{consent_id}/invitation")
def invite(request: Request, consent_id: ConsentId, gateway: GatewayDep, visit: PostedDep, form: FormDep) -> Response:
    """The page to hand out, with its QR code, and the code to hand over apart from it, shown this once (CON-06)."""
    try:
        invited = Invitations(gateway).make(visit.act, consent_id, is_mailed=bool(form.get("mail")))
    except ContactMissing as error:
        consent = ConsentService(gateway).get(visit.act, consent_id).consent
        return _invitation(request, gateway, visit, consent, error=error)
    return _invitation(request, gateway, visit, invited.consent, invited=invited)


@router.get("/consents/{consent_id}/stop")
def stop_form(request: Request, consent_id: ConsentId, gateway: GatewayDep, visit: VisitDep) -> Response:
    """What stopping means, before it is done."""
    consent = ConsentService(gateway).get(visit.act, consent_id).consent
    return page(
        request,
        "consent_stop.html",
        consent=consent,
        client=reading.client_of(gateway, visit, consent.client_id),
        bank_name=gateway.banks.profile(consent.bank_id).name,
    )


@router.post("/consents/{consent_id}/stop")
def stop(request: Request, consent_id: ConsentId, gateway: GatewayDep, visit: PostedDep) -> Response:
    """End the permission here and at the bank."""
    consent = ConsentService(gateway).revoke(visit.act, consent_id)
    return see_other(request, f"/day#{encode('client', consent.client_id)}")


def _invitation(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    consent: Consent,
    *,
    invited: Invited | None = None,
    error: ContactMissing | None = None,
) -> Response:
    sheet = None
    if invited is not None:
        # Whoever is invited reads the sheet, not whoever prints it.
        link = ConsentService(gateway).view_link(invited.url.rpartition("/")[2])
        sheet = part(
            request, "invitation_sheet.html", language=consent.language,
            link=link, url=invited.url, qr=qr_code(invited.url),
            terms=terms(
                consent.language, office=link.office_name, licence_holder=link.licence_holder,
                valid_until=link.valid_until,
            ),
        )  # fmt: skip
    return page(
        request,
        "consent_invitation.html",
        status=error.http_status if error is not None else 200,
        visit=visit,
        consent=consent,
        invited=invited,
        sheet=sheet,
        error=error,
        client=reading.client_of(gateway, visit, consent.client_id),
        bank_name=gateway.banks.profile(consent.bank_id).name,
    )


def _form(
    request: Request,
    gateway: Gateway,
    visit: Visit,
    *,
    client: str,
    bank: str,
    wanted: str = "",
    renew: str = "",
    error: InputError | ConflictError | None = None,
    asked: str | None = None,
) -> Response:
    visit.act.require(Permission.CONSENTS_WRITE)
    return page(
        request,
        "link_a_bank.html",
        status=error.http_status if error is not None else 200,
        clients=reading.clients(gateway, visit, Permission.CONSENTS_WRITE),
        banks=_banks(gateway, wanted),
        client=client,
        bank=bank,
        wanted=wanted,
        renew=renew if _id("consent", renew) is not None else "",
        asked=asked,
        error=error,
    )


def _banks(gateway: Gateway, wanted: str) -> list[DirectoryEntry]:
    """Banks by name, former name, BIC or the bank code of an IBAN; configured ones first."""
    entries = gateway.banks.entries()
    compact = wanted.replace(" ", "").upper()
    if compact:
        by_iban = {entry.profile.bank_id for entry in gateway.banks.for_iban(compact)}
        entries = [entry for entry in entries if entry.profile.bank_id in by_iban or _fits(entry, wanted, compact)]
    return sorted(entries, key=lambda entry: (not entry.is_configured, entry.profile.name.casefold()))


def _fits(entry: DirectoryEntry, wanted: str, compact: str) -> bool:
    names = (entry.profile.name, *entry.profile.routed_from)
    return any(wanted.strip().casefold() in name.casefold() for name in names) or any(
        bic.startswith(compact) for bic in entry.profile.bics
    )


def _id(kind: str, text: str) -> UUID | None:
    try:
        return decode(kind, text)
    except ValueError:
        return None
