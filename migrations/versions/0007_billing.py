"""Stripe counterparts, checkouts, subscriptions, payments, refunds, the Stripe inbox."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE stripe_cursors (
    account TEXT NOT NULL,
    created BIGINT NOT NULL,
    CONSTRAINT pk_stripe_cursors PRIMARY KEY (account)
);

CREATE TABLE stripe_events (
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    payload JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_stripe_events PRIMARY KEY (id)
);

CREATE INDEX ix_stripe_events_type ON stripe_events (type);

CREATE TABLE stripe_customers (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    email TEXT NOT NULL,
    stripe_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_stripe_customers PRIMARY KEY (id),
    CONSTRAINT uq_stripe_customers_user_id UNIQUE (user_id),
    CONSTRAINT fk_stripe_customers_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_stripe_customers_stripe_id UNIQUE (stripe_id)
);

CREATE TABLE stripe_prices (
    id UUID NOT NULL,
    tier_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    interval TEXT NOT NULL,
    stripe_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_stripe_prices PRIMARY KEY (id),
    CONSTRAINT uq_stripe_prices_tier_id_amount_minor_currency_interval UNIQUE (tier_id, amount_minor, currency, interval),
    CONSTRAINT fk_stripe_prices_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id),
    CONSTRAINT uq_stripe_prices_stripe_id UNIQUE (stripe_id)
);

CREATE TABLE checkouts (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    group_id UUID NOT NULL,
    tier_id UUID NOT NULL,
    price_id UUID NOT NULL,
    stripe_id TEXT,
    url TEXT,
    state TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_checkouts PRIMARY KEY (id),
    CONSTRAINT ck_checkouts_known_state CHECK (state IN ('creating', 'open', 'complete', 'expired')),
    CONSTRAINT fk_checkouts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_checkouts_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_checkouts_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id),
    CONSTRAINT fk_checkouts_price_id_stripe_prices FOREIGN KEY(price_id) REFERENCES stripe_prices (id),
    CONSTRAINT uq_checkouts_stripe_id UNIQUE (stripe_id)
);

CREATE UNIQUE INDEX uq_checkouts_one_open ON checkouts (user_id, group_id) WHERE state IN ('creating', 'open');

CREATE TABLE subscriptions (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    group_id UUID NOT NULL,
    tier_id UUID NOT NULL,
    stripe_id TEXT NOT NULL,
    state TEXT NOT NULL,
    price_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    interval TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    current_period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    current_period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    cancel_at_period_end BOOLEAN NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_reason TEXT,
    fetched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_subscriptions PRIMARY KEY (id),
    CONSTRAINT ck_subscriptions_known_state CHECK (state IN ('trialing', 'active', 'past_due', 'paused', 'cancelled', 'ended')),
    CONSTRAINT fk_subscriptions_id_checkouts FOREIGN KEY(id) REFERENCES checkouts (id),
    CONSTRAINT fk_subscriptions_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_subscriptions_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_subscriptions_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id),
    CONSTRAINT uq_subscriptions_stripe_id UNIQUE (stripe_id)
);

CREATE INDEX ix_subscriptions_group_id ON subscriptions (group_id);

CREATE INDEX ix_subscriptions_user_id ON subscriptions (user_id);

CREATE UNIQUE INDEX uq_subscriptions_one_alive ON subscriptions (user_id, group_id) WHERE state <> 'ended';

CREATE TABLE declines (
    invoice_id TEXT NOT NULL,
    subscription_id UUID NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    pay_url TEXT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_declines PRIMARY KEY (invoice_id),
    CONSTRAINT fk_declines_subscription_id_subscriptions FOREIGN KEY(subscription_id) REFERENCES subscriptions (id)
);

CREATE INDEX ix_declines_subscription_id ON declines (subscription_id);

CREATE TABLE payments (
    id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    user_id UUID NOT NULL,
    group_id UUID NOT NULL,
    tier_id UUID NOT NULL,
    creator_id UUID NOT NULL,
    invoice_id TEXT NOT NULL,
    charge_id TEXT,
    currency TEXT NOT NULL,
    gross_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    fee_minor BIGINT NOT NULL,
    creator_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    tax_place TEXT NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    paid_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_payments PRIMARY KEY (id),
    CONSTRAINT ck_payments_parts_sum CHECK (gross_minor = tax_minor + fee_minor + creator_minor),
    CONSTRAINT ck_payments_refund_cap CHECK (refunded_minor BETWEEN 0 AND gross_minor),
    CONSTRAINT fk_payments_subscription_id_subscriptions FOREIGN KEY(subscription_id) REFERENCES subscriptions (id),
    CONSTRAINT fk_payments_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_payments_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_payments_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id),
    CONSTRAINT fk_payments_creator_id_users FOREIGN KEY(creator_id) REFERENCES users (id),
    CONSTRAINT uq_payments_invoice_id UNIQUE (invoice_id),
    CONSTRAINT uq_payments_charge_id UNIQUE (charge_id)
);

CREATE INDEX ix_payments_group ON payments (group_id, id);

CREATE INDEX ix_payments_subscription_id ON payments (subscription_id);

CREATE INDEX ix_payments_user_id ON payments (user_id);

CREATE TABLE refunds (
    id UUID NOT NULL,
    payment_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    requested_by UUID,
    stripe_id TEXT,
    state TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_refunds PRIMARY KEY (id),
    CONSTRAINT ck_refunds_known_state CHECK (state IN ('requested', 'succeeded', 'failed')),
    CONSTRAINT ck_refunds_amount_positive CHECK (amount_minor > 0),
    CONSTRAINT fk_refunds_payment_id_payments FOREIGN KEY(payment_id) REFERENCES payments (id),
    CONSTRAINT fk_refunds_requested_by_users FOREIGN KEY(requested_by) REFERENCES users (id),
    CONSTRAINT uq_refunds_stripe_id UNIQUE (stripe_id)
);

CREATE INDEX ix_refunds_payment_id ON refunds (payment_id);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "DROP TABLE refunds, payments, declines, subscriptions, checkouts, stripe_prices, stripe_customers, stripe_events, stripe_cursors"
    )
