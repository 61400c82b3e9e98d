"""The verb that serves the screens."""

from __future__ import annotations

from typing import Annotated

import typer

from app.commands.output import DEFAULT_STORE, StoreUrl


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    app.command("app")(app_)


def app_(
    store: StoreUrl = DEFAULT_STORE,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 8501,
) -> None:
    """Serve the screens for residents, raters and investigators.

    The environment may name the address people use (SAFEMED_BASE_URL) and the file of the
    institution's sign-in (SAFEMED_OIDC); see docs/guides/host.md.
    """
    from app.server import serve
    from study.store import create_store

    create_store(store).close()
    serve(store, host=host, port=port)
