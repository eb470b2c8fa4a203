"""The label of a fan-out's item in each call."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("calls", sa.Column("item", sa.String(), nullable=True))
