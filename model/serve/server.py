"""Serving a checkpoint by the embedded engine, or a model of another endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from model.endpoint import Endpoint
from model.errors import CheckpointError, EndpointError
from model.serve.checkpoint import open_checkpoint
from model.serve.known import KnownModel
from model.serve.listening import Place, run, say, take_port


def serve(
    checkpoint_dir: Path, *, host: str = "127.0.0.1", port: int = 8000, threads: int = 2
) -> None:
    """Serve a checkpoint by the embedded engine; returns on SIGINT or SIGTERM.

    Args:
        checkpoint_dir: Holds `config.json`, or a `checkpoint` directory that does.
        host: Address to listen on.
        port: Port to listen on.
        threads: Processor threads.

    Raises:
        EndpointError: If the port cannot be had; said before anything is loaded.
        CheckpointError: If the checkpoint cannot be used.
    """
    open_checkpoint(checkpoint_dir)
    with take_port(host, port) as listening:
        from model.serve.app import create_app
        from model.serve.engine import Engine

        engine = Engine.load(checkpoint_dir, threads=threads)
        say(engine.checkpoint.name, engine.name, Place(host, port))
        run(create_app(engine), listening)


def serve_url(name: str, url: str, place: Place) -> None:
    """Serve a model of another endpoint, handing requests on; returns on SIGINT or SIGTERM.

    Args:
        name: A model that the endpoint lists.
        url: Of the endpoint, up to and including `/v1`.
        place: Where to listen.

    Raises:
        EndpointError: If the endpoint does not answer, or does not list the model.
    """
    with take_port(place.host, place.port) as listening:
        with Endpoint(url, timeout_s=30) as client:
            found = client.describe(name)
        if not found.reachable:
            raise EndpointError(f"{url} does not answer; start it, or correct the address")
        if name not in found.names:
            listed = ", ".join(found.names) or "no model"
            raise EndpointError(f"{url} lists {listed}, and no {name!r}; name one that it lists")
        from model.serve.forward import Upstream, create_forwarding_app

        say(name, url, place)
        run(create_forwarding_app(Upstream(url)), listening)


def needs(known: KnownModel) -> NoReturn:
    """Refuse to serve a known model on the processor.

    Raises:
        CheckpointError: With what it needs.
    """
    raise CheckpointError(
        f"{known.words()}. Run it on such a machine with --engine vllm, or name an endpoint that "
        "serves it with --engine URL"
    )
