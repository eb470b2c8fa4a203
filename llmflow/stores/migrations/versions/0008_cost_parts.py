"""Parts of costs, what was saved, and the run that a fork was made of, as columns of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_COLUMNS = ("input_usd", "output_usd", "cache_saved_usd", "tier_saved_usd", "reused_usd")


def upgrade() -> None:
    """Add the columns. What earlier calls saved is unknown."""
    for name in _COLUMNS:
        op.add_column("calls", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("calls", sa.Column("fork_of", sa.String(), nullable=True))
