"""PostgreSQL refuses to run as uid 0. As root its programs are started as somebody who is not.

First choice: a user namespace in which we are `nobody`; to the outside the files stay root's. Where namespaces are
barred (many containers), the real user `nobody`, who gets one capability, to pass the locked home directories on the
way to the binaries and the data.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

from creator_hub.embedded.process import EngineError

ROOT = 0


@cache
def prefix() -> tuple[str, ...]:
    """What to put before a PostgreSQL command; empty for an ordinary user."""
    return () if os.geteuid() != ROOT else _as_nobody()


def _as_nobody() -> tuple[str, ...]:
    nobody = pwd.getpwnam("nobody")
    namespace = ("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}")
    real = (
        "setpriv",
        f"--reuid={nobody.pw_uid}",
        f"--regid={nobody.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    )
    for candidate in (namespace, real):
        if _works(candidate):
            return candidate
    raise EngineError(
        "PostgreSQL refuses to run as root, and neither unshare nor setpriv is allowed here. "
        "Run this as an ordinary user, or point DATABASE_URL at a PostgreSQL that already runs."
    )


def _works(candidate: tuple[str, ...]) -> bool:
    if shutil.which(candidate[0]) is None:
        return False
    return subprocess.run([*candidate, "true"], capture_output=True, check=False).returncode == 0  # noqa: S603


def own(directory: Path, how: tuple[str, ...]) -> None:
    """Make `directory` belong to the user that `how` runs as, whoever started it the last time."""
    if os.geteuid() != ROOT:
        return
    owner = pwd.getpwnam("nobody") if how[0] == "setpriv" else pwd.getpwuid(ROOT)
    if directory.stat().st_uid == owner.pw_uid:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
