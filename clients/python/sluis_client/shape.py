"""Base of every shape: unknown fields of an answer are ignored, so that the service can grow."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, PrivateAttr


class Shape(BaseModel):
    """A request or an answer. Fields left out of a request are not sent."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    _etag: str | None = PrivateAttr(default=None)

    @property
    def etag(self) -> str | None:
        """The ETag of the answer, for `if_match`; None when the service gave none."""
        return self._etag
