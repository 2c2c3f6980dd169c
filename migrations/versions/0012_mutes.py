"""Mutes and slow mode."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MUTES = """
ALTER TABLE channels ADD COLUMN slow_seconds SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE channels ALTER COLUMN slow_seconds DROP DEFAULT;
ALTER TABLE channels ADD CONSTRAINT ck_channels_slow_mode CHECK (slow_seconds BETWEEN 0 AND 21600);

CREATE TABLE mutes (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    user_id UUID NOT NULL,
    reason TEXT NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    created_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lifted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_mutes PRIMARY KEY (id),
    CONSTRAINT fk_mutes_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_mutes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_mutes_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
);
CREATE UNIQUE INDEX uq_mutes_standing ON mutes (group_id, user_id) WHERE lifted_at IS NULL;
"""


def upgrade() -> None:
    op.execute(MUTES)


def downgrade() -> None:
    op.execute("DROP TABLE mutes; ALTER TABLE channels DROP COLUMN slow_seconds")
