"""A served model for the length of one step, as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served_model(checkpoint: Path, log: Path, *, threads: int = 2) -> Iterator[str]:
    """Serve a checkpoint on a free port of this machine and give its address, `.../v1`.

    Raises:
        EndpointError: If it does not come up; the log says why.
    """
    from model.serve.ready import wait_until_ready

    port = free_port()
    command = [
        sys.executable, "-m", "app", "model", "serve",
        str(checkpoint), "--port", str(port), "--threads", str(threads),
    ]  # fmt: skip
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches us first, and we end it in order.
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", timeout_s=180, process=process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
