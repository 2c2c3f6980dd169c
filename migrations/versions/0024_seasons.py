"""Seasons with their credits, bookmarks, and episodes that nobody rewrites."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

UP = """
CREATE TABLE bookmarks (
    chain_id UUID NOT NULL,
    user_id UUID NOT NULL,
    episode_id UUID NOT NULL,
    CONSTRAINT pk_bookmarks PRIMARY KEY (chain_id, user_id),
    CONSTRAINT fk_bookmarks_chain_id_chains FOREIGN KEY(chain_id) REFERENCES chains (id),
    CONSTRAINT fk_bookmarks_user_id_users FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT fk_bookmarks_episode_id_episodes FOREIGN KEY(episode_id) REFERENCES episodes (id)
);

CREATE INDEX ix_bookmarks_user_id ON bookmarks (user_id);

CREATE TABLE seasons (
    id UUID NOT NULL,
    chain_id UUID NOT NULL,
    number SMALLINT NOT NULL,
    rules JSONB NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    after_episode_id UUID,
    ended_at TIMESTAMP WITH TIME ZONE,
    currency TEXT,
    revenue_minor BIGINT,
    pool_minor BIGINT,
    posted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_seasons PRIMARY KEY (id),
    CONSTRAINT uq_seasons_chain_id_number UNIQUE (chain_id, number),
    CONSTRAINT ck_seasons_posted_with_pool CHECK ((posted_at IS NULL) = (pool_minor IS NULL)),
    CONSTRAINT ck_seasons_posted_after_its_end CHECK (posted_at IS NULL OR ended_at IS NOT NULL),
    CONSTRAINT fk_seasons_chain_id_chains FOREIGN KEY(chain_id) REFERENCES chains (id),
    CONSTRAINT fk_seasons_after_episode_id_episodes FOREIGN KEY(after_episode_id) REFERENCES episodes (id)
);

CREATE UNIQUE INDEX uq_seasons_one_open ON seasons (chain_id) WHERE ended_at IS NULL;

CREATE TABLE season_credits (
    season_id UUID NOT NULL,
    author_id UUID NOT NULL,
    episodes SMALLINT NOT NULL,
    share TEXT NOT NULL,
    amount_minor BIGINT,
    CONSTRAINT pk_season_credits PRIMARY KEY (season_id, author_id),
    CONSTRAINT fk_season_credits_season_id_seasons FOREIGN KEY(season_id) REFERENCES seasons (id),
    CONSTRAINT fk_season_credits_author_id_users FOREIGN KEY(author_id) REFERENCES users (id)
);

CREATE INDEX ix_season_credits_author_id ON season_credits (author_id);

INSERT INTO seasons (id, chain_id, number, rules, started_at)
    SELECT gen_random_uuid(), id, 1, rules, created_at FROM chains;

CREATE FUNCTION stories_are_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an episode is written once, a season fixes its rules' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER written_once BEFORE UPDATE ON episodes FOR EACH ROW
    WHEN ((OLD.id, OLD.chain_id, OLD.round_id, OLD.parent_id, OLD.depth, OLD.author_id, OLD.title, OLD.body, OLD.licence,
           OLD.written_at)
          IS DISTINCT FROM
          (NEW.id, NEW.chain_id, NEW.round_id, NEW.parent_id, NEW.depth, NEW.author_id, NEW.title, NEW.body, NEW.licence,
           NEW.written_at))
    EXECUTE FUNCTION stories_are_written_once();

CREATE TRIGGER written_once BEFORE UPDATE ON seasons FOR EACH ROW
    WHEN ((OLD.chain_id, OLD.number, OLD.rules, OLD.started_at, OLD.after_episode_id)
          IS DISTINCT FROM (NEW.chain_id, NEW.number, NEW.rules, NEW.started_at, NEW.after_episode_id)
          OR (OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at)
          OR (OLD.posted_at IS NOT NULL AND (OLD.posted_at, OLD.pool_minor) IS DISTINCT FROM (NEW.posted_at, NEW.pool_minor)))
    EXECUTE FUNCTION stories_are_written_once();
"""

DOWN = """
DROP TRIGGER written_once ON episodes;
DROP TABLE season_credits, seasons, bookmarks;
DROP FUNCTION stories_are_written_once();
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
