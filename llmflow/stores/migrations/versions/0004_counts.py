"""Counts and the region of each call that its price depends on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COUNTS = (
    "cache_write_1h_tokens",
    "cache_read_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
    "input_video_tokens",
    "web_searches",
    "file_searches",
)


def upgrade() -> None:
    """Add the columns; 0 in the rows that have no such count."""
    for name in _COUNTS:
        op.add_column("calls", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("calls", sa.Column("unread", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("calls", sa.Column("region", sa.String(), nullable=True))
