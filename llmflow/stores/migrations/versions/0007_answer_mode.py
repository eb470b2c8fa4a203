"""The way in which typed answers were asked for, as a column of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column."""
    op.add_column("calls", sa.Column("answer_mode", sa.String(), nullable=True))
