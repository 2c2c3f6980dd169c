"""Every kind and format of export; payouts by bank."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE exports ADD COLUMN format TEXT DEFAULT 'csv' NOT NULL;
ALTER TABLE exports ALTER COLUMN format DROP DEFAULT;
ALTER TABLE exports DROP CONSTRAINT ck_exports_known_kind;
ALTER TABLE exports ADD CONSTRAINT ck_exports_known_kind CHECK (kind IN ('payout_reconciliation', 'payouts', 'creator_statement', 'ledger', 'revenue', 'deferred_revenue', 'tax', 'creator_tax_report'));
ALTER TABLE payout_runs ADD COLUMN method TEXT DEFAULT 'stripe' NOT NULL;
ALTER TABLE payout_runs ADD CONSTRAINT ck_payout_runs_known_method CHECK (method IN ('stripe', 'bank'));
CREATE TABLE bank_details (
    user_id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    last4 TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    held_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_bank_details PRIMARY KEY (user_id),
    CONSTRAINT fk_bank_details_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
"""
DOWN = """
DROP TABLE bank_details;
ALTER TABLE payout_runs DROP COLUMN method;
DELETE FROM exports WHERE kind NOT IN ('payout_reconciliation', 'ledger');
ALTER TABLE exports DROP CONSTRAINT ck_exports_known_kind;
ALTER TABLE exports ADD CONSTRAINT ck_exports_known_kind CHECK (kind IN ('payout_reconciliation', 'ledger'));
ALTER TABLE exports DROP COLUMN format;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
