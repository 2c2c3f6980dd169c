"""Planned changes of tier, pauses, disputes."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE subscriptions
    ADD COLUMN pending_tier_id UUID,
    ADD COLUMN paused_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN paid_left_s BIGINT,
    ADD CONSTRAINT fk_subscriptions_pending_tier_id_tiers FOREIGN KEY(pending_tier_id) REFERENCES tiers (id);
CREATE TABLE disputes (
    id UUID NOT NULL,
    stripe_id TEXT NOT NULL,
    payment_id UUID NOT NULL,
    group_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    due_by TIMESTAMP WITH TIME ZONE,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_disputes PRIMARY KEY (id),
    CONSTRAINT uq_disputes_stripe_id UNIQUE (stripe_id),
    CONSTRAINT fk_disputes_payment_id_payments FOREIGN KEY(payment_id) REFERENCES payments (id),
    CONSTRAINT fk_disputes_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);
CREATE INDEX ix_disputes_group ON disputes (group_id, id);
CREATE INDEX ix_disputes_payment_id ON disputes (payment_id);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute("DROP TABLE disputes")
    op.execute("ALTER TABLE subscriptions DROP COLUMN pending_tier_id, DROP COLUMN paused_at, DROP COLUMN paid_left_s")
