"""Where a server listens, and running an application there until told to end."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.errors import EndpointError

if TYPE_CHECKING:
    from starlette.applications import Starlette


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens."""

    host: str = "127.0.0.1"
    """This machine only unless said otherwise, since nobody signs in."""
    port: int = 8000


def take_port(host: str, port: int) -> socket.socket:
    """Listen on a port, so that nobody else gets it while the model loads.

    Raises:
        EndpointError: Naming the port and the remedy.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            why = "is in use; choose another with --port, or end the program that has it"
        else:
            why = f"cannot be listened on ({error}); choose another with --port or --host"
        raise EndpointError(f"port {port} of {host} {why}") from error
    return listening


def say(name: str, engine: str, place: Place) -> None:
    """Say what answers where, once it does."""
    print(f"{name} answers at http://{place.host}:{place.port}/v1 ({engine})", flush=True)


def run(
    app: Starlette, listening: socket.socket,
    ending: Callable[[Callable[[], None]], object] = lambda stop: None,
) -> None:  # fmt: skip
    """Serve until SIGINT or SIGTERM.

    Args:
        app: Answers.
        listening: From `take_port`.
        ending: Is handed a function that ends the serving; call it when there is no point any more.
    """
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))

    def stop() -> None:
        server.should_exit = True

    ending(stop)
    server.run(sockets=[listening])
