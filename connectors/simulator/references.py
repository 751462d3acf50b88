"""Numbers with valid check digits: IBAN, structured communication, RF reference, enterprise number."""

from __future__ import annotations


def belgian_iban(bank_code: str, account_number: str) -> str:
    """Compact IBAN from the three-digit bank code and seven digits, with the national and the international check."""
    base = f"{bank_code}{account_number:0>7}"
    bban = f"{base}{int(base) % 97 or 97:02d}"
    return f"BE{98 - int(bban + '111400') % 97:02d}{bban}"


def german_iban(bank_code: str, account_number: str) -> str:
    """Compact IBAN from the eight-digit bank code and up to ten digits; no national check."""
    bban = f"{bank_code}{account_number:0>10}"
    return f"DE{98 - int(bban + '131400') % 97:02d}{bban}"


def structured_communication(base: int) -> str:
    """Twelve digits: the base (up to ten digits) and its remainder by 97, where 97 stands for none."""
    return f"{base:010d}{base % 97 or 97:02d}"


def printed(structured: str) -> str:
    """The twelve digits as on paper: `+++123/4567/89002+++`."""
    return f"+++{structured[:3]}/{structured[3:7]}/{structured[7:]}+++"


def creditor_reference(reference: str) -> str:
    """RF reference (ISO 11649) for up to 21 letters and digits."""
    digits = "".join(str(int(character, 36)) for character in f"{reference.upper()}RF00")
    return f"RF{98 - int(digits) % 97:02d}{reference.upper()}"


def enterprise_number(base: int) -> str:
    """Belgian enterprise number: eight digits and 97 minus their remainder by 97."""
    return f"{base:08d}{97 - base % 97:02d}"


def creditor_identifier(enterprise: str, business_code: str = "ZZZ") -> str:
    """SEPA creditor identifier of a Belgian creditor; the business code does not count in the check digits."""
    return f"BE{98 - int(enterprise + '111400') % 97:02d}{business_code}{enterprise}"
