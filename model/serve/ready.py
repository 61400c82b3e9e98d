"""Waiting for an endpoint to come up."""

from __future__ import annotations

import subprocess
import time

import httpx

from model.errors import EndpointError

_PAUSE_S = 0.1


def wait_until_ready(
    url: str, *, timeout_s: float, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait until an endpoint's `/health` answers.

    Args:
        url: Of the server, without `/v1`.
        timeout_s: How long to wait, in seconds.
        process: The server, where it is a child of ours; its end ends the waiting.

    Raises:
        EndpointError: If it is not ready in time, or the process ended.
    """
    deadline = time.monotonic() + timeout_s
    # No proxy: what is waited for was started by whoever waits, on a machine of theirs.
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        while time.monotonic() < deadline:
            if process is not None and process.poll() is not None:
                raise EndpointError(
                    f"the model server for {url} ended with status {process.returncode} before it "
                    "was ready; its log says why"
                )
            try:
                if client.get(f"{url.rstrip('/')}/health").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(_PAUSE_S)
    raise EndpointError(f"the model server at {url} was not ready within {timeout_s:g} s")
