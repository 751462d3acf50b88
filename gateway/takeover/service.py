"""Judging a list of accounts; nothing of it is kept (CON-18)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, select

from gateway.accounts.models import Account
from gateway.act import Act
from gateway.assembly import Gateway
from gateway.foreign_files.reading import FileFault, SentFile
from gateway.i18n import translate
from gateway.identity.rights import Permission
from gateway.offices.models import Client
from gateway.offices.service import clients_open
from gateway.takeover.judging import Judged, OfferedBank, Present, judge
from gateway.takeover.labels import FEE, REASONS, VERDICTS
from gateway.takeover.reading import accounts_in

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class TakeoverList:
    """What holds of each account, in the order of the list, and the files that could not be used."""

    accounts: Sequence[Judged]
    refused: Sequence[FileFault]


class TakeoverService:
    """Take-over lists of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def judge(self, act: Act, sent: Iterable[SentFile]) -> TakeoverList:
        """Raises what `takeover.reading.accounts_in` raises."""
        act.require(Permission.CLIENTS_WRITE)
        listed, refused = accounts_in(sent)
        ibans = {one.iban for one in listed if one.iban is not None}
        with self.gateway.database.unit_of_work(act.office_id) as session:
            granted = clients_open(session, act, Permission.CLIENTS_WRITE)
            rows = session.exec(
                select(Account).where(
                    Account.office_id == act.office_id,
                    col(Account.client_id).in_(granted.with_only_columns(col(Client.id))),
                    col(Account.iban).in_(ibans),
                )
            ).all()
        present = {
            row.iban: Present(row.kind, is_read=row.consent_id is not None and row.moved_on is None) for row in rows
        }
        judged = [
            judge(one, self._banks(one.iban), present.get(one.iban) if one.iban is not None else None) for one in listed
        ]
        return TakeoverList(judged, refused)

    def _banks(self, iban: str | None) -> list[OfferedBank]:
        if iban is None:
            return []
        return [OfferedBank(entry.profile, entry.is_configured) for entry in self.gateway.banks.for_iban(iban)]


def as_csv(judged: Sequence[Judged], language: str) -> bytes:
    """The list as CSV in UTF-8 with semicolons; no cell begins a formula."""
    target = io.StringIO()
    writer = csv.writer(target, delimiter=";", lineterminator="\r\n")
    writer.writerow(["iban", "client", "bank", "type", "verdict", "reasons", "is_read_here", "bank_fee"])
    fee = translate(language, FEE)
    for one in judged:
        reasons = " ".join(translate(language, REASONS[code]) for code in one.reasons)
        banks = ", ".join(one.bank_names) or one.listed.bank
        cells = [
            one.listed.iban or one.listed.number, one.listed.client, banks, str(one.kind),
            translate(language, VERDICTS[one.verdict]), reasons, "yes" if one.is_read else "no", fee,
        ]  # fmt: skip
        writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return b"\xef\xbb\xbf" + target.getvalue().encode()
