"""Payout accounts, payout runs, Stripe's balance transactions, exports."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE bank_payouts (
    id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
    itemised BOOLEAN NOT NULL,
    CONSTRAINT pk_bank_payouts PRIMARY KEY (id)
);

CREATE INDEX ix_bank_payouts_effective_at ON bank_payouts (effective_at);

CREATE TABLE kept_back (
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_kept_back PRIMARY KEY (currency)
);

CREATE TABLE balance_transactions (
    id TEXT NOT NULL,
    payout_id TEXT,
    type TEXT NOT NULL,
    category TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    fee_minor BIGINT NOT NULL,
    net_minor BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    available_on TIMESTAMP WITH TIME ZONE NOT NULL,
    source_id TEXT,
    charge_id TEXT,
    dispute_reason TEXT,
    description TEXT NOT NULL,
    CONSTRAINT pk_balance_transactions PRIMARY KEY (id),
    CONSTRAINT ck_balance_transactions_net_adds_up CHECK (net_minor = amount_minor - fee_minor),
    CONSTRAINT fk_balance_transactions_payout_id_bank_payouts FOREIGN KEY(payout_id) REFERENCES bank_payouts (id)
);

CREATE INDEX ix_balance_transactions_created_at ON balance_transactions (created_at);

CREATE INDEX ix_balance_transactions_payout_id ON balance_transactions (payout_id);

CREATE TABLE exports (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    period_from TIMESTAMP WITH TIME ZONE NOT NULL,
    period_to TIMESTAMP WITH TIME ZONE NOT NULL,
    currency TEXT NOT NULL,
    creator_id UUID,
    state TEXT NOT NULL,
    rows_total BIGINT NOT NULL,
    rows_done BIGINT NOT NULL,
    position BIGINT,
    sha256 TEXT,
    difference_minor BIGINT,
    error TEXT,
    requested_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_exports PRIMARY KEY (id),
    CONSTRAINT ck_exports_known_kind CHECK (kind IN ('payout_reconciliation', 'ledger')),
    CONSTRAINT ck_exports_known_state CHECK (state IN ('queued', 'running', 'ready', 'refused', 'failed')),
    CONSTRAINT ck_exports_period_not_empty CHECK (period_from < period_to),
    CONSTRAINT ck_exports_progress_within_bounds CHECK (rows_done BETWEEN 0 AND rows_total),
    CONSTRAINT fk_exports_creator_id_users FOREIGN KEY(creator_id) REFERENCES users (id),
    CONSTRAINT fk_exports_requested_by_users FOREIGN KEY(requested_by) REFERENCES users (id)
);

CREATE TABLE payout_accounts (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    stripe_account_id TEXT,
    details_submitted BOOLEAN NOT NULL,
    transfers_active BOOLEAN NOT NULL,
    bank_payouts_enabled BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_payout_accounts PRIMARY KEY (id),
    CONSTRAINT uq_payout_accounts_user_id UNIQUE (user_id),
    CONSTRAINT fk_payout_accounts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_payout_accounts_stripe_account_id UNIQUE (stripe_account_id)
);

CREATE TABLE payout_runs (
    id UUID NOT NULL,
    currency TEXT NOT NULL,
    cut_off TIMESTAMP WITH TIME ZONE NOT NULL,
    minimum_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    requested_by UUID NOT NULL,
    approved_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    approved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_payout_runs PRIMARY KEY (id),
    CONSTRAINT ck_payout_runs_known_state CHECK (state IN ('draft', 'approved', 'running', 'done', 'failed')),
    CONSTRAINT ck_payout_runs_two_people CHECK (requested_by <> approved_by),
    CONSTRAINT ck_payout_runs_approved_by_somebody CHECK ((state = 'draft') = (approved_by IS NULL)),
    CONSTRAINT ck_payout_runs_minimum_not_negative CHECK (minimum_minor >= 0),
    CONSTRAINT uq_payout_runs_id_currency UNIQUE (id, currency),
    CONSTRAINT fk_payout_runs_requested_by_users FOREIGN KEY(requested_by) REFERENCES users (id),
    CONSTRAINT fk_payout_runs_approved_by_users FOREIGN KEY(approved_by) REFERENCES users (id)
);

CREATE TABLE payouts (
    id UUID NOT NULL,
    run_id UUID NOT NULL,
    creator_id UUID NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    reversed_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    transfer_id TEXT,
    arrival_id TEXT,
    bank_state TEXT,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_payouts PRIMARY KEY (id),
    CONSTRAINT uq_payouts_run_id_creator_id UNIQUE (run_id, creator_id),
    CONSTRAINT ck_payouts_known_state CHECK (state IN ('draft', 'sent', 'confirmed', 'failed', 'reversed')),
    CONSTRAINT ck_payouts_amount_positive CHECK (amount_minor > 0),
    CONSTRAINT ck_payouts_reversed_within_amount CHECK (reversed_minor BETWEEN 0 AND amount_minor),
    CONSTRAINT fk_payouts_run_id_payout_runs FOREIGN KEY(run_id) REFERENCES payout_runs (id),
    CONSTRAINT fk_payouts_creator_id_users FOREIGN KEY(creator_id) REFERENCES users (id),
    CONSTRAINT uq_payouts_transfer_id UNIQUE (transfer_id),
    CONSTRAINT uq_payouts_arrival_id UNIQUE (arrival_id)
);

CREATE INDEX ix_payouts_creator_id ON payouts (creator_id);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "DROP TABLE exports, balance_transactions, bank_payouts, kept_back, payouts, payout_runs, payout_accounts"
    )
