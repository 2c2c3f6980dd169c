"""Reports of messages."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

REPORTS = """
CREATE TABLE reports (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    message_id UUID NOT NULL,
    reporter_id UUID NOT NULL,
    author_id UUID NOT NULL,
    kind TEXT NOT NULL,
    note TEXT NOT NULL,
    quoted TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    handled_at TIMESTAMP WITH TIME ZONE,
    handled_by UUID,
    outcome TEXT,
    CONSTRAINT pk_reports PRIMARY KEY (id),
    CONSTRAINT uq_reports_message_id_reporter_id UNIQUE (message_id, reporter_id),
    CONSTRAINT ck_reports_known_kind CHECK (kind IN ('spam', 'harassment', 'hate', 'sexual', 'violence', 'self_harm', 'illegal', 'other')),
    CONSTRAINT ck_reports_known_state CHECK (state IN ('open', 'removed', 'dismissed')),
    CONSTRAINT ck_reports_handled_once CHECK ((state = 'open') = (handled_at IS NULL)),
    CONSTRAINT fk_reports_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_reports_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id),
    CONSTRAINT fk_reports_message_id_messages FOREIGN KEY(message_id) REFERENCES messages (id),
    CONSTRAINT fk_reports_reporter_id_users FOREIGN KEY(reporter_id) REFERENCES users (id),
    CONSTRAINT fk_reports_author_id_users FOREIGN KEY(author_id) REFERENCES users (id),
    CONSTRAINT fk_reports_handled_by_users FOREIGN KEY(handled_by) REFERENCES users (id)
);

CREATE INDEX ix_reports_open ON reports (group_id, id) WHERE state = 'open';
"""


def upgrade() -> None:
    op.execute(REPORTS)


def downgrade() -> None:
    op.execute("DROP TABLE reports")
