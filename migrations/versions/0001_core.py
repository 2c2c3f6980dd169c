"""The ground floor: clock, idempotency, outbox, streams."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE clock_offset (
    id SMALLINT NOT NULL,
    offset_seconds BIGINT NOT NULL,
    CONSTRAINT pk_clock_offset PRIMARY KEY (id),
    CONSTRAINT ck_clock_offset_single_row CHECK (id = 1)
);

CREATE TABLE idempotency_claims (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    status SMALLINT,
    body JSONB,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_idempotency_claims PRIMARY KEY (actor, key)
);

CREATE INDEX ix_idempotency_claims_at ON idempotency_claims (at);

CREATE TABLE outbox (
    id UUID NOT NULL,
    topic TEXT NOT NULL,
    key TEXT,
    payload JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    attempts SMALLINT NOT NULL,
    error TEXT,
    done_at TIMESTAMP WITH TIME ZONE,
    quarantined_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT uq_outbox_topic_key UNIQUE (topic, key)
);

CREATE INDEX ix_outbox_waiting ON outbox (due_at) WHERE done_at IS NULL AND quarantined_at IS NULL;

CREATE TABLE streams (
    id UUID NOT NULL,
    head BIGINT NOT NULL,
    CONSTRAINT pk_streams PRIMARY KEY (id),
    CONSTRAINT ck_streams_head_not_negative CHECK (head >= 0)
);

CREATE TABLE stream_events (
    stream_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    author_id UUID,
    client_msg_id UUID,
    subject_id UUID,
    data JSONB NOT NULL,
    evicts JSONB,
    CONSTRAINT pk_stream_events PRIMARY KEY (stream_id, seq),
    CONSTRAINT uq_stream_events_stream_id_author_id_client_msg_id UNIQUE (stream_id, author_id, client_msg_id),
    CONSTRAINT ck_stream_events_seq_positive CHECK (seq > 0),
    CONSTRAINT fk_stream_events_stream_id_streams FOREIGN KEY(stream_id) REFERENCES streams (id)
);

CREATE INDEX ix_stream_events_subject ON stream_events (subject_id) WHERE subject_id IS NOT NULL;
"""


ACCOUNT_LOG = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(f"INSERT INTO streams (id, head) VALUES ('{ACCOUNT_LOG}', 0)")


def downgrade() -> None:
    op.execute("DROP TABLE stream_events, streams, outbox, idempotency_claims, clock_offset")
