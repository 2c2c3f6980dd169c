"""A hub to measure: private engines, two web processes, a group with thousands of members who hold API tokens."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from creator_hub import app as hub_app
from creator_hub.chat import service as chat
from creator_hub.core import migrate
from creator_hub.core.access import Actor
from creator_hub.core.db import dispose, unit_of_work
from creator_hub.core.ids import new_id
from creator_hub.embedded import EmbeddedPostgres, EmbeddedValkey
from creator_hub.groups import channels
from creator_hub.settings import Settings
from tests.support.hub import Web
from tests.support.world import a_group, a_person

# Member n holds the token "bench-n".
PEOPLE = """
INSERT INTO users (id, email, handle, display_name, password_hash, roles, settings, created_at)
SELECT gen_random_uuid(), 'p' || n || '@bench.test', 'p' || n, 'Person ' || n, '!', '{}', '{}', now()
FROM generate_series(0, :people - 1) n
"""
TOKENS = """
INSERT INTO api_tokens (id, user_id, name, secret_hash, created_at, used_at)
SELECT gen_random_uuid(), id, 'bench', sha256(convert_to('bench-' || substr(handle, 2), 'UTF8')), now(), now()
FROM users WHERE email LIKE 'p%@bench.test'
"""
MEMBERS = """
INSERT INTO memberships (id, group_id, user_id, role, since)
SELECT gen_random_uuid(), :group, id, 'member', now() FROM users WHERE email LIKE 'p%@bench.test'
"""
ENTITLED = """
INSERT INTO entitlements (id, group_id, user_id, tier_id, source, source_id, starts_at)
SELECT gen_random_uuid(), :group, u.id, t.id, 'free', u.id::text, now()
FROM users u, tiers t WHERE u.email LIKE 'p%@bench.test' AND t.group_id = :group AND t.rank = 0
"""


@dataclass(frozen=True)
class World:
    """Two web processes on one database. `one` is the busy channel, `many` are forty more."""

    webs: tuple[Web, ...]
    database: str
    one: uuid.UUID
    many: list[uuid.UUID]
    mei: uuid.UUID

    @property
    def ports(self) -> str:
        return ",".join(str(web.port) for web in self.webs)

    @property
    def pids(self) -> str:
        return ",".join(worker for web in self.webs for worker in web.workers())

    def say(self, count: int) -> int:
        """Put messages on the busy channel, one commit; the seq before them."""
        with unit_of_work() as session:
            actor = Actor(user_id=self.mei)
            seqs = [
                chat.send(session, actor, self.one, client_msg_id=new_id(), text=f"missed {n}").seq
                for n in range(count)
            ]
        return seqs[0] - 1


@contextmanager
def hub(people: int) -> Iterator[World]:
    """Build it in a folder of its own and take it down again."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        postgres, valkey = EmbeddedPostgres(Path(folder) / "postgres"), EmbeddedValkey(Path(folder) / "valkey")
        env = {"DATABASE_URL": postgres.start(), "REDIS_URL": valkey.start(), "HUB_DATA_DIR": folder}
        webs: list[Web] = []
        try:
            migrate.upgrade(env["DATABASE_URL"])
            hub_app.wire(Settings.from_env(env))
            with unit_of_work() as session:
                one, many, mei = settle(session, people)
            with psycopg.connect(env["DATABASE_URL"].replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute("ANALYZE")
            webs += [Web(env), Web(env)]
            yield World(tuple(webs), env["DATABASE_URL"], one, many, mei)
        finally:
            for web in webs:
                web.kill()
            dispose()
            valkey.stop()
            postgres.stop()


def settle(session: Session, people: int) -> tuple[uuid.UUID, list[uuid.UUID], uuid.UUID]:
    owner = a_person(session, "mei")
    group = a_group(session, owner)
    actor = Actor(user_id=owner.id)
    opened = [
        channels.create_channel(session, actor, group, name=f"room {n}", kind="talk", min_tier_rank=0).id
        for n in range(41)
    ]
    for statement in (PEOPLE, TOKENS, MEMBERS, ENTITLED):
        session.execute(text(statement), {"people": people, "group": group.id})
    return opened[0], opened[1:], owner.id
