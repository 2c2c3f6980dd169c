"""Randomised holdouts; questions count as activity."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE holdouts (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    campaign TEXT NOT NULL,
    audience TEXT NOT NULL,
    held_back_percent SMALLINT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by UUID NOT NULL,
    CONSTRAINT pk_holdouts PRIMARY KEY (id),
    CONSTRAINT uq_holdouts_group_id_campaign UNIQUE (group_id, campaign),
    CONSTRAINT ck_holdouts_known_audience CHECK (audience IN ('past_members', 'people')),
    CONSTRAINT ck_holdouts_some_held_back CHECK (held_back_percent BETWEEN 5 AND 90),
    CONSTRAINT ck_holdouts_time_passes CHECK (ends_at > starts_at),
    CONSTRAINT fk_holdouts_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_holdouts_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
);

CREATE TABLE holdout_people (
    holdout_id UUID NOT NULL,
    user_id UUID NOT NULL,
    invited BOOLEAN NOT NULL,
    CONSTRAINT pk_holdout_people PRIMARY KEY (holdout_id, user_id),
    CONSTRAINT fk_holdout_people_holdout_id_holdouts FOREIGN KEY(holdout_id) REFERENCES holdouts (id),
    CONSTRAINT fk_holdout_people_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_holdout_people_user_id ON holdout_people (user_id);

-- Who asks without a name leaves no mark either.
CREATE FUNCTION note_question() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mark_activity(NEW.author_id, 'question', (
        SELECT c.group_id FROM channels c JOIN qa_sessions q ON q.channel_id = c.id WHERE q.id = NEW.session_id));
    RETURN NULL;
END $$;

CREATE TRIGGER note_activity AFTER INSERT ON questions
    FOR EACH ROW WHEN (NEW.author_id IS NOT NULL AND NOT NEW.anonymous) EXECUTE FUNCTION note_question();
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "DROP TRIGGER note_activity ON questions; DROP FUNCTION note_question; DROP TABLE holdout_people, holdouts"
    )
