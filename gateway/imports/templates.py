"""The Excel template: headers in one language, drop-downs, empty or filled with the present clients (OFF-12).

No cell ever begins a formula: each is written as a text, whatever a client is called, and marked so that Excel keeps it
one when somebody edits it. A filled template that is sent back unchanged changes nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from sqlmodel import Session, col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.client_groups.models import ClientGroup, ClientGroupClient
from gateway.i18n import LANGUAGES
from gateway.imports.banks import SHORT_NAMES
from gateway.imports.columns import IBANS_MAX, IBANS_OF_TEMPLATE, template_columns
from gateway.imports.errors import TemplateNotFound
from gateway.imports.present import people_of
from gateway.imports.service import require_bulk
from gateway.imports.tables import ROWS_MAX
from gateway.imports.values import CHANNEL_WORDS, amount_text
from gateway.offices.models import Client
from gateway.offices.repository import ClientRepository
from gateway.profiles.models import ClientProfile, KnownAccount
from gateway.profiles.packages import PACKAGES

TITLES: Final = {"nl": "Klanten", "fr": "Clients", "en": "Clients", "de": "Kunden"}
LISTS: Final = "Lists"
YES_NO: Final = {"nl": ("ja", "nee"), "fr": ("oui", "non"), "en": ("yes", "no"), "de": ("ja", "nein")}
WIDTHS: Final = {"name": 32, "contact_email": 28, "responsible_email": 28, "destination": 28, "contact_name": 24}
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_OUTSIDE_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What a name or code may hold and no part of a workbook can."""
_HEADER_FILL: Final = PatternFill("solid", fgColor="1F4E5F")
_HEADER_FONT: Final = Font(bold=True, color="FFFFFF")


class TemplateService:
    """Templates of one office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def make(self, act: Act, language: str, *, is_filled: bool = False) -> bytes:
        """The workbook; raises `TemplateNotFound` for a language we do not speak."""
        require_bulk(act)
        if language not in LANGUAGES:
            raise TemplateNotFound
        with self.gateway.database.unit_of_work(act.office_id) as session:
            rows = list(_present_rows(session, act, language)) if is_filled else []
            people = sorted(people_of(session, act.office_id))
            groups = session.exec(
                select(ClientGroup.name)
                .where(ClientGroup.office_id == act.office_id, ~col(ClientGroup.is_everyone))
                .order_by(col(ClientGroup.name))
            ).all()
        return _workbook(language, rows, people=people, groups=groups)


def _workbook(
    language: str, rows: Sequence[Mapping[str, str]], *, people: Sequence[str], groups: Sequence[str]
) -> bytes:
    columns = _columns(language, rows)
    lists: dict[str, Sequence[str]] = {
        "language": LANGUAGES,
        "bank": tuple(SHORT_NAMES),
        "package": tuple(PACKAGES.values()),
        "delivery": tuple(words[LANGUAGES.index(language)] for words in CHANNEL_WORDS.values()),
        "send_invitation": YES_NO[language],
        "group": groups,
        "responsible_email": people,
    }
    book = Workbook(write_only=True)
    sheet = book.create_sheet(TITLES[language])
    sheet.freeze_panes = "A2"
    for index, (field, _header) in enumerate(columns, start=1):
        dimension = sheet.column_dimensions[get_column_letter(index)]
        dimension.width = WIDTHS.get(field, 22 if field.startswith("iban") else 18)
        # As text, so that Excel drops no leading zero and makes no date of 31/12.
        dimension.number_format = "@"
    for index, (name, values) in enumerate(lists.items(), start=1):
        if values:
            _offer(
                sheet, columns, name, f"{LISTS}!${get_column_letter(index)}$1:${get_column_letter(index)}${len(values)}"
            )
    sheet.append([_header_cell(sheet, header) for _field, header in columns])
    for row in rows:
        sheet.append([_text_cell(sheet, row.get(field, "")) for field, _header in columns])
    hidden = book.create_sheet(LISTS)
    hidden.sheet_state = "hidden"
    for position in range(max(len(values) for values in lists.values())):
        hidden.append(
            [_text_cell(hidden, values[position] if position < len(values) else "") for values in lists.values()]
        )
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _columns(language: str, rows: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    """The template's columns, with more accounts when a client has more."""
    columns = list(template_columns(language))
    most = max((int(name[5:]) for row in rows for name in row if name.startswith("iban_")), default=0)
    at = next(index for index, (field, _header) in enumerate(columns) if field == "statements_from")
    headers = dict(columns)
    for number in range(IBANS_OF_TEMPLATE + 1, min(most, IBANS_MAX) + 1):
        for kind in ("iban", "bank"):
            word = headers[f"{kind}_1"].rpartition(" ")[0]
            columns.insert(at, (f"{kind}_{number}", f"{word} {number}"))
            at += 1
    return columns


