"""Budgets of more than runs, and what calls without an answer may have cost."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns, and make the tables of budgets anew: what open runs have spent of theirs is forgotten."""
    for name in ("low_usd", "high_usd"):
        op.add_column("calls", sa.Column(name, sa.BigInteger(), nullable=True))
    op.drop_table("reservations")
    op.drop_table("budgets")
    _budgets()
    _reservations()


def _budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("usd", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.String(), nullable=False),
        sa.Column("uncertain", sa.String(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("budgets_by_name", "budgets", ["scope", "name"], unique=False)


def _reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("activity_id", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("budget", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("usd", sa.BigInteger(), nullable=False),
        sa.Column("assumed", sa.BigInteger(), nullable=False),
        sa.Column("bounded", sa.Boolean(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("lost", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "activity_id", "attempt", "budget"),
    )
    op.create_index("reservations_by_budget", "reservations", ["budget", "settled"], unique=False)
    op.create_index("reservations_by_end", "reservations", ["settled", "until"], unique=False)
