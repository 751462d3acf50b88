"""The invented people, companies and accounts of the simulated world.

Every name is invented. Enterprise numbers come from a range that was never given out, and all check digits hold; the
account numbers of counterparties are invented too, public offices included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from connectors.simulator.references import belgian_iban, enterprise_number, german_iban

CUSTOMERS, SUPPLIERS, WAGES, TAXES, CARDS = "customers", "suppliers", "wages", "taxes", "cards"
DIRECT_DEBITS, STANDING_ORDERS, COSTS, INSTANT = "direct_debits", "standing_orders", "costs", "instant"
SAVINGS_INTEREST, CREDIT_CARD = "savings_interest", "credit_card"


@dataclass(frozen=True, slots=True)
class Party:
    """The other side of a transaction."""

    name: str
    iban: str | None = None
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A person who signs in at the banks for one company."""

    holder_id: str
    name: str
    language: str
    company_id: str


@dataclass(frozen=True, slots=True)
class Company:
    """An account-holding company and whom it deals with."""

    company_id: str
    name: str
    legal_form: str
    enterprise_number: str
    language: str
    town: str
    customers: tuple[Party, ...]
    suppliers: tuple[Party, ...]
    employees: tuple[tuple[Party, int], ...]
    """Each with the net wage in cents."""
    landlord: Party
    rent: int
    """In cents, each month."""
    receipt_cents: tuple[int, int]
    """Usual range of a customer's payment."""
    purchase_cents: tuple[int, int]
    """Usual range of a supplier's invoice."""
    files_vat_monthly: bool = False
    pays_wages_as_batch: bool = False


@dataclass(frozen=True, slots=True)
class SimulatedAccount:
    """One account at one bank."""

    account_id: str
    """Ours, the same in every run: the IBAN (with the currency of a second account), or the masked card number."""
    bank_id: str
    bic: str
    company_id: str
    name: str
    product: str
    cash_account_type: str
    opening_balance: Decimal
    activities: frozenset[str]
    iban: str | None = None
    masked_pan: str | None = None
    currency: str = "EUR"


BAKERY, TEXTILE, STUDIO, CLINIC = "korenhof", "leieweve", "beguin", "wouters"

