"""Alembic's entry: runs inside the connection that `gateway.migrations.upgrade` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel.sql.sqltypes import AutoString

from gateway.database import Base
from gateway.models import import_all


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """SQLModel's string type renders under a module nobody imports; a plain String is meant."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    if kind == "type" and type(item).__module__ == "gateway.database":
        return f"database.{type(item).__name__}()"
    return False


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """procrastinate's tables are its own."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


import_all()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=render_item,
    include_name=include_name,
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
