"""Daily membership facts and how far they are written."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE fact_progress (
    group_id UUID NOT NULL,
    written_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_fact_progress PRIMARY KEY (group_id),
    CONSTRAINT fk_fact_progress_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE TABLE membership_facts (
    group_id UUID NOT NULL,
    day DATE NOT NULL,
    user_id UUID NOT NULL,
    tier_id UUID,
    state TEXT NOT NULL,
    annual_minor BIGINT NOT NULL,
    first_day DATE NOT NULL,
    first_paid_day DATE,
    joined BOOLEAN NOT NULL,
    left_reason TEXT,
    CONSTRAINT pk_membership_facts PRIMARY KEY (group_id, day, user_id),
    CONSTRAINT ck_membership_facts_known_state CHECK (state IN ('paying', 'trialing', 'grace', 'free', 'gone')),
    CONSTRAINT ck_membership_facts_known_left_reason CHECK (left_reason IN ('voluntary', 'payment_failed', 'refunded', 'banned')),
    CONSTRAINT ck_membership_facts_only_payers_bring_money CHECK ((state = 'paying') = (annual_minor > 0)),
    CONSTRAINT ck_membership_facts_tier_while_here CHECK ((state = 'gone') = (tier_id IS NULL)),
    CONSTRAINT ck_membership_facts_gone_for_a_reason CHECK (state <> 'gone' OR left_reason IS NOT NULL),
    CONSTRAINT fk_membership_facts_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_membership_facts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_membership_facts_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE membership_facts, fact_progress")
