"""Answers kept for an Idempotency-Key are sealed; a refund remembers the request that asked for it."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is there holds tokens in clear. Forgetting it costs the retries that are under way at this moment.
    op.execute("DELETE FROM idempotency_claims")
    op.execute("ALTER TABLE idempotency_claims DROP COLUMN body, ADD COLUMN answer BYTEA")
    op.execute("ALTER TABLE refunds ADD COLUMN request_key TEXT")
    op.execute("ALTER TABLE refunds ADD CONSTRAINT uq_refunds_payment_id_request_key UNIQUE (payment_id, request_key)")


def downgrade() -> None:
    op.execute("ALTER TABLE refunds DROP COLUMN request_key")
    op.execute("DELETE FROM idempotency_claims")
    op.execute("ALTER TABLE idempotency_claims DROP COLUMN answer, ADD COLUMN body JSONB")
