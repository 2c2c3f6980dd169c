"""Facts by person and step, rollups by day and cohort, and the triggers that note what changed."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = """
DROP TABLE membership_facts, fact_progress;

CREATE TABLE activity_marks (
    group_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    user_id UUID NOT NULL,
    kind TEXT NOT NULL,
    times INTEGER NOT NULL,
    CONSTRAINT pk_activity_marks PRIMARY KEY (group_id, at, user_id, kind)
);

CREATE INDEX ix_activity_marks_at ON activity_marks USING brin (at);

CREATE TABLE person_changes (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    group_id UUID NOT NULL,
    user_id UUID,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_person_changes PRIMARY KEY (id)
);

CREATE INDEX ix_person_changes_group_id ON person_changes (group_id);

CREATE TABLE activity_days (
    group_id UUID NOT NULL,
    day DATE NOT NULL,
    user_id UUID NOT NULL,
    visit INTEGER NOT NULL,
    message INTEGER NOT NULL,
    reaction INTEGER NOT NULL,
    vote INTEGER NOT NULL,
    proposal INTEGER NOT NULL,
    "like" INTEGER NOT NULL,
    question INTEGER NOT NULL,
    CONSTRAINT pk_activity_days PRIMARY KEY (group_id, day, user_id),
    CONSTRAINT fk_activity_days_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE TABLE activity_rollups (
    group_id UUID NOT NULL,
    day DATE NOT NULL,
    active INTEGER NOT NULL,
    active_7 INTEGER NOT NULL,
    active_30 INTEGER NOT NULL,
    messages BIGINT NOT NULL,
    creator_messages BIGINT NOT NULL,
    voters INTEGER NOT NULL,
    proposers INTEGER NOT NULL,
    askers INTEGER NOT NULL,
    CONSTRAINT pk_activity_rollups PRIMARY KEY (group_id, day),
    CONSTRAINT fk_activity_rollups_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE TABLE cohort_rollups (
    group_id UUID NOT NULL,
    basis TEXT NOT NULL,
    grain TEXT NOT NULL,
    cohort DATE NOT NULL,
    period DATE NOT NULL,
    size BIGINT NOT NULL,
    people BIGINT NOT NULL,
    net_minor BIGINT NOT NULL,
    CONSTRAINT pk_cohort_rollups PRIMARY KEY (group_id, basis, grain, cohort, period),
    CONSTRAINT fk_cohort_rollups_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE TABLE daily_rollups (
    group_id UUID NOT NULL,
    day DATE NOT NULL,
    tier_id UUID,
    campaign TEXT,
    invite_id UUID,
    paying BIGINT NOT NULL,
    free BIGINT NOT NULL,
    trialing BIGINT NOT NULL,
    grace BIGINT NOT NULL,
    annual_minor BIGINT NOT NULL,
    joins BIGINT NOT NULL,
    voluntary BIGINT NOT NULL,
    payment_failed BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    banned BIGINT NOT NULL,
    "new" BIGINT NOT NULL,
    expansion BIGINT NOT NULL,
    contraction BIGINT NOT NULL,
    churn BIGINT NOT NULL,
    reactivation BIGINT NOT NULL,
    trials BIGINT NOT NULL,
    conversions BIGINT NOT NULL,
    paid_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    payments BIGINT NOT NULL,
    CONSTRAINT uq_daily_rollups_key UNIQUE NULLS NOT DISTINCT (group_id, day, tier_id, campaign, invite_id),
    CONSTRAINT fk_daily_rollups_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE TABLE fact_progress (
    group_id UUID NOT NULL,
    counted_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_fact_progress PRIMARY KEY (group_id),
    CONSTRAINT fk_fact_progress_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE TABLE member_facts (
    group_id UUID NOT NULL,
    user_id UUID NOT NULL,
    campaign TEXT,
    invite_id UUID,
    first_day DATE,
    first_paid_day DATE,
    first_paid_tier_id UUID,
    subscribed_at TIMESTAMP WITH TIME ZONE,
    unsubscribed_at TIMESTAMP WITH TIME ZONE,
    trial_at TIMESTAMP WITH TIME ZONE,
    trial_day DATE,
    converted BOOLEAN NOT NULL,
    CONSTRAINT pk_member_facts PRIMARY KEY (group_id, user_id),
    CONSTRAINT fk_member_facts_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_member_facts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE membership_cash (
    group_id UUID NOT NULL,
    user_id UUID NOT NULL,
    day DATE NOT NULL,
    tier_id UUID NOT NULL,
    paid_minor BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    payments INTEGER NOT NULL,
    CONSTRAINT pk_membership_cash PRIMARY KEY (group_id, user_id, day, tier_id),
    CONSTRAINT fk_membership_cash_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_membership_cash_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_membership_cash_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id)
);

CREATE TABLE membership_steps (
    group_id UUID NOT NULL,
    user_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    day DATE NOT NULL,
    was_state TEXT NOT NULL,
    was_tier_id UUID,
    was_annual_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    tier_id UUID,
    annual_minor BIGINT NOT NULL,
    joined BOOLEAN NOT NULL,
    left_reason TEXT,
    movement TEXT,
    CONSTRAINT pk_membership_steps PRIMARY KEY (group_id, user_id, at),
    CONSTRAINT ck_membership_steps_known_state CHECK (state IN ('paying', 'trialing', 'grace', 'free', 'gone')),
    CONSTRAINT ck_membership_steps_known_reason CHECK (left_reason IN ('voluntary', 'payment_failed', 'refunded', 'banned')),
    CONSTRAINT ck_membership_steps_only_payers_bring_money CHECK ((state = 'paying') = (annual_minor > 0)),
    CONSTRAINT ck_membership_steps_tier_while_here CHECK ((state = 'gone') = (tier_id IS NULL)),
    CONSTRAINT ck_membership_steps_time_passes CHECK (until > at),
    CONSTRAINT fk_membership_steps_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_membership_steps_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_membership_steps_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id)
);

CREATE INDEX ix_membership_steps_at ON membership_steps (group_id, at);
"""

# The house's clock: development may run ahead of the machine's.
CLOCK = """
CREATE FUNCTION hub_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT now() + make_interval(secs => COALESCE((SELECT offset_seconds FROM clock_offset WHERE id = 1), 0)::float8)
$$;
"""

# Whoever writes a source notes it in the same transaction, without knowing who reads the note.
PEOPLE = """
CREATE FUNCTION note_person_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO person_changes (group_id, user_id, at) VALUES (OLD.group_id, OLD.user_id, hub_now());
    END IF;
    IF TG_OP <> 'DELETE' AND (TG_OP = 'INSERT' OR (NEW.group_id, NEW.user_id) <> (OLD.group_id, OLD.user_id)) THEN
        INSERT INTO person_changes (group_id, user_id, at) VALUES (NEW.group_id, NEW.user_id, hub_now());
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION note_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO person_changes (group_id, user_id, at)
    SELECT group_id, user_id, hub_now() FROM payments WHERE id = NEW.payment_id;
    RETURN NULL;
END $$;

CREATE FUNCTION note_new_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO person_changes (group_id, user_id, at) VALUES (NEW.id, NULL, hub_now());
    RETURN NULL;
END $$;

CREATE TRIGGER note_stay AFTER INSERT OR DELETE OR UPDATE OF group_id, user_id, tier_id, starts_at, ends_at, ended_reason
    ON entitlements FOR EACH ROW EXECUTE FUNCTION note_person_change();
CREATE TRIGGER note_origin AFTER INSERT OR DELETE OR UPDATE OF campaign, invite_id
    ON memberships FOR EACH ROW EXECUTE FUNCTION note_person_change();
CREATE TRIGGER note_payment AFTER INSERT OR DELETE OR UPDATE OF gross_minor, period_start, period_end, paid_at, tier_id
    ON payments FOR EACH ROW EXECUTE FUNCTION note_person_change();
CREATE TRIGGER note_ban AFTER INSERT OR DELETE OR UPDATE OF until, lifted_at
    ON bans FOR EACH ROW EXECUTE FUNCTION note_person_change();
CREATE TRIGGER note_refund AFTER INSERT OR UPDATE OF state ON refunds FOR EACH ROW EXECUTE FUNCTION note_refund();
CREATE TRIGGER note_new_days AFTER UPDATE OF timezone ON groups
    FOR EACH ROW WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone) EXECUTE FUNCTION note_new_days();
"""

ACTIVITY = """
CREATE FUNCTION mark_activity(who uuid, what text, place uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO activity_marks AS mark (group_id, at, user_id, kind, times)
    SELECT place, date_bin('15 minutes', hub_now(), timestamptz '2000-01-01Z'), who, what, 1 WHERE place IS NOT NULL
    ON CONFLICT (group_id, at, user_id, kind) DO UPDATE SET times = mark.times + 1
$$;

CREATE FUNCTION note_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CASE TG_TABLE_NAME
    WHEN 'messages' THEN
        PERFORM mark_activity(NEW.author_id, 'message', (SELECT group_id FROM channels WHERE id = NEW.channel_id));
    WHEN 'read_marks' THEN
        PERFORM mark_activity(NEW.user_id, 'visit', (SELECT group_id FROM channels WHERE id = NEW.channel_id));
    WHEN 'reactions' THEN
        PERFORM mark_activity(NEW.user_id, 'reaction', (
            SELECT c.group_id FROM channels c JOIN messages m ON m.channel_id = c.id WHERE m.id = NEW.message_id));
    WHEN 'voters' THEN
        PERFORM mark_activity(NEW.user_id, 'vote', (
            SELECT c.group_id FROM channels c JOIN ballot_boxes b ON b.channel_id = c.id WHERE b.id = NEW.box_id));
    WHEN 'episodes' THEN
        PERFORM mark_activity(NEW.author_id, 'proposal', (SELECT group_id FROM chains WHERE id = NEW.chain_id));
    WHEN 'episode_likes' THEN
        PERFORM mark_activity(NEW.user_id, 'like', (
            SELECT c.group_id FROM chains c JOIN episodes e ON e.chain_id = c.id WHERE e.id = NEW.episode_id));
    END CASE;
    RETURN NULL;
END $$;

CREATE TRIGGER note_activity AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION note_activity();
CREATE TRIGGER note_activity AFTER INSERT OR UPDATE OF seq ON read_marks FOR EACH ROW EXECUTE FUNCTION note_activity();
CREATE TRIGGER note_activity AFTER INSERT ON reactions FOR EACH ROW EXECUTE FUNCTION note_activity();
CREATE TRIGGER note_activity AFTER INSERT ON voters FOR EACH ROW EXECUTE FUNCTION note_activity();
CREATE TRIGGER note_activity AFTER INSERT ON episodes FOR EACH ROW EXECUTE FUNCTION note_activity();
CREATE TRIGGER note_activity AFTER INSERT ON episode_likes FOR EACH ROW EXECUTE FUNCTION note_activity();
"""

# What happened before: every group's facts are to be made, and its messages count on the days they were written.
PAST = """
INSERT INTO person_changes (group_id, user_id, at) SELECT id, NULL, hub_now() FROM groups;
INSERT INTO activity_marks (group_id, at, user_id, kind, times)
SELECT c.group_id, date_bin('15 minutes', m.sent_at, timestamptz '2000-01-01Z') AS quarter, m.author_id, 'message', count(*)
FROM messages m JOIN channels c ON c.id = m.channel_id GROUP BY c.group_id, quarter, m.author_id;
"""

UNDO = """
DROP TRIGGER note_stay ON entitlements;
DROP TRIGGER note_origin ON memberships;
DROP TRIGGER note_payment ON payments;
DROP TRIGGER note_ban ON bans;
DROP TRIGGER note_refund ON refunds;
DROP TRIGGER note_new_days ON groups;
DROP TRIGGER note_activity ON messages;
DROP TRIGGER note_activity ON read_marks;
DROP TRIGGER note_activity ON reactions;
DROP TRIGGER note_activity ON voters;
DROP TRIGGER note_activity ON episodes;
DROP TRIGGER note_activity ON episode_likes;
DROP FUNCTION note_activity, note_person_change, note_refund, note_new_days, mark_activity, hub_now;
DROP TABLE person_changes, fact_progress, membership_steps, member_facts, membership_cash, daily_rollups, cohort_rollups,
    activity_marks, activity_days, activity_rollups;

CREATE TABLE fact_progress (
    group_id UUID NOT NULL,
    written_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_fact_progress PRIMARY KEY (group_id),
    CONSTRAINT fk_fact_progress_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id)
);

CREATE TABLE membership_facts (
    group_id UUID NOT NULL,
    day DATE NOT NULL,
    user_id UUID NOT NULL,
    tier_id UUID,
    state TEXT NOT NULL,
    annual_minor BIGINT NOT NULL,
    first_day DATE NOT NULL,
    first_paid_day DATE,
    joined BOOLEAN NOT NULL,
    left_reason TEXT,
    CONSTRAINT pk_membership_facts PRIMARY KEY (group_id, day, user_id),
    CONSTRAINT ck_membership_facts_known_state CHECK (state IN ('paying', 'trialing', 'grace', 'free', 'gone')),
    CONSTRAINT ck_membership_facts_known_left_reason CHECK (left_reason IN ('voluntary', 'payment_failed', 'refunded', 'banned')),
    CONSTRAINT ck_membership_facts_only_payers_bring_money CHECK ((state = 'paying') = (annual_minor > 0)),
    CONSTRAINT ck_membership_facts_tier_while_here CHECK ((state = 'gone') = (tier_id IS NULL)),
    CONSTRAINT ck_membership_facts_gone_for_a_reason CHECK (state <> 'gone' OR left_reason IS NOT NULL),
    CONSTRAINT fk_membership_facts_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_membership_facts_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_membership_facts_tier_id_tiers FOREIGN KEY(tier_id) REFERENCES tiers (id)
);
"""


def upgrade() -> None:
    for part in (TABLES, CLOCK, PEOPLE, ACTIVITY, PAST):
        op.execute(part)


def downgrade() -> None:
    op.execute(UNDO)
