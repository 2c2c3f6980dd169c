"""Votes whose rules cannot change, options from members, and live figures told from marks."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE ballot_boxes ALTER COLUMN max_choices DROP NOT NULL;
ALTER TABLE ballot_boxes DROP COLUMN version, DROP COLUMN tallied_version, DROP COLUMN tallied_at;
ALTER TABLE rounds DROP COLUMN version, DROP COLUMN told_version, DROP COLUMN told_at;

ALTER TABLE ballot_options
    ADD COLUMN folded TEXT,
    ADD COLUMN state TEXT NOT NULL DEFAULT 'standing',
    ADD COLUMN added_by UUID,
    ADD CONSTRAINT uq_ballot_options_box_id_folded UNIQUE (box_id, folded),
    ADD CONSTRAINT ck_ballot_options_known_state CHECK (state IN ('standing', 'waiting', 'refused')),
    ADD CONSTRAINT fk_ballot_options_added_by_users FOREIGN KEY (added_by) REFERENCES users (id);
ALTER TABLE ballot_options ALTER COLUMN state DROP DEFAULT;
CREATE INDEX ix_ballot_options_added_by ON ballot_options (added_by);

ALTER TABLE polls
    ADD COLUMN adding TEXT NOT NULL DEFAULT 'staff',
    ADD CONSTRAINT ck_polls_known_adding CHECK (adding IN ('staff', 'members', 'approval'));
ALTER TABLE polls ALTER COLUMN adding DROP DEFAULT;

CREATE FUNCTION voting_rules_are_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the rules of a vote are fixed when it is made' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER fixed_rules BEFORE UPDATE ON ballot_boxes FOR EACH ROW
    WHEN ((OLD.id, OLD.channel_id, OLD.method, OLD.seats, OLD.min_choices, OLD.max_choices, OLD.identity, OLD.results,
           OLD.revote, OLD.min_tier_rank, OLD.min_member_hours, OLD.weights, OLD.quorum, OLD.closes_at)
          IS DISTINCT FROM
          (NEW.id, NEW.channel_id, NEW.method, NEW.seats, NEW.min_choices, NEW.max_choices, NEW.identity, NEW.results,
           NEW.revote, NEW.min_tier_rank, NEW.min_member_hours, NEW.weights, NEW.quorum, NEW.closes_at)
          OR (OLD.closed_at IS NOT NULL AND (OLD.closed_at, OLD.result) IS DISTINCT FROM (NEW.closed_at, NEW.result)))
    EXECUTE FUNCTION voting_rules_are_fixed();

CREATE TRIGGER fixed_rules BEFORE UPDATE ON polls FOR EACH ROW
    WHEN ((OLD.id, OLD.channel_id, OLD.title, OLD.shuffle, OLD.quiz, OLD.adding, OLD.created_by, OLD.created_at,
           OLD.opens_at)
          IS DISTINCT FROM
          (NEW.id, NEW.channel_id, NEW.title, NEW.shuffle, NEW.quiz, NEW.adding, NEW.created_by, NEW.created_at,
           NEW.opens_at))
    EXECUTE FUNCTION voting_rules_are_fixed();

CREATE TRIGGER fixed_rules BEFORE UPDATE ON ballot_options FOR EACH ROW
    WHEN ((OLD.id, OLD.box_id, OLD.position, OLD.text) IS DISTINCT FROM (NEW.id, NEW.box_id, NEW.position, NEW.text))
    EXECUTE FUNCTION voting_rules_are_fixed();
"""

DOWN = """
DROP TRIGGER fixed_rules ON ballot_options;
DROP TRIGGER fixed_rules ON polls;
DROP TRIGGER fixed_rules ON ballot_boxes;
DROP FUNCTION voting_rules_are_fixed();
ALTER TABLE polls DROP COLUMN adding;
ALTER TABLE ballot_options DROP COLUMN folded, DROP COLUMN state, DROP COLUMN added_by;
ALTER TABLE rounds
    ADD COLUMN version INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN told_version INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN told_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE ballot_boxes
    ADD COLUMN version INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN tallied_version INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN tallied_at TIMESTAMP WITH TIME ZONE;
UPDATE ballot_boxes SET max_choices = 100 WHERE max_choices IS NULL;
ALTER TABLE ballot_boxes ALTER COLUMN max_choices SET NOT NULL;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
