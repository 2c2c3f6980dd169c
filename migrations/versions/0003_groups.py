"""Groups, tiers, channels, memberships, entitlements."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE groups (
    id UUID NOT NULL,
    handle TEXT NOT NULL,
    name TEXT NOT NULL,
    about TEXT NOT NULL,
    currency TEXT NOT NULL,
    hidden BOOLEAN NOT NULL,
    owner_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_groups PRIMARY KEY (id),
    CONSTRAINT ck_groups_handle_form CHECK (handle ~ '^[a-z0-9][a-z0-9_-]{1,29}$'),
    CONSTRAINT ck_groups_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT uq_groups_handle UNIQUE (handle),
    CONSTRAINT fk_groups_owner_id_users FOREIGN KEY(owner_id) REFERENCES users (id)
);

CREATE INDEX ix_groups_owner_id ON groups (owner_id);

CREATE TABLE bans (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    user_id UUID NOT NULL,
    reason TEXT NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    created_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lifted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_bans PRIMARY KEY (id),
    CONSTRAINT fk_bans_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_bans_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_bans_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
);

CREATE UNIQUE INDEX uq_bans_standing ON bans (group_id, user_id) WHERE lifted_at IS NULL;

CREATE TABLE channels (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    min_tier_rank SMALLINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_channels PRIMARY KEY (id),
    CONSTRAINT ck_channels_known_kind CHECK (kind IN ('talk', 'announcement')),
    CONSTRAINT ck_channels_rank_not_negative CHECK (min_tier_rank >= 0),
    CONSTRAINT uq_channels_group_id_name UNIQUE (group_id, name),
    CONSTRAINT fk_channels_id_streams FOREIGN KEY(id) REFERENCES streams (id),
    CONSTRAINT fk_channels_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE INDEX ix_channels_group_id ON channels (group_id);

CREATE TABLE group_audit (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    actor_id UUID NOT NULL,
    action TEXT NOT NULL,
    subject_id UUID,
    reason TEXT,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_group_audit PRIMARY KEY (id),
    CONSTRAINT fk_group_audit_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_group_audit_actor_id_users FOREIGN KEY(actor_id) REFERENCES users (id)
);

CREATE INDEX ix_group_audit_group ON group_audit (group_id, id);

CREATE TABLE tiers (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    name TEXT NOT NULL,
    price_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    interval TEXT NOT NULL,
    benefits JSONB NOT NULL,
    rank SMALLINT NOT NULL,
    seat_limit INTEGER,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    archived_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_tiers PRIMARY KEY (id),
    CONSTRAINT ck_tiers_price_not_negative CHECK (price_minor >= 0),
    CONSTRAINT ck_tiers_only_rank_0_is_free CHECK ((rank = 0) = (price_minor = 0)),
    CONSTRAINT ck_tiers_known_interval CHECK (interval IN ('month', 'year')),
    CONSTRAINT ck_tiers_seats_positive CHECK (seat_limit > 0),
    CONSTRAINT fk_tiers_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE INDEX ix_tiers_group_id ON tiers (group_id);

CREATE UNIQUE INDEX uq_tiers_one_free ON tiers (group_id) WHERE rank = 0 AND archived_at IS NULL;

CREATE TABLE entitlements (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    user_id UUID NOT NULL,
    tier_id UUID NOT NULL,
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE,
    ended_reason TEXT,
    expiry_announced_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_entitlements PRIMARY KEY (id),
    CONSTRAINT uq_entitlements_source_source_id UNIQUE (source, source_id),
    CONSTRAINT ck_entitlements_known_source CHECK (source IN ('free', 'subscription', 'gift', 'invite')),
    CONSTRAINT ck_entitlements_ends_after_start CHECK (ends_at >= starts_at),
    CONSTRAINT fk_entitlements_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_entitlements_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_entitlements_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id)
);

CREATE INDEX ix_entitlements_person ON entitlements (group_id, user_id);

CREATE INDEX ix_entitlements_user_id ON entitlements (user_id);

CREATE TABLE invites (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    passcode TEXT NOT NULL,
    tier_id UUID,
    campaign TEXT,
    max_uses INTEGER,
    uses INTEGER NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    created_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_invites PRIMARY KEY (id),
    CONSTRAINT ck_invites_use_cap CHECK (uses >= 0 AND (max_uses IS NULL OR uses <= max_uses)),
    CONSTRAINT fk_invites_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT uq_invites_passcode UNIQUE (passcode),
    CONSTRAINT fk_invites_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id),
    CONSTRAINT fk_invites_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
);

CREATE INDEX ix_invites_group_id ON invites (group_id);

CREATE TABLE memberships (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    left_at TIMESTAMP WITH TIME ZONE,
    left_reason TEXT,
    campaign TEXT,
    invite_id UUID,
    CONSTRAINT pk_memberships PRIMARY KEY (id),
    CONSTRAINT uq_memberships_group_id_user_id UNIQUE (group_id, user_id),
    CONSTRAINT ck_memberships_known_role CHECK (role IN ('member', 'moderator')),
    CONSTRAINT fk_memberships_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_memberships_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_memberships_invite_id_invites FOREIGN KEY(invite_id) REFERENCES invites (id)
);

CREATE INDEX ix_memberships_user_id ON memberships (user_id);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE memberships, invites, entitlements, tiers, group_audit, channels, bans, groups")
