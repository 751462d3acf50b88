"""Postal addresses: which form may leave, and what is dropped.

Since 15 November 2026 (interbank settlement date) an address without town and country in their own elements is refused.
Inside the EEA none is needed, so an incomplete one is dropped and reported; elsewhere it is needed and blocks.
Sources: EPC153-22 version 2.1; SEPA credit transfer rulebook 2025 version 1.1; Regulation (EU) 2023/1113.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from sepa.text import convert

STRUCTURED_FROM = date(2026, 11, 15)
ADDRESS_LINES_MAX = 2


class AddressMode(StrEnum):
    """What a bank accepts, set per bank and channel."""

    NONE = "none"
    MINIMAL = "minimal"
    STRUCTURED = "structured"
    HYBRID = "hybrid"


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """An address in parts; "" means absent. `country` is two ISO letters, `lines` free lines (hybrid form only)."""

    department: str = ""
    street: str = ""
    building_number: str = ""
    building_name: str = ""
    floor: str = ""
    post_box: str = ""
    room: str = ""
    post_code: str = ""
    town: str = ""
    country_subdivision: str = ""
    country: str = ""
    lines: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, part) for part in (*PARTS, "lines"))

    @property
    def is_complete(self) -> bool:
        """Whether it has the minimum that may leave: town and country."""
        return bool(self.town.strip() and self.country.strip())


# Element and maximum length of each part in pain.001.001.09 (PostalAddress24), in the order of the schema.
PARTS: dict[str, tuple[str, int]] = {
    "department": ("Dept", 70),
    "street": ("StrtNm", 70),
    "building_number": ("BldgNb", 16),
    "building_name": ("BldgNm", 35),
    "floor": ("Flr", 70),
    "post_box": ("PstBx", 16),
    "room": ("Room", 70),
    "post_code": ("PstCd", 16),
    "town": ("TwnNm", 35),
    "country_subdivision": ("CtrySubDvsn", 35),
    "country": ("Ctry", 2),
}
LINE_LENGTH_MAX = 70


def convert_address(address: PostalAddress) -> PostalAddress:
    """The address in the SEPA character set, country in capitals, empty lines gone; raises `TextForbidden`."""
    parts = {part: convert(getattr(address, part)) for part in PARTS}
    parts["country"] = parts["country"].upper()
    lines = tuple(line for line in map(convert, address.lines) if line)
    return PostalAddress(**parts, lines=lines)


def sendable_address(address: PostalAddress | None, mode: AddressMode) -> PostalAddress | None:
    """The address as it may leave under the bank's mode, or None: free lines alone never leave.

    Lines are kept in hybrid mode only, at most two, and never one that repeats town or postal code.
    """
    if address is None or mode is AddressMode.NONE:
        return None
    address = convert_address(address)
    if not address.is_complete:
        return None
    if mode is AddressMode.MINIMAL:
        return PostalAddress(town=address.town, country=address.country)
    if mode is AddressMode.STRUCTURED:
        return replace(address, lines=())
    fresh = tuple(line for line in address.lines if not repeats(line, address.town, address.post_code))
    return replace(address, lines=fresh[:ADDRESS_LINES_MAX])


def repeats(line: str, town: str, post_code: str) -> bool:
    """Whether a free line holds the town or the postal code as a word of its own again."""
    words = f" {' '.join(line.upper().replace(',', ' ').split())} "
    return any(f" {part.upper()} " in words for part in (town.strip(), post_code.strip()) if part)
