"""Who is named in which message."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MENTIONS = """
CREATE TABLE mentions (
    message_id UUID NOT NULL,
    user_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    CONSTRAINT pk_mentions PRIMARY KEY (message_id, user_id),
    CONSTRAINT fk_mentions_message_id_messages FOREIGN KEY(message_id) REFERENCES messages (id),
    CONSTRAINT fk_mentions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_mentions_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id)
);
CREATE INDEX ix_mentions_person ON mentions (user_id, channel_id, seq);
"""


def upgrade() -> None:
    op.execute(MENTIONS)


def downgrade() -> None:
    op.execute("DROP TABLE mentions")
