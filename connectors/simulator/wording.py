"""The banks' own wording in the texts of rows, per language of the account holder."""

from __future__ import annotations

TEXTS = {
    "nl": {
        "invoice": "Factuur {number}",
        "invoices": "Betaling facturen volgens afgesproken lijst, gelieve af te punten:",
        "wages": "Lonen {month}",
        "direct_debit": "Europese domiciliëring - abonnement {month}",
        "direct_debit_returned": "Terugbetaling domiciliëring - abonnement {month}",
        "rent": "Huur bedrijfsruimte {month}",
        "card": "Betaling met Bancontact-kaart 6703 04XX XXXX X217 4 - {place} - {moment}",
        "card_pending": "Bancontact {place}",
        "cash": "Geldopname met kaart 6703 04XX XXXX X217 4 - {place} - {moment}",
        "cash_pending": "Geldopname {place}",
        "costs": "Kosten rekeningbeheer {month}",
        "interest": "Creditrente spaarrekening",
        "tax": "Roerende voorheffing",
        "own_transfer": "Overboeking eigen rekening",
        "own_saving": "Naar spaarrekening",
        "card_settled": "Afrekening kredietkaart",
    },
    "fr": {
        "invoice": "Facture n° {number}",
        "invoices": "Paiement des factures selon la liste convenue, merci de les pointer :",
        "wages": "Salaires {month}",
        "direct_debit": "Domiciliation européenne - abonnement {month}",
        "direct_debit_returned": "Remboursement domiciliation - abonnement {month}",
        "rent": "Loyer du local {month}",
        "card": "Paiement par carte Bancontact 6703 04XX XXXX X845 2 - {place} - {moment}",
        "card_pending": "Bancontact {place}",
        "cash": "Retrait d'espèces par carte 6703 04XX XXXX X845 2 - {place} - {moment}",
        "cash_pending": "Retrait {place}",
        "costs": "Frais de gestion de compte {month}",
        "interest": "Intérêts créditeurs",
        "tax": "Précompte mobilier",
        "own_transfer": "Virement entre comptes propres",
        "own_saving": "Vers compte d'épargne",
        "card_settled": "Décompte carte de crédit",
    },
}


def text(language: str, name: str, **values: str) -> str:
    """The wording in the holder's language, Dutch when there is none."""
    return TEXTS.get(language, TEXTS["nl"])[name].format(**values)
