"""Yearly payments earned month by month, corrections by two people, names as they were."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PAYMENTS = """
ALTER TABLE payments
    ADD COLUMN tax_bps INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN billing_country TEXT,
    ADD COLUMN card_country TEXT,
    ADD COLUMN credit_minor BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN unearned_fee_minor BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN unearned_creator_minor BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN months SMALLINT DEFAULT 0 NOT NULL,
    ADD COLUMN months_earned SMALLINT DEFAULT 0 NOT NULL,
    ADD COLUMN next_earning_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT ck_payments_credit_cap CHECK (credit_minor BETWEEN 0 AND gross_minor),
    ADD CONSTRAINT ck_payments_unearned_not_negative CHECK (unearned_fee_minor >= 0 AND unearned_creator_minor >= 0),
    ADD CONSTRAINT ck_payments_months_in_order CHECK (months_earned BETWEEN 0 AND months),
    ADD CONSTRAINT ck_payments_unearned_is_earned_later
        CHECK ((unearned_fee_minor + unearned_creator_minor > 0) = (next_earning_at IS NOT NULL));
CREATE INDEX ix_payments_next_earning ON payments (next_earning_at) WHERE next_earning_at IS NOT NULL;
ALTER TABLE refunds
    ADD COLUMN unearned_fee_minor BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN unearned_creator_minor BIGINT DEFAULT 0 NOT NULL;
"""

# What is recorded already is told which payment it is about; that changes no amount.
LEDGER = """
ALTER TABLE ledger_transactions ADD COLUMN payment_id UUID;
ALTER TABLE ledger_transactions DISABLE TRIGGER ledger_append_only;
UPDATE ledger_transactions t SET payment_id = p.id FROM payments p
    WHERE (t.kind = 'payment' AND t.source = p.invoice_id) OR (t.kind = 'processor_fee' AND t.source = p.charge_id);
UPDATE ledger_transactions t SET payment_id = r.payment_id FROM refunds r
    WHERE t.kind IN ('refund', 'refund_failed') AND t.source = r.stripe_id;
ALTER TABLE ledger_transactions ENABLE TRIGGER ledger_append_only;
CREATE INDEX ix_ledger_transactions_payment_id ON ledger_transactions (payment_id);

CREATE TABLE ledger_adjustments (
    id UUID NOT NULL,
    reverses UUID NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    requested_by UUID NOT NULL,
    approved_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    approved_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_ledger_adjustments PRIMARY KEY (id),
    CONSTRAINT ck_ledger_adjustments_known_state CHECK (state IN ('draft', 'approved', 'withdrawn')),
    CONSTRAINT ck_ledger_adjustments_two_people CHECK (requested_by <> approved_by),
    CONSTRAINT ck_ledger_adjustments_approved_by_somebody CHECK ((state = 'approved') = (approved_by IS NOT NULL)),
    CONSTRAINT fk_ledger_adjustments_reverses_ledger_transactions
        FOREIGN KEY(reverses) REFERENCES ledger_transactions (id),
    CONSTRAINT fk_ledger_adjustments_requested_by_users FOREIGN KEY(requested_by) REFERENCES users (id),
    CONSTRAINT fk_ledger_adjustments_approved_by_users FOREIGN KEY(approved_by) REFERENCES users (id)
);
CREATE UNIQUE INDEX uq_ledger_adjustments_once ON ledger_adjustments (reverses) WHERE state <> 'withdrawn';
"""

# The development clock's offset counts here too: names and ledger entries must lie on one line of time.
NAMES = """
CREATE TABLE known_names (
    subject_id UUID NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_known_names PRIMARY KEY (subject_id, since)
);
INSERT INTO known_names SELECT id, 'epoch', handle FROM users;
INSERT INTO known_names SELECT id, 'epoch', handle FROM groups;
INSERT INTO known_names SELECT id, 'epoch', name FROM tiers;

CREATE FUNCTION keep_name() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE known text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF TG_OP = 'INSERT' OR known IS DISTINCT FROM to_jsonb(OLD) ->> TG_ARGV[0] THEN
        INSERT INTO known_names VALUES (
            NEW.id,
            now() + make_interval(secs => coalesce((SELECT offset_seconds FROM clock_offset WHERE id = 1), 0)),
            known
        ) ON CONFLICT (subject_id, since) DO UPDATE SET name = excluded.name;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_name AFTER INSERT OR UPDATE OF handle ON users FOR EACH ROW EXECUTE FUNCTION keep_name('handle');
CREATE TRIGGER keep_name AFTER INSERT OR UPDATE OF handle ON groups FOR EACH ROW EXECUTE FUNCTION keep_name('handle');
CREATE TRIGGER keep_name AFTER INSERT OR UPDATE OF name ON tiers FOR EACH ROW EXECUTE FUNCTION keep_name('name');
"""


def upgrade() -> None:
    op.execute(PAYMENTS)
    op.execute(LEDGER)
    op.execute(NAMES)


def downgrade() -> None:
    for table in ("users", "groups", "tiers"):
        op.execute(f"DROP TRIGGER keep_name ON {table}")
    op.execute("DROP FUNCTION keep_name")
    op.execute("DROP TABLE known_names, ledger_adjustments")
    op.execute("ALTER TABLE ledger_transactions DROP COLUMN payment_id")
    op.execute("ALTER TABLE refunds DROP COLUMN unearned_fee_minor, DROP COLUMN unearned_creator_minor")
    op.execute(
        "ALTER TABLE payments DROP COLUMN tax_bps, DROP COLUMN billing_country, DROP COLUMN card_country, "
        "DROP COLUMN credit_minor, DROP COLUMN unearned_fee_minor, DROP COLUMN unearned_creator_minor, "
        "DROP COLUMN months, DROP COLUMN months_earned, DROP COLUMN next_earning_at"
    )
