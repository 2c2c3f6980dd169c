"""Where people came from: the campaign of each stay, invitations for one person, a group's time zone."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CHANGES = """
ALTER TABLE groups ADD COLUMN timezone TEXT DEFAULT 'UTC' NOT NULL;
ALTER TABLE invites ADD COLUMN for_user_id UUID
    CONSTRAINT fk_invites_for_user_id_users REFERENCES users (id);
ALTER TABLE entitlements ADD COLUMN campaign TEXT;
ALTER TABLE entitlements ADD COLUMN invite_id UUID
    CONSTRAINT fk_entitlements_invite_id_invites REFERENCES invites (id);

-- What is known of the past: the campaign on the membership brought the latest of a person's free or invited stays.
UPDATE entitlements e SET campaign = m.campaign, invite_id = m.invite_id
FROM memberships m
WHERE m.group_id = e.group_id AND m.user_id = e.user_id AND m.invite_id IS NOT NULL AND e.id = (
    SELECT latest.id FROM entitlements latest
    WHERE latest.group_id = e.group_id AND latest.user_id = e.user_id AND latest.source IN ('free', 'invite')
    ORDER BY latest.starts_at DESC LIMIT 1
);
"""


def upgrade() -> None:
    op.execute(CHANGES)


def downgrade() -> None:
    op.execute(
        "ALTER TABLE entitlements DROP COLUMN campaign, DROP COLUMN invite_id; "
        "ALTER TABLE invites DROP COLUMN for_user_id; ALTER TABLE groups DROP COLUMN timezone"
    )
