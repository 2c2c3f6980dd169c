"""Pictures that go with messages."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

UPLOADS = """
CREATE TABLE uploads (
    id UUID NOT NULL,
    channel_id UUID NOT NULL,
    owner_id UUID NOT NULL,
    message_id UUID,
    position SMALLINT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    size INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_uploads PRIMARY KEY (id),
    CONSTRAINT uq_uploads_message_id_position UNIQUE (message_id, position),
    CONSTRAINT ck_uploads_place_in_message CHECK ((message_id IS NULL) = (position IS NULL)),
    CONSTRAINT ck_uploads_known_kind CHECK (kind IN ('image/jpeg', 'image/png', 'image/webp', 'image/gif')),
    CONSTRAINT fk_uploads_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id),
    CONSTRAINT fk_uploads_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id),
    CONSTRAINT fk_uploads_message_id_messages FOREIGN KEY(message_id) REFERENCES messages (id)
);

CREATE INDEX ix_uploads_unsent ON uploads (owner_id) WHERE message_id IS NULL;
"""


def upgrade() -> None:
    op.execute(UPLOADS)


def downgrade() -> None:
    op.execute("DROP TABLE uploads")
