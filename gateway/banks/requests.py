"""Banks that are not on the list can be asked for; the operator sees how many offices want which (CON-02)."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.banks.models import BankRequest
from gateway.errors import ConflictError, FieldFault, InputError
from gateway.identity.rights import Permission
from gateway.ids import new_id
from gateway.offices.repository import OfficeRepository
from gateway.pagination import PageRequest, Sort

NAME_MAX: Final = 70
REQUESTS_MAX: Final = 100
"""Of one office. Belgium has fewer banks than this."""


class BankNameEmpty(InputError):
    """No letter and no digit."""

    code = "bank_name_empty"
    title = "The name holds no letter and no digit"
    hint = "Give the name of the bank as its customers know it."


class BankListed(ConflictError):
    """Nothing has to be asked for."""

    code = "bank_listed_already"
    title = "This bank is on the list"
    detail = "{bank_name} is on the list of banks."
    hint = "Use the bank with the id in bank_id. One that is not configured yet is a matter for the operator."
    members = ("bank_id",)


class BankRequestsFull(ConflictError):
    """More would be no wishes any more."""

    code = "bank_requests_full"
    title = "This office has asked for as many banks as it can"
    detail = "An office can ask for {most} banks."
    hint = "Tell the operator of the installation which of them matter."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A bank, and how many offices asked for it."""

    name: str
    offices: int


class BankRequestService:
    """Asking, and counting for the operator."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def ask(self, act: Act, name: str) -> tuple[BankRequest, bool]:
        """The request, and whether it is new; asked again it is the same one.

        Raises `BankNameEmpty`, `BankListed`, `BankRequestsFull`.
        """
        act.require(Permission.CONSENTS_WRITE)
        key = key_of(name)
        if not key:
            fault = FieldFault("/name", BankNameEmpty.code, BankNameEmpty.title, BankNameEmpty.hint)
            raise BankNameEmpty(faults=[fault])
        self._require_unlisted(key)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            mine = select(BankRequest).where(BankRequest.office_id == act.office_id)
            known = session.exec(mine.where(BankRequest.name_key == key)).one_or_none()
            if known is not None:
                return known, False
            count = select(func.count()).select_from(BankRequest).where(col(BankRequest.office_id) == act.office_id)
            if session.exec(count).one() >= REQUESTS_MAX:
                raise BankRequestsFull(most=REQUESTS_MAX)
            wish = {
                "id": new_id(), "office_id": act.office_id, "name": name, "name_key": key, "created_at": act.now,
            }  # fmt: skip
            made = session.execute(
                insert(BankRequest).values(wish).on_conflict_do_nothing().returning(col(BankRequest.id))
            )
            is_new = made.first() is not None
            # Two who ask at once get the same one.
            found = session.exec(mine.where(BankRequest.name_key == key)).one()
            if is_new:
                self.gateway.audit.record(
                    session, act, "bank.requested", "bank_request", found.id, changes={"name": Change(None, name)}
                )
        return found, is_new

    def page(self, act: Act, request: PageRequest) -> tuple[list[BankRequest], str | None]:
        """What the office asked for, the newest first."""
        act.require(Permission.CONSENTS_READ)
        order = [Sort(col(BankRequest.id), lambda one: str(one.id), UUID, is_descending=True)]
        with self.gateway.database.unit_of_work(act.office_id) as session:
            return self.gateway.pager.page(
                session, select(BankRequest).where(BankRequest.office_id == act.office_id), order, request,
                name=f"bank_requests:{act.office_id}",
            )  # fmt: skip

    def wanted(self) -> list[Wanted]:
        """For the operator: by bank, the most wanted first; no office is named."""
        names: dict[str, str] = {}
        counts: defaultdict[str, int] = defaultdict(int)
        with self.gateway.database.unit_of_work(None) as session:
            offices = OfficeRepository(session).all_ids()
        for office_id in offices:
            with self.gateway.database.unit_of_work(office_id) as session:
                query = select(BankRequest).where(BankRequest.office_id == office_id)
                for one in session.exec(query.order_by(col(BankRequest.created_at))):
                    names.setdefault(one.name_key, one.name)
                    counts[one.name_key] += 1
        return [Wanted(names[key], counts[key]) for key in sorted(counts, key=lambda key: (-counts[key], key))]

    def _require_unlisted(self, key: str) -> None:
        for entry in self.gateway.banks.entries():
            profile = entry.profile
            words = (profile.bank_id, profile.name, *profile.routed_from, *profile.bics)
            if any(key_of(word) == key for word in words):
                raise BankListed(bank_name=profile.name, bank_id=profile.bank_id)


def key_of(name: str) -> str:
    """Letters and digits in small letters without accents."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(character for character in plain if character.isalnum())[:NAME_MAX]
