"""The columns of an import file: field names, headers in four languages, how a header is recognised (OFF-12).

A file says in its first row what its columns are, in the words of one of our templates or by field name. Case, accents
and punctuation do not count, so that `N° d'entreprise` and `n d entreprise` are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

IBANS_MAX: Final = 20
"""As many accounts as one row can carry."""
IBANS_OF_TEMPLATE: Final = 3


@dataclass(frozen=True, slots=True)
class Column:
    """One column; the headers are those of the templates."""

    field: str
    nl: str
    fr: str
    en: str
    de: str
    others: tuple[str, ...] = ()
    """Words that accountants' own exports use for it."""

    def header(self, language: str) -> str:
        """The template's header."""
        return str(getattr(self, language))


COLUMNS: Final = (
    Column("enterprise_number", "Ondernemingsnummer", "Numéro d'entreprise", "Enterprise number", "Unternehmensnummer",
           ("KBO", "KBO-nummer", "BCE", "N° d'entreprise", "BTW-nummer", "N° TVA", "VAT number", "MwSt-Nummer")),
    Column("external_id", "Eigen sleutel", "Clé propre", "External id", "Eigener Schlüssel"),
    Column("name", "Naam", "Nom", "Name", "Name", ("Dénomination", "Benaming", "Firma")),
    Column("client_code", "Klantcode", "Code client", "Client code", "Kundencode", ("Code",)),
    Column("dossier_code", "Dossiercode", "Code dossier", "Dossier code", "Dossiercode", ("Dossier",)),
    Column("language", "Taal", "Langue", "Language", "Sprache"),
    Column("contact_name", "Contactpersoon", "Personne de contact", "Contact name", "Kontaktperson", ("Contact",)),
    Column("contact_email", "E-mail contact", "E-mail du contact", "Contact e-mail", "E-Mail Kontakt",
           ("E-mail", "E-mailadres", "Adresse e-mail", "E-Mail-Adresse", "Mail")),
    Column("mobile", "Gsm", "Gsm du contact", "Mobile", "Mobiltelefon", ("Gsm-nummer", "Mobiel", "Numéro de gsm")),
    Column("responsible_email", "Dossierbeheerder", "Gestionnaire", "Responsible", "Sachbearbeiter",
           ("E-mail dossierbeheerder", "E-mail du gestionnaire", "Responsible e-mail")),
    Column("group", "Groep", "Groupe", "Group", "Gruppe"),
    Column("labels", "Labels", "Étiquettes", "Labels", "Etiketten"),
    Column("package", "Boekhoudpakket", "Logiciel comptable", "Accounting package", "Buchhaltungsprogramm",
           ("Pakket", "Logiciel")),
    Column("financial_year_end", "Einde boekjaar", "Fin d'exercice", "Financial year end", "Ende Geschäftsjahr",
           ("Clôture",)),
    Column("statements_from", "Uittreksels vanaf", "Extraits à partir du", "Statements from", "Auszüge ab"),
    Column("next_coda_number", "Volgend CODA-nummer", "Prochain numéro CODA", "Next CODA number", "Nächste CODA-Nummer",
           ("CODA-nummer",)),
    Column("last_balance", "Laatste saldo", "Dernier solde", "Last balance", "Letzter Saldo"),
    Column("delivery", "Levering", "Livraison", "Delivery", "Lieferung"),
    Column("destination", "Bestemming", "Destination", "Destination", "Ziel"),
    Column("send_invitation", "Uitnodiging sturen", "Envoyer une invitation", "Send invitation", "Einladung senden",
           ("Uitnodigen",)),
)  # fmt: skip
"""Every column but those of the accounts, in the order of the template (accounts come before `statements_from`)."""

_ACCOUNT_WORDS: Final = {
    "iban": ("iban", "rekening", "rekeningnummer", "compte", "account", "konto"),
    "bank": ("bank", "banque", "bic", "swift"),
}
_ACCOUNT_HEADERS: Final = {
    "iban": {"nl": "IBAN", "fr": "IBAN", "en": "IBAN", "de": "IBAN"},
    "bank": {"nl": "Bank", "fr": "Banque", "en": "Bank", "de": "Bank"},
}
_NUMBERED: Final = re.compile(r"([a-z]+)([0-9]{1,2})?")


def key_of(text: str) -> str:
    """What counts of a header or a name from a list: letters and digits, in small letters without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum() and character.isascii())


def field_of(header: str) -> str | None:
    """The field a header stands for, such as `name` or `iban_2`; None when it is none of ours."""
    key = key_of(header)
    known = _headers().get(key)
    if known is not None:
        return known
    match = _NUMBERED.fullmatch(key)
    if match is None:
        return None
    number = int(match[2] or 1)
    for kind, words in _ACCOUNT_WORDS.items():
        if match[1] in words and 1 <= number <= IBANS_MAX:
            return f"{kind}_{number}"
    return None


def template_columns(language: str) -> Iterator[tuple[str, str]]:
    """Field and header of every column of a template, in order."""
    for column in COLUMNS:
        if column.field == "statements_from":
            for number in range(1, IBANS_OF_TEMPLATE + 1):
                for kind, headers in _ACCOUNT_HEADERS.items():
                    yield f"{kind}_{number}", f"{headers[language]} {number}"
        yield column.field, column.header(language)


def header_of(field: str, language: str) -> str:
    """What a field is called in a language."""
    kind, _, number = field.rpartition("_")
    if kind in _ACCOUNT_HEADERS:
        return f"{_ACCOUNT_HEADERS[kind][language]} {number}"
    return next(column.header(language) for column in COLUMNS if column.field == field)


def is_field(name: str) -> bool:
    """Whether this is the name of a column of ours."""
    kind, _, number = name.rpartition("_")
    if kind in _ACCOUNT_HEADERS:
        return number.isascii() and number.isdigit() and str(int(number)) == number and 1 <= int(number) <= IBANS_MAX
    return any(column.field == name for column in COLUMNS)


@cache
def _headers() -> dict[str, str]:
    found: dict[str, str] = {}
    for column in COLUMNS:
        for text in (column.field, column.nl, column.fr, column.en, column.de, *column.others):
            assert found.setdefault(key_of(text), column.field) == column.field, f"two columns are called {text}"
    return found
