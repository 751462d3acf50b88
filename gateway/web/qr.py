"""QR codes in pages."""

from __future__ import annotations

import segno


def qr_code(address: str) -> str:
    """The address as an SVG element without script or style; black on white whatever the theme."""
    svg = segno.make(address, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass="qr")
    return str(svg)
