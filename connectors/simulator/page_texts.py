"""Texts of the simulated bank's pages, in Dutch, French and English."""

from __future__ import annotations

TEXTS = {
    "nl": {
        "simulated": "Gesimuleerde bank - geen echte rekeningen",
        "sign_in": "Aanmelden",
        "who": "Wie bent u?",
        "next": "Verder",
        "consent": "Toegang tot uw rekeningen",
        "asks": "vraagt toegang tot:",
        "everything": "alle rekeningen hieronder: gegevens, saldi en verrichtingen",
        "named": "de gevraagde rekeningen hieronder",
        "choose": "de rekeningen die u hieronder aankruist",
        "accounts": "Rekeningen",
        "until": "Geldig tot en met",
        "times": "Hoogstens {number} keer per dag zonder u",
        "approve": "Goedkeuren",
        "cancel": "Annuleren",
        "stopped": "Dit gaat niet verder",
        "unknown": "Deze aanvraag bestaat niet of is al afgehandeld.",
        "wrong_request": "De aanvraag van de toepassing klopt niet: {reason}.",
        "choose_one": "Kies minstens één rekening.",
        "none_held": "U hebt geen van de gevraagde rekeningen bij deze bank.",
        "payment": "Overschrijving ondertekenen",
        "asks_payment": "vraagt te betalen van",
        "payees": "Begunstigden",
        "total": "Samen",
        "sign": "Ondertekenen",
        "activation": "Betalingen inschakelen",
        "activation_text": "Zolang betalingen uit staan, kan niemand er via deze toepassing klaarzetten.",
        "activate": "Inschakelen",
    },
    "fr": {
        "simulated": "Banque simulée - pas de comptes réels",
        "sign_in": "S'identifier",
        "who": "Qui êtes-vous ?",
        "next": "Continuer",
        "consent": "Accès à vos comptes",
        "asks": "demande l'accès à :",
        "everything": "tous les comptes ci-dessous : données, soldes et opérations",
        "named": "les comptes demandés ci-dessous",
        "choose": "les comptes que vous cochez ci-dessous",
        "accounts": "Comptes",
        "until": "Valable jusqu'au",
        "times": "Au plus {number} fois par jour sans vous",
        "approve": "Approuver",
        "cancel": "Annuler",
        "stopped": "Impossible de continuer",
        "unknown": "Cette demande n'existe pas ou a déjà été traitée.",
        "wrong_request": "La demande de l'application n'est pas correcte : {reason}.",
        "choose_one": "Choisissez au moins un compte.",
        "none_held": "Vous n'avez aucun des comptes demandés dans cette banque.",
        "payment": "Signer un virement",
        "asks_payment": "demande de payer depuis",
        "payees": "Bénéficiaires",
        "total": "Total",
        "sign": "Signer",
        "activation": "Activer les paiements",
        "activation_text": "Tant que les paiements sont désactivés, personne ne peut en remettre par ici.",
        "activate": "Activer",
    },
    "en": {
        "simulated": "Simulated bank - no real accounts",
        "sign_in": "Sign in",
        "who": "Who are you?",
        "next": "Continue",
        "consent": "Access to your accounts",
        "asks": "asks for access to:",
        "everything": "all accounts below: details, balances and transactions",
        "named": "the accounts asked for below",
        "choose": "the accounts you tick below",
        "accounts": "Accounts",
        "until": "Valid up to and including",
        "times": "At most {number} times a day without you",
        "approve": "Approve",
        "cancel": "Cancel",
        "stopped": "This cannot go on",
        "unknown": "This request does not exist or was dealt with already.",
        "wrong_request": "The application's request is not correct: {reason}.",
        "choose_one": "Choose at least one account.",
        "none_held": "You hold none of the accounts asked for at this bank.",
        "payment": "Sign a transfer",
        "asks_payment": "asks to pay from",
        "payees": "Payees",
        "total": "In all",
        "sign": "Sign",
        "activation": "Switch payments on",
        "activation_text": "While payments are off, nobody can hand any over through this application.",
        "activate": "Switch on",
    },
}


def language(accept_language: str) -> str:
    """The first known language of an `Accept-Language` header, by its weights; English when none is known."""
    wishes = []
    for position, part in enumerate(accept_language.split(",")):
        name, _, weight = part.strip().partition(";q=")
        wishes.append((-_weight(weight), position, name[:2].lower()))
    return next((name for _, _, name in sorted(wishes) if name in TEXTS), "en")


def _weight(text: str) -> int:
    """Thousandths of a weight such as `0.8`."""
    whole, _, decimals = (text.strip() or "1").partition(".")
    digits = f"{whole}{decimals:0<3}"[:4]
    return int(digits) if digits.isascii() and digits.isdigit() else 0
