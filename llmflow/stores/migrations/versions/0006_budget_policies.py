"""Policy of a budget without room, and the share of it that people were warned of."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("budgets", sa.Column("full", sa.String(), nullable=False, server_default="refuse"))
    op.add_column("budgets", sa.Column("warned", sa.Integer(), nullable=False, server_default="0"))
