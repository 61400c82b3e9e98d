"""A throw-away PostgreSQL cluster for one test run, as its own user when tests run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def cluster() -> Iterator[str]:
    """A running cluster on 127.0.0.1; gives the address of its server, without a database."""
    assert BIN, "PostgreSQL is not installed: apt-get install postgresql"
    directory = Path(tempfile.mkdtemp(prefix="safemed-pg-"))
    user = _user(directory)
    data = directory / "data"
    _run(BIN[-1] / "initdb", "-D", data, "-U", "tests", "--auth=trust", "--no-sync", user=user)
    port = _free_port()
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} "
        "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"
    )
    log = directory / "log"
    _run(BIN[-1] / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start", user=user)
    try:
        yield f"postgresql://tests@127.0.0.1:{port}"
    finally:
        _run(BIN[-1] / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop", user=user)
        shutil.rmtree(directory, ignore_errors=True)


def _user(directory: Path) -> int | None:
    """PostgreSQL refuses to run as root: then it runs as the user that its package made."""
    if os.geteuid() != 0:
        return None
    owner = pwd.getpwnam("postgres")
    os.chown(directory, owner.pw_uid, owner.pw_gid)
    return owner.pw_uid


def _run(*words: object, user: int | None) -> None:
    subprocess.run(
        list(map(str, words)), check=True, user=user, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
