"""The ledger, as database law."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE ledger_transactions (
    id UUID NOT NULL,
    position BIGINT GENERATED ALWAYS AS IDENTITY,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    memo TEXT NOT NULL,
    created_in BIGINT DEFAULT txid_current() NOT NULL,
    CONSTRAINT pk_ledger_transactions PRIMARY KEY (id),
    CONSTRAINT uq_ledger_transactions_id_currency UNIQUE (id, currency),
    CONSTRAINT uq_ledger_transactions_source_kind UNIQUE (source, kind),
    CONSTRAINT uq_ledger_transactions_position UNIQUE (position)
);

CREATE TABLE ledger_accounts (
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    owner_id UUID,
    place TEXT,
    CONSTRAINT pk_ledger_accounts PRIMARY KEY (id),
    CONSTRAINT uq_ledger_accounts_id_currency UNIQUE (id, currency),
    CONSTRAINT uq_ledger_accounts_kind_currency_owner_id_place UNIQUE NULLS NOT DISTINCT (kind, currency, owner_id, place),
    CONSTRAINT ck_ledger_accounts_known_kind CHECK (kind IN ('processor', 'bank', 'dispute_hold', 'creator_receivable', 'creator_payable', 'payout_clearing', 'tax_payable', 'fan_credit', 'gift_deferred', 'deferred_revenue', 'platform_fee', 'processor_fee', 'dispute_fee', 'goodwill', 'bad_debt', 'fx')),
    CONSTRAINT ck_ledger_accounts_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT fk_ledger_accounts_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id)
);

CREATE TABLE ledger_periods (
    month DATE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_by UUID NOT NULL,
    CONSTRAINT pk_ledger_periods PRIMARY KEY (month),
    CONSTRAINT ck_ledger_periods_first_of_month CHECK (extract(day from month) = 1),
    CONSTRAINT fk_ledger_periods_closed_by_users FOREIGN KEY(closed_by) REFERENCES users (id)
);

CREATE TABLE postings (
    transaction_id UUID NOT NULL,
    line SMALLINT NOT NULL,
    account_id UUID NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    CONSTRAINT pk_postings PRIMARY KEY (transaction_id, line),
    CONSTRAINT fk_postings_transaction_id_currency_ledger_transactions FOREIGN KEY(transaction_id, currency) REFERENCES ledger_transactions (id, currency),
    CONSTRAINT fk_postings_account_id_currency_ledger_accounts FOREIGN KEY(account_id, currency) REFERENCES ledger_accounts (id, currency),
    CONSTRAINT ck_postings_amount_not_zero CHECK (amount_minor <> 0)
);

CREATE INDEX ix_postings_account_id ON postings (account_id);
"""

# What no program may do, whatever its bugs: post an unbalanced or empty transaction, edit, delete or truncate, add a leg
# later, post into a closed month. Currencies agree by foreign key; (source, kind) and zero amounts are constraints.
LAWS = """
CREATE FUNCTION ledger_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE legs integer; total numeric;
BEGIN
    SELECT count(*), coalesce(sum(amount_minor), 0) INTO legs, total FROM postings WHERE transaction_id = NEW.id;
    IF legs < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'ledger transaction %/% has % legs that sum to %', NEW.source, NEW.kind, legs, total
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balanced';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_balanced AFTER INSERT ON ledger_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_is_balanced();

CREATE FUNCTION ledger_refuses_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_append_only';
END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_accounts
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_periods
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuses_change();

CREATE FUNCTION ledger_leg_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT created_in FROM ledger_transactions WHERE id = NEW.transaction_id) <> txid_current() THEN
        RAISE EXCEPTION 'a leg cannot be added to a ledger transaction later'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_leg_in_time';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_leg_in_time BEFORE INSERT ON postings
    FOR EACH ROW EXECUTE FUNCTION ledger_leg_in_time();

-- The shared lock makes closing a month wait for what is being posted into it, and the other way round.
CREATE FUNCTION ledger_period_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.created_in := txid_current();
    PERFORM pg_advisory_xact_lock_shared(7260120);
    IF EXISTS (SELECT FROM ledger_periods
               WHERE month = date_trunc('month', NEW.occurred_at AT TIME ZONE 'UTC')::date) THEN
        RAISE EXCEPTION 'the month of % is closed', NEW.occurred_at
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_open';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_period_open BEFORE INSERT ON ledger_transactions
    FOR EACH ROW EXECUTE FUNCTION ledger_period_open();
"""
FUNCTIONS = ("ledger_is_balanced", "ledger_refuses_change", "ledger_leg_in_time", "ledger_period_open")


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(LAWS)


def downgrade() -> None:
    op.execute("DROP TABLE postings, ledger_periods, ledger_accounts, ledger_transactions")
    op.execute("DROP FUNCTION " + ", ".join(FUNCTIONS))
