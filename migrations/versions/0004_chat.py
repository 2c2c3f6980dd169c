"""Messages, reactions, read marks."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE messages (
    id UUID NOT NULL,
    channel_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    author_id UUID NOT NULL,
    author_role TEXT NOT NULL,
    client_msg_id UUID NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL,
    reply_to UUID,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    edited_at TIMESTAMP WITH TIME ZONE,
    deleted_at TIMESTAMP WITH TIME ZONE,
    deleted_by TEXT,
    CONSTRAINT pk_messages PRIMARY KEY (id),
    CONSTRAINT uq_messages_channel_id_seq UNIQUE (channel_id, seq),
    CONSTRAINT uq_messages_channel_id_author_id_client_msg_id UNIQUE (channel_id, author_id, client_msg_id),
    CONSTRAINT ck_messages_text_length CHECK (char_length(text) <= 4000),
    CONSTRAINT ck_messages_known_role CHECK (author_role IN ('creator', 'moderator', 'staff', 'bot', 'member')),
    CONSTRAINT ck_messages_known_remover CHECK (deleted_by IN ('author', 'moderator')),
    CONSTRAINT fk_messages_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id),
    CONSTRAINT fk_messages_author_id_users FOREIGN KEY(author_id) REFERENCES users (id),
    CONSTRAINT fk_messages_reply_to_messages FOREIGN KEY(reply_to) REFERENCES messages (id)
);

CREATE INDEX ix_messages_text ON messages USING gin (text gin_trgm_ops) WHERE deleted_at IS NULL;

CREATE TABLE read_marks (
    channel_id UUID NOT NULL,
    user_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    CONSTRAINT pk_read_marks PRIMARY KEY (channel_id, user_id),
    CONSTRAINT fk_read_marks_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id),
    CONSTRAINT fk_read_marks_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE reactions (
    message_id UUID NOT NULL,
    emoji TEXT NOT NULL,
    user_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_reactions PRIMARY KEY (message_id, emoji, user_id),
    CONSTRAINT ck_reactions_emoji_length CHECK (char_length(emoji) BETWEEN 1 AND 16),
    CONSTRAINT fk_reactions_message_id_messages FOREIGN KEY(message_id) REFERENCES messages (id),
    CONSTRAINT fk_reactions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE removed_texts (
    message_id UUID NOT NULL,
    text TEXT NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_removed_texts PRIMARY KEY (message_id),
    CONSTRAINT fk_removed_texts_message_id_messages FOREIGN KEY(message_id) REFERENCES messages (id)
);

CREATE INDEX ix_removed_texts_until ON removed_texts (until);
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE removed_texts, reactions, read_marks, messages")
