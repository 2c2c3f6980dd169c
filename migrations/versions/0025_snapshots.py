"""Costly looks at a group, kept for its dashboard."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
CREATE TABLE insight_snapshots (
    group_id UUID NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    body JSONB NOT NULL,
    CONSTRAINT pk_insight_snapshots PRIMARY KEY (group_id),
    CONSTRAINT fk_insight_snapshots_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);
"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE insight_snapshots")
