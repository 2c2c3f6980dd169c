"""Who gave whom which platform role; changes of e-mail address; API tokens that end; when a password was last shown."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE role_changes (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    changed_by UUID,
    before TEXT[] NOT NULL,
    after TEXT[] NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_role_changes PRIMARY KEY (id),
    CONSTRAINT ck_role_changes_never_ones_own CHECK (changed_by IS NULL OR changed_by <> user_id),
    CONSTRAINT fk_role_changes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_role_changes_changed_by_users FOREIGN KEY(changed_by) REFERENCES users (id)
);

CREATE INDEX ix_role_changes_user_id ON role_changes (user_id);

CREATE FUNCTION role_changes_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'role changes are kept as they were: % refused', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'role_changes_append_only';
END $$;
CREATE TRIGGER role_changes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON role_changes
    FOR EACH STATEMENT EXECUTE FUNCTION role_changes_refuse_change();

CREATE TABLE email_changes (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    email CITEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_email_changes PRIMARY KEY (id),
    CONSTRAINT fk_email_changes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT uq_email_changes_secret_hash UNIQUE (secret_hash)
);

CREATE INDEX ix_email_changes_user_id ON email_changes (user_id);

ALTER TABLE api_tokens ADD COLUMN expires_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE user_sessions ADD COLUMN proved_at TIMESTAMP WITH TIME ZONE;
UPDATE user_sessions SET proved_at = created_at;
ALTER TABLE user_sessions ALTER COLUMN proved_at SET NOT NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("ALTER TABLE user_sessions DROP COLUMN proved_at")
    op.execute("ALTER TABLE api_tokens DROP COLUMN expires_at")
    op.execute("DROP TABLE email_changes, role_changes")
    op.execute("DROP FUNCTION role_changes_refuse_change()")
