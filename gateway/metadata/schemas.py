"""Shapes of meta data in the API."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from gateway.api import Shape

PAIRS_MAX: Final = 20
Key = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.:-]+$")]
Value = Annotated[str, Field(min_length=1, max_length=500)]
Pairs = Annotated[
    dict[Key, Value],
    Field(max_length=PAIRS_MAX, examples=[{"dossier": "2026-118"}], description="At most 20 pairs of texts."),
]


class MetadataShape(Shape):
    """All pairs of an object; what is left out is removed."""

    metadata: Pairs