def _offer(sheet: Any, columns: Sequence[tuple[str, str]], name: str, source: str) -> None:
    """A drop-down on each column of this kind. It warns of nothing else typed: the dry run does."""
    choice = DataValidation(type="list", formula1=f"={source}", allow_blank=True, showErrorMessage=False)
    for index, (field, _header) in enumerate(columns, start=1):
        if field == name or (name == "bank" and field.startswith("bank_")):
            letter = get_column_letter(index)
            choice.add(f"{letter}2:{letter}{ROWS_MAX + 1}")
    sheet.data_validations.append(choice)


def _header_cell(sheet: Any, text: str) -> Any:
    cell = _text_cell(sheet, text)
    cell.font, cell.fill, cell.alignment = _HEADER_FONT, _HEADER_FILL, Alignment(vertical="center", wrap_text=True)
    return cell


def _text_cell(sheet: Any, text: str) -> Any:
    """A cell that is a text, also when the text looks like a formula."""
    text = _OUTSIDE_XML.sub("", text)
    cell = WriteOnlyCell(sheet, value=text or None)
    if text:
        cell.data_type = "s"
        cell.number_format = "@"
        if text.startswith(FORMULA_STARTS):
            cell.quotePrefix = True
    return cell


def _present_rows(session: Session, act: Act, language: str) -> Iterator[dict[str, str]]:
    office_id = act.office_id
    clients = session.exec(
        ClientRepository(session).granted(office_id, today=act.today).order_by(col(Client.name), col(Client.id))
    ).all()
    profiles = {
        profile.client_id: profile
        for profile in session.exec(select(ClientProfile).where(ClientProfile.office_id == office_id))
    }
    accounts: dict[UUID, list[KnownAccount]] = {}
    known = select(KnownAccount).where(KnownAccount.office_id == office_id)
    for account in session.exec(known.order_by(col(KnownAccount.position), col(KnownAccount.id))):
        accounts.setdefault(account.client_id, []).append(account)
    memberships = (
        select(ClientGroupClient.client_id, ClientGroup.name)
        .join(ClientGroup, col(ClientGroup.id) == ClientGroupClient.group_id)
        .where(ClientGroupClient.office_id == office_id)
        .order_by(col(ClientGroup.name).desc())
    )
    groups = dict(session.exec(memberships).all())
    people = {user_id: email for email, user_id in people_of(session, office_id).items()}
    for client in clients:
        row = {
            "enterprise_number": client.enterprise_number or "",
            "external_id": client.external_id or "",
            "name": client.name,
            "dossier_code": client.dossier_code,
            "language": client.language,
            "financial_year_end": f"{client.financial_year_end[3:]}/{client.financial_year_end[:2]}",
            "group": groups.get(client.id, ""),
        }
        row |= _profile_cells(profiles.get(client.id), people, language)
        row |= _account_cells(accounts.get(client.id, [])[:IBANS_MAX])
        yield {name: value for name, value in row.items() if value}


def _profile_cells(profile: ClientProfile | None, people: Mapping[UUID, str], language: str) -> dict[str, str]:
    if profile is None:
        return {}
    texts = ("client_code", "contact_name", "contact_email", "mobile", "destination")
    return {
        **{name: getattr(profile, name) or "" for name in texts},
        "responsible_email": people.get(profile.responsible_id, "") if profile.responsible_id else "",
        "labels": "; ".join(profile.labels),
        "package": PACKAGES.get(profile.package or "", ""),
        "delivery": CHANNEL_WORDS[profile.delivery][LANGUAGES.index(language)] if profile.delivery else "",
        "send_invitation": YES_NO[language][0] if profile.send_invitation else "",
    }


def _account_cells(accounts: Sequence[KnownAccount]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for number, account in enumerate(accounts, start=1):
        cells[f"iban_{number}"] = account.iban
        cells[f"bank_{number}"] = account.bank_id or account.bic or ""
    days = {account.statements_from for account in accounts}
    if len(days) == 1 and (day := days.pop()) is not None:
        cells["statements_from"] = day.isoformat()
    if accounts and accounts[0].next_coda_number is not None:
        cells["next_coda_number"] = f"{accounts[0].next_coda_number:03d}"
    if accounts and accounts[0].last_balance is not None:
        cells["last_balance"] = amount_text(accounts[0].last_balance).replace(".", ",")
    return cells
