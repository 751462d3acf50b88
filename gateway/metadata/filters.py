"""`metadata[key]=value` on lists: one filter for every list of objects that take pairs (API-06)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from sqlmodel import col, select

from gateway.metadata.models import MetadataPair

PARAMETER: Final = re.compile(r"metadata\[([A-Za-z0-9_.:-]{1,40})\]")
LISTS: Final = frozenset({"list_clients", "list_accounts", "list_consents", "list_baskets", "list_basket_payments",
                          "list_payments"})  # fmt: skip
"""Operations that take the filter."""
PAIRS_MAX: Final = 20
VALUE_MAX: Final = 500

Wanted = tuple[tuple[str, str], ...]


def wanted_in(parameters: Iterable[tuple[str, str]]) -> Wanted:
    """The pairs asked for in the address, in a fixed order."""
    found = [(match[1], value) for name, value in parameters if (match := PARAMETER.fullmatch(name))]
    return tuple(sorted(found))


def filtered(query: Any, wanted: Wanted, office_id: UUID) -> Any:
    """The rows of the query's table that have all these pairs; each is found by the index of values."""
    entity = query.column_descriptions[0]["entity"]
    for key, value in wanted:
        having = select(MetadataPair.object_id).where(
            MetadataPair.office_id == office_id,
            MetadataPair.object_kind == entity.__tablename__,
            MetadataPair.key == key,
            MetadataPair.value == value,
        )
        query = query.where(col(entity.id).in_(having))
    return query
