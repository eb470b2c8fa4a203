"""Run events, and their readers."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "run_events",
        sa.Column("root_id", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("is_delta", sa.Boolean(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("root_id", "number"),
    )
    op.create_index("run_events_by_id", "run_events", ["root_id", "id"], unique=True)
    op.create_table(
        "event_streams",
        sa.Column("root_id", sa.String(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("root_id"),
    )
    op.create_index("event_streams_by_age", "event_streams", ["at"], unique=False)
    op.create_table(
        "event_readers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("root_id", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
