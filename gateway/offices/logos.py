"""The office's logo: which pictures are taken, and where they are shown (OFF-01).

A picture is told by its first bytes, never by what the sender calls it. Vector pictures are not taken: they can carry
scripts. The address names the picture's own hash, so it works before anybody signed in and tells nothing else.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final
from uuid import UUID

from sqlmodel import Session, select

from gateway.act import Act
from gateway.assembly import Gateway
from gateway.audit.log import Change
from gateway.errors import InputError, NotFound
from gateway.identity.rights import Permission
from gateway.ids import encode
from gateway.offices.models import OfficeLogo
from gateway.offices.repository import OfficeRepository

BYTES_MAX: Final = 256 * 1024
SIDE_MAX: Final = 2000
LOGO_PATH: Final = "/office-logos"


class LogoRefused(InputError):
    """Not a picture we show."""

    code = "logo_refused"
    title = "This picture cannot be used as a logo"
    hint = "Send a PNG, JPEG or WebP of at most 256 KiB and 2,000 by 2,000 pixels."


class LogoNotFound(NotFound):
    """The office has none."""

    code = "logo_not_found"
    title = "The office has no logo"
    hint = "Send one with PUT."


class LogoService:
    """The logo of an office."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    def get(self, act: Act) -> OfficeLogo:
        """The office's own; raises `LogoNotFound`."""
        with self.gateway.database.unit_of_work(act.office_id) as session:
            logo = session.get(OfficeLogo, act.office_id)
        if logo is None:
            raise LogoNotFound
        return logo

    def put(self, act: Act, content: bytes) -> OfficeLogo:
        """Show this picture from now on; raises `LogoRefused`."""
        act.require(Permission.ADMIN)
        media_type = picture_type(content)
        sha256 = hashlib.sha256(content).hexdigest()
        with self.gateway.database.unit_of_work(act.office_id) as session:
            OfficeRepository(session).hold(act.office_id)  # There may be no row yet that could be held.
            logo = session.get(OfficeLogo, act.office_id)
            before = None if logo is None else logo.sha256
            if logo is None:
                logo = OfficeLogo(
                    office_id=act.office_id, content=content, media_type=media_type, sha256=sha256, created_at=act.now
                )
            logo.content, logo.media_type, logo.sha256 = content, media_type, sha256
            session.add(logo)
            if before != sha256:
                changes = {"sha256": Change(before, sha256)}
                self.gateway.audit.record(session, act, "office.logo_changed", "office", act.office_id, changes=changes)
        return logo

    def delete(self, act: Act) -> None:
        """Show none; without one it changes nothing."""
        act.require(Permission.ADMIN)
        with self.gateway.database.unit_of_work(act.office_id) as session:
            logo = session.get(OfficeLogo, act.office_id, with_for_update=True)
            if logo is not None:
                changes = {"sha256": Change(logo.sha256, None)}
                session.delete(logo)
                self.gateway.audit.record(session, act, "office.logo_changed", "office", act.office_id, changes=changes)

    def shown(self, office_id: UUID, sha256: str) -> OfficeLogo:
        """For guests who were given the address; raises `NotFound` for any other."""
        with self.gateway.database.unit_of_work(office_id) as session:
            logo = session.get(OfficeLogo, office_id)
        if logo is None or logo.sha256 != sha256:
            raise NotFound
        return logo


def logo_address(session: Session, office_id: UUID) -> str | None:
    """Address of the office's logo within our pages; None when it has none."""
    sha256 = session.exec(select(OfficeLogo.sha256).where(OfficeLogo.office_id == office_id)).one_or_none()
    return None if sha256 is None else f"{LOGO_PATH}/{encode('office', office_id)}/{sha256}"


def picture_type(content: bytes) -> str:
    """Media type of a picture that we show; raises `LogoRefused`."""
    if len(content) > BYTES_MAX:
        raise LogoRefused
    try:
        media_type, width, height = _measured(content)
    except (struct.error, IndexError):
        raise LogoRefused from None
    if not (0 < width <= SIDE_MAX and 0 < height <= SIDE_MAX):
        raise LogoRefused
    return media_type


def _measured(content: bytes) -> tuple[str, int, int]:
    """Media type, width and height, from where each format has them.

    Sources: PNG (W3C, 3rd edition) §11.2.1; JPEG (ITU T.81) §B.2.2; WebP container specification (RFC 9649) §2.
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png", *struct.unpack(">II", content[16:24])
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", *_jpeg_size(content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp", *_webp_size(content)
    raise LogoRefused


def _jpeg_size(content: bytes) -> tuple[int, int]:
    position = 2
    while content[position] == 0xFF:
        marker = content[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        (length,) = struct.unpack(">H", content[position + 2 : position + 4])
        # Start of frame, whatever its kind; C4, C8 and CC are tables.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[position + 5 : position + 9])
            return width, height
        position += 2 + max(length, 2)
    raise LogoRefused


def _webp_size(content: bytes) -> tuple[int, int]:
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", content[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        return width, struct.unpack("<I", content[27:30] + b"\0")[0] + 1
    raise LogoRefused
