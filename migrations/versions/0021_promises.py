"""Promises, their periods and remedies; the dead-man switch."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE creator_silences (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    last_sign_at TIMESTAMP WITH TIME ZONE NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_creator_silences PRIMARY KEY (id),
    CONSTRAINT fk_creator_silences_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE UNIQUE INDEX uq_creator_silences_running ON creator_silences (group_id) WHERE ended_at IS NULL;

CREATE TABLE promises (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    version SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    every TEXT NOT NULL,
    timezone TEXT NOT NULL,
    grace_hours INTEGER NOT NULL,
    remedy TEXT NOT NULL,
    remedy_value INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    starts_on DATE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    replaced_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_promises PRIMARY KEY (id),
    CONSTRAINT uq_promises_group_id_kind_version UNIQUE (group_id, kind, version),
    CONSTRAINT ck_promises_known_kind CHECK (kind IN ('messages', 'qa', 'episode', 'answer_time')),
    CONSTRAINT ck_promises_known_cadence CHECK (every IN ('day', 'week', 'month')),
    CONSTRAINT ck_promises_known_remedy CHECK (remedy IN ('days', 'refund')),
    CONSTRAINT ck_promises_means_something CHECK (count > 0 AND grace_hours >= 0 AND remedy_value > 0),
    CONSTRAINT ck_promises_no_more_than_was_paid CHECK (remedy <> 'refund' OR remedy_value <= 100),
    CONSTRAINT fk_promises_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE UNIQUE INDEX uq_promises_current ON promises (group_id, kind) WHERE replaced_at IS NULL;

CREATE TABLE promise_periods (
    id UUID NOT NULL,
    promise_id UUID NOT NULL,
    n INTEGER NOT NULL,
    from_at TIMESTAMP WITH TIME ZONE NOT NULL,
    warn_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT NOT NULL,
    evidence JSONB NOT NULL,
    excuse TEXT,
    settled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_promise_periods PRIMARY KEY (id),
    CONSTRAINT uq_promise_periods_promise_id_n UNIQUE (promise_id, n),
    CONSTRAINT ck_promise_periods_known_state CHECK (state IN ('scheduled', 'at_risk', 'kept', 'missed', 'excused', 'remedied')),
    CONSTRAINT ck_promise_periods_time_passes CHECK (until_at > from_at AND due_at >= until_at),
    CONSTRAINT ck_promise_periods_excused_for_a_reason CHECK ((state = 'excused') = (excuse IS NOT NULL)),
    CONSTRAINT ck_promise_periods_settled_with_time CHECK ((state IN ('scheduled', 'at_risk')) = (settled_at IS NULL)),
    CONSTRAINT fk_promise_periods_promise_id_promises FOREIGN KEY(promise_id) REFERENCES promises (id)
);

CREATE INDEX ix_promise_periods_open ON promise_periods (warn_at) WHERE state IN ('scheduled', 'at_risk');

CREATE TABLE stopped_renewals (
    silence_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    CONSTRAINT pk_stopped_renewals PRIMARY KEY (silence_id, subscription_id),
    CONSTRAINT fk_stopped_renewals_silence_id_creator_silences FOREIGN KEY(silence_id) REFERENCES creator_silences (id),
    CONSTRAINT fk_stopped_renewals_subscription_id_subscriptions FOREIGN KEY(subscription_id) REFERENCES subscriptions (id)
);

CREATE TABLE promise_remedies (
    id UUID NOT NULL,
    period_id UUID NOT NULL,
    user_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    kind TEXT NOT NULL,
    value INTEGER NOT NULL,
    state TEXT NOT NULL,
    why TEXT,
    refund_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_promise_remedies PRIMARY KEY (id),
    CONSTRAINT uq_promise_remedies_period_id_user_id UNIQUE (period_id, user_id),
    CONSTRAINT ck_promise_remedies_known_kind CHECK (kind IN ('days', 'refund')),
    CONSTRAINT ck_promise_remedies_known_state CHECK (state IN ('owed', 'given', 'failed')),
    CONSTRAINT ck_promise_remedies_failed_for_a_reason CHECK ((state = 'failed') = (why IS NOT NULL)),
    CONSTRAINT fk_promise_remedies_period_id_promise_periods FOREIGN KEY(period_id) REFERENCES promise_periods (id),
    CONSTRAINT fk_promise_remedies_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_promise_remedies_subscription_id_subscriptions FOREIGN KEY(subscription_id) REFERENCES subscriptions (id),
    CONSTRAINT fk_promise_remedies_refund_id_refunds FOREIGN KEY(refund_id) REFERENCES refunds (id)
);

CREATE INDEX ix_promise_remedies_user_id ON promise_remedies (user_id);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE stopped_renewals, creator_silences, promise_remedies, promise_periods, promises")
