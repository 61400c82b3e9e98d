"""The app as people meet it: a process of its own on a free port of this machine."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_S = 60.0

SCRIPT = """
{before}
import sys
from app.server import serve
def ready(port):
    {ready}
    print(port, flush=True)
try:
    serve(sys.argv[1], port=0, ready=ready)
except KeyboardInterrupt:
    sys.exit(130)
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    base: str
    log: Path
    process: subprocess.Popen[str]

    def interrupt(self) -> None:
        """What Ctrl-C sends."""
        self.process.send_signal(signal.SIGINT)

    def log_lines(self) -> list[str]:
        """What it has written so far."""
        return self.log.read_text().splitlines()


@contextmanager
def served(
    store_url: str,
    work: Path,
    *,
    before: str = "",
    ready: str = "pass",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """Serve a database until the block ends.

    Args:
        store_url: The database.
        work: Directory of the log.
        before: Python to run in the server's process first.
        ready: One line of Python to run there once people can connect.
        environment: Added to this process's.
    """
    log = work / "server.log"
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT.format(before=before, ready=ready), store_url],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        )
        try:
            yield Served(f"http://127.0.0.1:{_port(process, log)}", log, process)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _port(process: subprocess.Popen[str], log: Path) -> int:
    assert process.stdout is not None
    waiting, _, _ = select.select([process.stdout], [], [], START_S)
    line = process.stdout.readline() if waiting else ""
    if not line.strip().isdigit():
        raise AssertionError(f"the server did not start:\n{log.read_text()}")
    return int(line)
