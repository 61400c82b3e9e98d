"""One process that serves the shipped nano model, for the whole session."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from model.serve.ready import wait_until_ready
from tests.model.files import NANO, ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def nano_endpoint() -> Iterator[str]:
    port = free_port()
    program = (
        "from pathlib import Path; from model.serve.server import serve; "
        f"serve(Path({str(NANO / 'checkpoint')!r}), port={port}, threads=1)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", timeout_s=120, process=process)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(timeout=20)
