"""Polls and story chains."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE ballot_boxes (
    id UUID NOT NULL,
    channel_id UUID NOT NULL,
    method TEXT NOT NULL,
    seats SMALLINT NOT NULL,
    min_choices SMALLINT NOT NULL,
    max_choices SMALLINT NOT NULL,
    identity TEXT NOT NULL,
    results TEXT NOT NULL,
    revote BOOLEAN NOT NULL,
    min_tier_rank SMALLINT NOT NULL,
    min_member_hours INTEGER NOT NULL,
    weights JSONB NOT NULL,
    quorum INTEGER,
    closes_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    ballot_key TEXT,
    result JSONB,
    version INTEGER NOT NULL,
    tallied_version INTEGER NOT NULL,
    tallied_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_ballot_boxes PRIMARY KEY (id),
    CONSTRAINT ck_ballot_boxes_known_method CHECK (method IN ('plurality', 'approval', 'score', 'star', 'irv', 'schulze', 'stv')),
    CONSTRAINT ck_ballot_boxes_known_identity CHECK (identity IN ('public', 'anonymous')),
    CONSTRAINT ck_ballot_boxes_known_results CHECK (results IN ('live', 'sealed')),
    CONSTRAINT ck_ballot_boxes_choices_possible CHECK (seats > 0 AND min_choices > 0 AND max_choices >= min_choices),
    CONSTRAINT ck_ballot_boxes_closed_with_result CHECK ((closed_at IS NULL) = (result IS NULL)),
    CONSTRAINT ck_ballot_boxes_key_dies_at_close CHECK ((closed_at IS NULL) = (ballot_key IS NOT NULL)),
    CONSTRAINT fk_ballot_boxes_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id)
);

CREATE INDEX ix_ballot_boxes_channel_id ON ballot_boxes (channel_id);

CREATE INDEX ix_ballot_boxes_open ON ballot_boxes (closes_at) WHERE closed_at IS NULL;

CREATE TABLE chains (
    id UUID NOT NULL,
    group_id UUID NOT NULL,
    channel_id UUID NOT NULL,
    title TEXT NOT NULL,
    premise TEXT NOT NULL,
    rules JSONB NOT NULL,
    head_episode_id UUID,
    created_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_chains PRIMARY KEY (id),
    CONSTRAINT fk_chains_group_id_groups FOREIGN KEY(group_id) REFERENCES groups (id),
    CONSTRAINT fk_chains_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id),
    CONSTRAINT fk_chains_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
);

CREATE INDEX ix_chains_group_id ON chains (group_id);

CREATE TABLE ballot_options (
    id UUID NOT NULL,
    box_id UUID NOT NULL,
    position SMALLINT NOT NULL,
    text TEXT NOT NULL,
    CONSTRAINT pk_ballot_options PRIMARY KEY (id),
    CONSTRAINT uq_ballot_options_box_id_position UNIQUE (box_id, position),
    CONSTRAINT fk_ballot_options_box_id_ballot_boxes FOREIGN KEY(box_id) REFERENCES ballot_boxes (id)
);

CREATE TABLE ballots (
    receipt TEXT NOT NULL,
    box_id UUID NOT NULL,
    weight NUMERIC(3, 2) NOT NULL,
    body JSONB NOT NULL,
    user_id UUID,
    CONSTRAINT pk_ballots PRIMARY KEY (receipt),
    CONSTRAINT ck_ballots_weight_cap CHECK (weight BETWEEN 1 AND 3),
    CONSTRAINT fk_ballots_box_id_ballot_boxes FOREIGN KEY(box_id) REFERENCES ballot_boxes (id),
    CONSTRAINT fk_ballots_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_ballots_box_id ON ballots (box_id);

CREATE TABLE polls (
    id UUID NOT NULL,
    channel_id UUID NOT NULL,
    title TEXT NOT NULL,
    shuffle BOOLEAN NOT NULL,
    quiz JSONB,
    created_by UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opens_at TIMESTAMP WITH TIME ZONE,
    opened_at TIMESTAMP WITH TIME ZONE,
    opened_seq INTEGER,
    CONSTRAINT pk_polls PRIMARY KEY (id),
    CONSTRAINT ck_polls_opened_with_event CHECK ((opened_at IS NULL) = (opened_seq IS NULL)),
    CONSTRAINT fk_polls_id_ballot_boxes FOREIGN KEY(id) REFERENCES ballot_boxes (id),
    CONSTRAINT fk_polls_channel_id_channels FOREIGN KEY(channel_id) REFERENCES channels (id),
    CONSTRAINT fk_polls_created_by_users FOREIGN KEY(created_by) REFERENCES users (id)
);

CREATE INDEX ix_polls_channel_id ON polls (channel_id);

CREATE INDEX ix_polls_scheduled ON polls (opens_at) WHERE opened_at IS NULL;

CREATE TABLE rounds (
    id UUID NOT NULL,
    chain_id UUID NOT NULL,
    parent_episode_id UUID,
    state TEXT NOT NULL,
    opened_by UUID NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    writing_closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
    voting_closes_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    told_version INTEGER NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE,
    decided_at TIMESTAMP WITH TIME ZONE,
    winner_id UUID,
    vetoed BOOLEAN NOT NULL,
    reason TEXT,
    CONSTRAINT pk_rounds PRIMARY KEY (id),
    CONSTRAINT ck_rounds_known_state CHECK (state IN ('writing', 'shortlist', 'voting', 'decided', 'void')),
    CONSTRAINT ck_rounds_decided_with_winner CHECK ((state = 'decided') = (winner_id IS NOT NULL)),
    CONSTRAINT ck_rounds_ended_with_time CHECK ((state IN ('decided', 'void')) = (decided_at IS NOT NULL)),
    CONSTRAINT fk_rounds_chain_id_chains FOREIGN KEY(chain_id) REFERENCES chains (id),
    CONSTRAINT fk_rounds_opened_by_users FOREIGN KEY(opened_by) REFERENCES users (id)
);

CREATE INDEX ix_rounds_chain_id ON rounds (chain_id);

CREATE UNIQUE INDEX uq_rounds_one_under_way ON rounds (chain_id) WHERE state IN ('writing', 'shortlist', 'voting');

CREATE TABLE voters (
    box_id UUID NOT NULL,
    user_id UUID NOT NULL,
    CONSTRAINT pk_voters PRIMARY KEY (box_id, user_id),
    CONSTRAINT fk_voters_box_id_ballot_boxes FOREIGN KEY(box_id) REFERENCES ballot_boxes (id),
    CONSTRAINT fk_voters_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_voters_user_id ON voters (user_id);

CREATE TABLE episodes (
    id UUID NOT NULL,
    chain_id UUID NOT NULL,
    round_id UUID NOT NULL,
    parent_id UUID,
    depth SMALLINT NOT NULL,
    author_id UUID NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    licence TEXT NOT NULL,
    state TEXT NOT NULL,
    shortlisted BOOLEAN NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_episodes PRIMARY KEY (id),
    CONSTRAINT uq_episodes_chain_id_id UNIQUE (chain_id, id),
    CONSTRAINT ck_episodes_known_state CHECK (state IN ('proposed', 'alternate', 'vetoed')),
    CONSTRAINT ck_episodes_depth_from_root CHECK (depth > 0 AND (depth = 1) = (parent_id IS NULL)),
    CONSTRAINT ck_episodes_body_length CHECK (char_length(body) <= 20000),
    CONSTRAINT fk_episodes_parent_in_chain FOREIGN KEY(chain_id, parent_id) REFERENCES episodes (chain_id, id),
    CONSTRAINT fk_episodes_chain_id_chains FOREIGN KEY(chain_id) REFERENCES chains (id),
    CONSTRAINT fk_episodes_round_id_rounds FOREIGN KEY(round_id) REFERENCES rounds (id),
    CONSTRAINT fk_episodes_author_id_users FOREIGN KEY(author_id) REFERENCES users (id)
);

CREATE INDEX ix_episodes_author_id ON episodes (author_id);

CREATE INDEX ix_episodes_round_id ON episodes (round_id);

CREATE TABLE episode_likes (
    episode_id UUID NOT NULL,
    user_id UUID NOT NULL,
    CONSTRAINT pk_episode_likes PRIMARY KEY (episode_id, user_id),
    CONSTRAINT fk_episode_likes_episode_id_episodes FOREIGN KEY(episode_id) REFERENCES episodes (id),
    CONSTRAINT fk_episode_likes_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE INDEX ix_episode_likes_user_id ON episode_likes (user_id);

ALTER TABLE chains ADD CONSTRAINT fk_chains_head_in_chain
    FOREIGN KEY (id, head_episode_id) REFERENCES episodes (chain_id, id);
ALTER TABLE rounds ADD CONSTRAINT fk_rounds_parent_in_chain
    FOREIGN KEY (chain_id, parent_episode_id) REFERENCES episodes (chain_id, id);
ALTER TABLE rounds ADD CONSTRAINT fk_rounds_winner_in_chain
    FOREIGN KEY (chain_id, winner_id) REFERENCES episodes (chain_id, id);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    # Chains, rounds and episodes point at each other; dropped in one statement they need no order.
    op.execute(
        "DROP TABLE ballot_boxes, chains, ballot_options, ballots, polls, rounds, voters, episodes, episode_likes"
    )
