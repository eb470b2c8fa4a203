"""Workflow types that workers serve."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "served_workflows",
        sa.Column("namespace", sa.String(), nullable=False),
        sa.Column("task_queue", sa.String(), nullable=False),
        sa.Column("apps", sa.String(), nullable=False),
        sa.Column("workflow_type", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "task_queue", "apps", "workflow_type"),
    )
