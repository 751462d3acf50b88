"""The key of an uploaded file can be changed: its cipher alone may be written again (STA-19)."""

from __future__ import annotations

from alembic import op

from gateway.embedded import APPLICATION

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None

OFFICE_TABLES = ()
GLOBAL_TABLES = ()


def upgrade() -> None:
    """Forward only; restore a backup to go back."""
    op.execute(f"GRANT UPDATE (content_cipher) ON statement_upload_file TO {APPLICATION}")
