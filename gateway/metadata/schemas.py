"""Shapes of meta data in the API."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final
from uuid import UUID

from pydantic import ConfigDict, Field

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


class WithMetadata(Shape):
    """An object as it is shown, with its pairs, which `answers.with_metadata` puts in."""

    # A program can rely on the field: without pairs it is empty, never absent.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    takes_pairs_as: ClassVar[str]
    """Name of the object's table."""

    metadata: dict[str, str] = Field(
        default_factory=dict, description="Your pairs of key and value.", examples=[{"dossier": "2026-118"}]
    )

    def object_id(self) -> UUID:
        """Whose pairs they are."""
        found: Any = self.id  # type: ignore[attr-defined]  # every shape of an object has its id
        assert isinstance(found, UUID), "ids are texts only outside"
        return found


class TakesMetadata(Shape):
    """A body that may set the object's pairs too."""

    metadata: Pairs | None = Field(
        default=None,
        description="All pairs of key and value, at most 20. Left out or null: they stay as they are; empty: none.",
        examples=[{"dossier": "2026-118"}],
    )