COMPANIES = (
    Company(
        company_id=BAKERY,
        name="Bakkerij Korenhof Lindenaar BV",
        legal_form="BV",
        enterprise_number=enterprise_number(1102034),
        language="nl",
        town="Deinze",
        customers=(
            Party("Tearoom De Zilverberk BV", "BE17001543301221", "GEBABEBB"),
            Party("Woonzorgcentrum Sint-Odrada VZW", "BE35063253082937", "GKCCBEBB"),
            Party("Hotel Ter Wildernisse NV", "BE12310662403992", "BBRUBEBB"),
            Party("Vandecasteele-Moerman Cécile", "BE64735081011152", "KREDBEBB"),
            Party("Traiteur Fijnproef & Zoon BV", "BE54973121527997", "ARSPBE22"),
        ),
        suppliers=(
            Party("Molens Van Oostkouter NV", "BE44001899060845", "GEBABEBB"),
            Party("Zuivelhandel Meersman BV", "BE50063157924018", "GKCCBEBB"),
            Party("Ovenbouw Crèvecoeur SRL", "BE80310613524177", "BBRUBEBB"),
            Party("Bakkersgrondstoffen Zeeuwland B.V.", "NL72INGB0109525498", "INGBNL2A"),
        ),
        employees=(
            (Party("Bruno Desmedt-Claeys", "BE44735977756045", "KREDBEBB"), 2_143_50),
            (Party("Zoë Vermeulen", "BE84651097306059", "KEYTBEBB"), 1_987_20),
        ),
        landlord=Party("Immo Kouterhof BV", "BE48103851335827", "NICABEBB"),
        rent=1_450_00,
        receipt_cents=(45_00, 1_990_00),
        purchase_cents=(80_00, 1_150_00),
    ),
    Company(
        company_id=TEXTILE,
        name="Leieweve Textiel NV",
        legal_form="NV",
        enterprise_number=enterprise_number(1108871),
        language="nl",
        town="Kortrijk",
        customers=(
            Party("Meubelatelier Hoogstraete NV", "BE16645360203774", "JVBABE22"),
            Party("Maison Aubépine SAS", "FR7630003077478086071415980", "SOGEFRPP"),
            Party("Raumtextil Grünhagen GmbH", "DE35370400442744112455", "COBADEFF"),
            Party("Interieur Van der Zwaluw B.V.", "NL20RABO3755228983", "RABONL2U"),
            Party("Gordijnenhuis Peereboom BV", "BE82132062907268", "BNAGBEBB"),
        ),
        suppliers=(
            Party("Spinnerij Duivekeete NV", "BE11850144195548", "NICABEBB"),
            Party("Filature des Trois-Étangs SARL", "FR7630004162263413403657359", "BNPAFRPP"),
            Party("Färberei Kleinschmidt KG", "DE59500700100267352360", "DEUTDEFF"),
            Party("Transport Waelkens-D'Hulst BV", "BE54096727536797", "GKCCBEBB"),
            Party("Energie Scheldekant NV", "BE09001152191157", "GEBABEBB"),
        ),
        employees=((Party("Wages"), 38_412_60),),
        landlord=Party("Bedrijvenpark Evolis-Zuid NV", "BE76733924503895", "KREDBEBB"),
        rent=6_200_00,
        receipt_cents=(1_200_00, 24_000_00),
        purchase_cents=(600_00, 15_500_00),
        files_vat_monthly=True,
        pays_wages_as_batch=True,
    ),
    Company(
        company_id=STUDIO,
        name="Atelier Béguin-Lefèvre SRL",
        legal_form="SRL",
        enterprise_number=enterprise_number(1115526),
        language="fr",
        town="Namur",
        customers=(
            Party("Éditions du Vieux-Chêne SA", "BE51377712225062", "BBRUBEBB"),
            Party("Commune de Fontenoille", "BE50063157924018", "GKCCBEBB"),
            Party("Galerie Noël Hautecœur SRL", "BE12310662403992", "BBRUBEBB"),
            Party("Studio Kastanje BV", "BE64735081011152", "KREDBEBB"),
        ),
        suppliers=(
            Party("Imprimerie Saint-Éloi SA", "BE17001543301221", "GEBABEBB"),
            Party("Papeterie Maréchal & Fils SRL", "BE35063253082937", "GKCCBEBB"),
            Party("Hébergement Numérique Ardennais SRL", "BE54973121527997", "ARSPBE22"),
        ),
        employees=((Party("François Lambrecht", "BE80310613524177", "BBRUBEBB"), 2_245_10),),
        landlord=Party("Immobilière du Faubourg SRL", "BE48103851335827", "NICABEBB"),
        rent=980_00,
        receipt_cents=(150_00, 2_500_00),
        purchase_cents=(60_00, 1_400_00),
    ),
    Company(
        company_id=CLINIC,
        name="Tandartspraktijk Wouters-Ödman BV",
        legal_form="BV",
        enterprise_number=enterprise_number(1121947),
        language="nl",
        town="Mechelen",
        customers=(
            Party("Peeters-Van Loock Griet", "BE84651097306059", "KEYTBEBB"),
            Party("El Amrani Yassine", "BE44735977756045", "KREDBEBB"),
            Party("Ziekenfonds De Voorzorgkring", "BE54096727536797", "GKCCBEBB"),
            Party("Søndergaard-Maes Ilse", "BE16645360203774", "JVBABE22"),
        ),
        suppliers=(
            Party("Dentaal Depot Rupelstreek NV", "BE09001152191157", "GEBABEBB"),
            Party("Tandtechniek Elzenbroek BV", "BE76733924503895", "KREDBEBB"),
            Party("Zahnlabor Behrens e.K.", "DE85200505509239612543", "HASPDEHH"),
        ),
        employees=((Party("Marieke Aerts", "BE11850144195548", "NICABEBB"), 2_050_00),),
        landlord=Party("Wouters Patrimonium BV", "BE82132062907268", "BNAGBEBB"),
        rent=1_100_00,
        receipt_cents=(35_00, 1_680_00),
        purchase_cents=(45_00, 900_00),
    ),
)

HOLDERS = (
    Holder("lien.lindenaar", "Lien Lindenaar", "nl", BAKERY),
    Holder("pieter.dhaenekint", "Pieter Dhaenekint", "nl", TEXTILE),
    Holder("amelie.beguin", "Amélie Béguin", "fr", STUDIO),
    Holder("erik.wouters", "Erik Wouters", "nl", CLINIC),
)

MAIN = frozenset({CUSTOMERS, SUPPLIERS, WAGES, TAXES, DIRECT_DEBITS, STANDING_ORDERS, COSTS, INSTANT})
SECOND = frozenset({CUSTOMERS, CARDS, COSTS})
ALL = MAIN | {CARDS}


