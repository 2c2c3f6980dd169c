"""Live Q&A, and the marks from which live figures are told."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE tally_marks (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    subject_id UUID NOT NULL,
    kind TEXT NOT NULL,
    CONSTRAINT pk_tally_marks PRIMARY KEY (id)
);

CREATE INDEX ix_tally_marks_subject_id ON tally_marks (subject_id);

CREATE TABLE tellings (
    subject_id UUID NOT NULL,
    version BIGINT NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_tellings PRIMARY KEY (subject_id)
);

CREATE TABLE qa_sessions (
    id UUID NOT NULL,
    channel_id UUID NOT NULL,
    title TEXT NOT NULL,
    anonymous_allowed BOOLEAN NOT NULL,
    moderated BOOLEAN NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE,
    created_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_qa_sessions PRIMARY KEY (id),
    CONSTRAINT fk_qa_sessions_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id),
    CONSTRAINT fk_qa_sessions_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
);

CREATE INDEX ix_qa_sessions_channel_id ON qa_sessions (channel_id);

CREATE TABLE questions (
    id UUID NOT NULL,
    session_id UUID NOT NULL,
    author_id UUID,
    anonymous BOOLEAN NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    announced BOOLEAN NOT NULL,
    pinned BOOLEAN NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answer TEXT,
    answered_by UUID,
    answered_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_questions PRIMARY KEY (id),
    CONSTRAINT ck_questions_known_state CHECK (state IN ('asked', 'approved', 'live', 'answered', 'skipped', 'removed')),
    CONSTRAINT ck_questions_names_its_author CHECK (author_id IS NOT NULL OR anonymous),
    CONSTRAINT ck_questions_answered_with_time CHECK ((answered_at IS NULL) = (answer IS NULL)),
    CONSTRAINT ck_questions_answered_with_words CHECK (state <> 'answered' OR answer IS NOT NULL),
    CONSTRAINT ck_questions_removed_without_words CHECK ((state = 'removed') = (text = '')),
    CONSTRAINT fk_questions_session_id_qa_sessions FOREIGN KEY(session_id) REFERENCES qa_sessions (id),
    CONSTRAINT fk_questions_author_id_users FOREIGN KEY(author_id) REFERENCES users (id),
    CONSTRAINT fk_questions_answered_by_users FOREIGN KEY(answered_by) REFERENCES users (id)
);

CREATE INDEX ix_questions_author_id ON questions (author_id);

CREATE INDEX ix_questions_session_id ON questions (session_id);

CREATE UNIQUE INDEX uq_questions_one_live ON questions (session_id) WHERE state = 'live';

CREATE TABLE question_upvotes (
    question_id UUID NOT NULL,
    user_id UUID NOT NULL,
    CONSTRAINT pk_question_upvotes PRIMARY KEY (question_id, user_id),
    CONSTRAINT fk_question_upvotes_question_id_questions FOREIGN KEY(question_id) REFERENCES questions (id),
    CONSTRAINT fk_question_upvotes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_question_upvotes_user_id ON question_upvotes (user_id);

CREATE INDEX ix_questions_words ON questions USING gin (text gin_trgm_ops, answer gin_trgm_ops);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE question_upvotes, questions, qa_sessions, tellings, tally_marks")
