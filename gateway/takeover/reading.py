"""The accounts in a list of CodaBox (CSV or Excel) or in CODA files; each number once (CON-18). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connectors.text import is_iban
from gateway.foreign_files.errors import ForeignFilesEmpty
from gateway.foreign_files.keeping import read_all
from gateway.foreign_files.reading import FileFault, SentFile, iban_of, unpacked
from gateway.imports.columns import key_of
from gateway.imports.errors import FileRefused
from gateway.imports.readers import read_table
from gateway.imports.tables import Cell, Header, Row, Table

WORDS: Final[Mapping[str, frozenset[str]]] = {
    "iban": frozenset(
        {"iban", "rekening", "rekeningnummer", "compte", "numerodecompte", "account", "accountnumber", "konto",
         "kontonummer", "bankrekening", "bankaccount"}
    ),
    "bank": frozenset({"bank", "banque", "banknaam", "bankname", "nomdelabanque", "bic", "financialinstitution"}),
    "kind": frozenset({"type", "soort", "typerekening", "typecompte", "accounttype", "product", "produit", "kontoart"}),
    "client": frozenset({"client", "klant", "kunde", "company", "onderneming", "entreprise", "naam", "nom", "name"}),
    "currency": frozenset({"currency", "munt", "valuta", "devise", "wahrung"}),
}  # fmt: skip
"""Headers by what they stand for; letters and digits count only."""


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """One account as the list has it; texts are empty where it says nothing."""

    number: str
    """As it stands there, without blanks."""
    iban: str | None
    """None when the number is none."""
    bank: str = ""
    kind: str = ""
    client: str = ""
    currency: str = ""


def accounts_in(sent: Iterable[SentFile]) -> tuple[list[ListedAccount], list[FileFault]]:
    """The accounts of the files, each once, and the files that cannot be used.

    Raises `FileRefused` for a list that cannot be read, `ForeignFilesTooLarge`, `ForeignFilesEmpty`.
    """
    files = list(sent)
    if len(files) == 1 and is_list(files[0]):
        return _once(listed(read_table(files[0].content, headers_of=headers_of))), []
    opened, damaged = unpacked(files)
    if not opened and not damaged:
        raise ForeignFilesEmpty
    read, faulty = read_all(opened)
    found = [
        ListedAccount(facts.iban, facts.iban, currency=facts.link.currency, kind=facts.link.description.strip())
        for one in read
        for facts in one.statements
    ]
    return _once(found), [*damaged, *faulty]


def is_list(file: SentFile) -> bool:
    """Whether a file is a list and not CODA or an archive of it: a CODA file begins with five zeros."""
    content = file.content
    if content.startswith(b"PK\x03\x04"):
        return b"xl/workbook.xml" in content
    return content.lstrip()[:5] != b"00000"


def headers_of(cells: Mapping[int, Cell]) -> tuple[Header, ...]:
    """The headers, when a number of accounts is among them; otherwise this line is a title."""
    headers = []
    for index, cell in sorted(cells.items()):
        key = key_of(cell.text)
        field = next((name for name, words in WORDS.items() if key in words), None)
        headers.append(Header(index, None, cell.text[:70], field))
    return tuple(headers) if any(header.field == "iban" for header in headers) else ()


def listed(table: Table) -> list[ListedAccount]:
    """The rows of a list that name a number."""
    places: dict[str, int] = {}
    for header in table.headers:
        if header.field is not None:
            places.setdefault(header.field, header.index)
    found = []
    for row in table.rows:
        number = "".join(_text(row, places, "iban").split()).upper()
        if not number:
            continue
        iban = number if is_iban(number) else iban_of(number.replace("-", "").replace("/", ""))
        if iban is not None and not is_iban(iban):
            iban = None
        found.append(
            ListedAccount(
                number[:42],
                iban,
                bank=_text(row, places, "bank")[:70],
                kind=_text(row, places, "kind")[:70],
                client=_text(row, places, "client")[:70],
                currency=_text(row, places, "currency")[:3].upper(),
            )
        )
    if not found:
        raise FileRefused
    return found


def _text(row: Row, places: Mapping[str, int], name: str) -> str:
    cell = row.cells.get(places.get(name, -1))
    return cell.text if cell is not None else ""


def _once(accounts: Iterable[ListedAccount]) -> list[ListedAccount]:
    found: dict[tuple[str, str], ListedAccount] = {}
    for one in accounts:
        found.setdefault((one.iban or one.number, one.currency), one)
    return list(found.values())
