"""Row-level security and grants, said once for every migration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from alembic import op

from gateway.embedded import APPLICATION

OFFICE: Final = "nullif(current_setting('sluis.office_id', true), '')::uuid"
"""Null, and so no row at all, when the unit of work has no office."""


def secure(tables: Iterable[str]) -> None:
    """Give the application its rights on an office's tables, behind the policy that shows one office's rows only.

    The policy is enabled and not forced: the owner, who runs migrations and is never the service, sees all rows.
    """
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY office_only ON {table} USING (office_id = {OFFICE}) WITH CHECK (office_id = {OFFICE})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APPLICATION}")


def open_globally(tables: Iterable[str]) -> None:
    """Give the application its rights on the few tables that belong to no office."""
    for table in tables:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APPLICATION}")


def insert_only(tables: Iterable[str]) -> None:
    """What is written there stays as it is: the application may add and read, nothing else."""
    for table in tables:
        op.execute(f"REVOKE UPDATE, DELETE ON {table} FROM {APPLICATION}")
