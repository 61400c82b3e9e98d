"""Serving one checkpoint on one port until the process is told to end."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from model.errors import EndpointError
from model.serve.checkpoint import open_checkpoint


def serve(
    checkpoint_dir: Path, *, host: str = "127.0.0.1", port: int = 8000, threads: int = 2
) -> None:
    """Serve a checkpoint behind an OpenAI-compatible endpoint; returns on SIGINT or SIGTERM.

    Args:
        checkpoint_dir: Holds `config.json`, or a `checkpoint` directory that does.
        host: Address to listen on; the default is this machine only, since nobody signs in.
        port: Port to listen on.
        threads: Processor threads.

    Raises:
        EndpointError: If the port cannot be had; said before anything is loaded.
        CheckpointError: If the checkpoint cannot be used.
    """
    import uvicorn

    open_checkpoint(checkpoint_dir)
    with take_port(host, port) as listening:
        from model.serve.app import create_app
        from model.serve.engine import Engine

        engine = Engine.load(checkpoint_dir, threads=threads)
        print(f"{engine.checkpoint.name} answers at http://{host}:{port}/v1", flush=True)
        config = uvicorn.Config(create_app(engine), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


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
