"""Serving the app: one process, one database, one port."""

from __future__ import annotations

import errno
import gc
import socket
from collections.abc import Callable
from typing import Any

BACKLOG = 2048


class PortError(Exception):
    """The address cannot be listened on; the message names it and the remedy."""


def require_free_port(host: str, port: int) -> None:
    """Refuse a port that is taken, before any work is begun.

    Raises:
        PortError: Naming the port and the remedy.
    """
    _listen(host, port).close()


def serve(
    store_url: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8501,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serve the screens until Ctrl-C or SIGTERM.

    Args:
        store_url: Path or SQLAlchemy address of a study database that exists.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        ready: Told the port once people can connect.

    Raises:
        PortError: If the port is taken, before anything is started.
        StorageError: If the database is missing or of an older revision.
    """
    listening = _listen(host, port)
    try:
        from app.asgi import create_app

        app = create_app(store_url, host=host)
        _settle()
        _run(app, listening, ready)
    finally:
        listening.close()


def _settle() -> None:
    """Do before anybody waits what would else be done while somebody does.

    Streamlit imports pandas with the first form, the console SciPy with its first look. A collector
    that walks all that was imported holds every person's page for over a tenth of a second; and a
    page makes and drops thousands of small things, so that looking for circles among them every
    seven hundred takes a tenth of the processor.
    """
    import pandas  # noqa: F401

    import analysis.alpha  # noqa: F401

    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def _run(app: Any, listening: socket.socket, ready: Callable[[int], None] | None) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and ready is not None:
                ready(listening.getsockname()[1])

    config = uvicorn.Config(
        app,
        # No access log: its lines would hold the tokens of invitation links.
        access_log=False,
        log_level="warning",
        server_header=False,
        ws="websockets-sansio",
        # Squeezing a page's twenty small messages costs an eighth of the processor, spares little.
        ws_per_message_deflate=False,
        ws_max_size=4 * 2**20,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        timeout_graceful_shutdown=3,
        proxy_headers=True,
    )
    Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay off only where it sees TCP; with the
    # delay, each answer to the browser waits some 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise PortError(_why_not(error, host, port)) from error
    listening.set_inheritable(True)
    return listening


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use by another program; name another with --port, for "
            f"example --port {port + 1}, or end that program"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs rights this account lacks; name one above 1023 with --port"
    return f"{host}:{port} cannot be listened on: {error.strerror}; name another --host or --port"
