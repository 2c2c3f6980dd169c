"""The private engines: as root and as anybody, locked by a password, alive again after kill -9, fluent in Unicode."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from creator_hub.embedded import EmbeddedPostgres, EmbeddedValkey, postgres

ROOT = Path(__file__).resolve().parents[2]
AS_AN_ORDINARY_USER = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
START_AND_STOP = """
import os, sys
from pathlib import Path
import psycopg
from creator_hub.embedded import EmbeddedPostgres
assert os.geteuid() != 0
engine = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
url = engine.start().replace("+psycopg", "")
with psycopg.connect(url) as connection:
    print(connection.execute("SELECT current_user").fetchone()[0])
engine.stop()
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    engine = EmbeddedPostgres(tmp_path / "postgres")
    engine.start()
    yield engine
    engine.stop()


def connect(engine: EmbeddedPostgres) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(engine.url.replace("+psycopg", ""), autocommit=True)


def test_what_was_written_is_there_after_a_stop_and_a_start(engine: EmbeddedPostgres) -> None:
    with connect(engine) as connection:
        connection.execute("CREATE TABLE said (text text)")
        connection.execute("INSERT INTO said VALUES ('hello')")
    engine.stop()
    engine.start()
    with connect(engine) as connection:
        assert connection.execute("SELECT text FROM said").fetchall() == [("hello",)]


def test_what_was_committed_survives_kill_9_of_the_postmaster(engine: EmbeddedPostgres) -> None:
    with connect(engine) as connection:
        connection.execute("CREATE TABLE said (text text)")
        connection.execute("INSERT INTO said VALUES ('acknowledged')")
    assert engine.process is not None
    engine.process.kill()
    engine.process.wait()
    engine.spawn()
    with connect(engine) as connection:
        assert connection.execute("SELECT text FROM said").fetchall() == [("acknowledged",)]


def test_postgres_in_make_run_writes_through_to_the_disk(engine: EmbeddedPostgres) -> None:
    with connect(engine) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)


def test_postgres_refuses_a_wrong_password(engine: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(engine.url.replace("+psycopg", "").replace(engine.password, "guess"))


def test_the_password_is_for_the_owners_eyes_only(engine: EmbeddedPostgres) -> None:
    assert stat.S_IMODE((engine.data_dir / "password").stat().st_mode) == 0o600
    command = Path(f"/proc/{engine.process.pid}/cmdline").read_text() if engine.process else ""
    assert engine.password not in command


@pytest.mark.parametrize("word", ["故事接龙", "قصة", "เรื่องเล่า", "Überraschung"])
def test_postgres_knows_the_letters_of_every_script(engine: EmbeddedPostgres, word: str) -> None:
    with connect(engine) as connection:
        found = connection.execute("SELECT similarity(%s, %s) = 1 AND show_trgm(%s) <> '{}'", (word, word, word))
        assert found.fetchone() == (True,)


def test_an_ordinary_user_can_start_and_stop_postgres(tmp_path: Path) -> None:
    done = subprocess.run(
        [*AS_AN_ORDINARY_USER, sys.executable, "-c", START_AND_STOP, str(tmp_path / "postgres")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "hub"), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_root_without_namespaces_starts_postgres_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_namespaces_work", lambda: False)
    folder = Path(tempfile.mkdtemp(prefix="hub-nobody-"))
    folder.chmod(0o755)
    engine = EmbeddedPostgres(folder / "postgres", durable=False)
    try:
        engine.start()
        assert engine.process is not None
        assert Path(f"/proc/{engine.process.pid}").stat().st_uid == 65534
        with connect(engine) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        engine.stop()
        shutil.rmtree(folder)


def test_valkey_refuses_strangers_and_comes_back_empty_after_kill_9(tmp_path: Path) -> None:
    engine = EmbeddedValkey(tmp_path / "valkey")
    url = engine.start()
    try:
        with redis.Redis.from_url(url) as client:
            client.set("hint", "1")
        with (
            redis.Redis(host="127.0.0.1", port=engine.port) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
        assert engine.process is not None
        engine.process.kill()
        engine.process.wait()
        engine.spawn()
        with redis.Redis.from_url(url) as client:
            assert client.get("hint") is None
    finally:
        engine.stop()