def _account(  # noqa: PLR0917  a table reads better without names
    company_id: str,
    bank_id: str,
    bic: str,
    iban: str | None,
    opening: int,
    activities: frozenset[str],
    *,
    name: str,
    product: str = "Business",
    cash_account_type: str = "CACC",
    masked_pan: str | None = None,
) -> SimulatedAccount:
    account_id = iban or masked_pan
    assert account_id is not None, "an account needs an IBAN or a masked card number"
    return SimulatedAccount(
        account_id=account_id,
        bank_id=bank_id,
        bic=bic,
        company_id=company_id,
        name=name,
        product=product,
        cash_account_type=cash_account_type,
        opening_balance=Decimal(opening).scaleb(-2),
        activities=activities,
        iban=iban,
        masked_pan=masked_pan,
    )


ACCOUNTS = (
    _account(BAKERY, "crelan", "NICABEBB", belgian_iban("103", "0714233"), 38_240_15, MAIN, name="Zichtrekening"),
    _account(BAKERY, "keytrade", "KEYTBEBB", belgian_iban("651", "1480627"), 6_512_90, SECOND, name="Kassarekening"),
    _account(
        TEXTILE, "vanbreda", "JVBABE22", belgian_iban("645", "1029384"), 412_880_47, MAIN, name="Ondernemersrekening"
    ),
    _account(
        TEXTILE, "nagelmackers", "BNAGBEBB", belgian_iban("634", "0285719"), 58_300_00, SECOND, name="Zichtrekening"
    ),
    _account(
        TEXTILE,
        "vanbreda",
        "JVBABE22",
        belgian_iban("645", "3310052"),
        150_000_00,
        frozenset({SAVINGS_INTEREST}),
        name="Spaarrekening",
        product="Business Savings",
        cash_account_type="SVGS",
    ),
    _account(
        TEXTILE,
        "vanbreda",
        "JVBABE22",
        None,
        -1_500_00,
        frozenset({CREDIT_CARD}),
        name="Visa Business",
        product="Visa Business",
        cash_account_type="CARD",
        masked_pan="498012XXXXXX7731",
    ),
    _account(STUDIO, "nagelmackers", "BNAGBEBB", belgian_iban("132", "5540918"), 21_730_66, ALL, name="Compte à vue"),
    _account(STUDIO, "crelan", "NICABEBB", belgian_iban("103", "8862041"), 4_905_20, SECOND, name="Compte projet"),
    _account(CLINIC, "keytrade", "KEYTBEBB", belgian_iban("651", "7203315"), 17_648_03, ALL, name="Praktijkrekening"),
    _account(CLINIC, "vanbreda", "JVBABE22", belgian_iban("645", "8804126"), 33_020_00, SECOND, name="Reserverekening"),
)


def accounts_at(bank_id: str, bic: str, bank_code: str, serial: str, card: str) -> tuple[SimulatedAccount, ...]:
    """What the dental practice holds at a bank for which no accounts are listed: a current and a savings account.

    `card` is the masked number of a credit card beside them, empty for none.
    """
    # A German code has eight digits.
    iban_of = german_iban if len(bank_code) == 8 else belgian_iban
    accounts = (
        _account(CLINIC, bank_id, bic, iban_of(bank_code, f"{serial}75"), 9_310_44, SECOND, name="Zichtrekening"),
        _account(
            CLINIC,
            bank_id,
            bic,
            iban_of(bank_code, f"{serial[:3]}0176"),
            25_000_00,
            frozenset({SAVINGS_INTEREST}),
            name="Spaarrekening",
            product="Business Savings",
            cash_account_type="SVGS",
        ),
    )
    if not card:
        return accounts
    return (
        *accounts,
        _account(
            CLINIC,
            bank_id,
            bic,
            None,
            -850_00,
            frozenset({CREDIT_CARD}),
            name="Visa Business",
            product="Visa Business",
            cash_account_type="CARD",
            masked_pan=card,
        ),
    )


def in_currency(account: SimulatedAccount, currency: str) -> SimulatedAccount:
    """A second account under the same number, in another currency."""
    return replace(
        account,
        account_id=f"{account.account_id}{currency}",
        currency=currency,
        name=f"{account.name} {currency}",
        opening_balance=Decimal("1204.50"),
        activities=frozenset({CUSTOMERS}),
    )


def company(company_id: str) -> Company:
    """The company with this id; raises `KeyError` when there is none."""
    return {item.company_id: item for item in COMPANIES}[company_id]
