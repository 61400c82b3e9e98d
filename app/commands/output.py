"""How a command says what it did: lines for people, or one JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")]
StoreUrl = Annotated[
    str,
    typer.Option(
        "--store", envvar="SAFEMED_STORE", help="Study database: a path or a SQLAlchemy address."
    ),
]
StudyId = Annotated[
    str | None, typer.Argument(help="Study id; may be left out when the database holds one study.")
]
BaseUrl = Annotated[
    str,
    typer.Option("--base-url", envvar="SAFEMED_BASE_URL", help="Where people reach the app."),
]
DEFAULT_STORE = "safemed.db"
DEFAULT_BASE_URL = "http://127.0.0.1:8501"


def say(as_json: bool, result: Mapping[str, object], lines: Sequence[str]) -> None:
    """Print the result as JSON, or the lines."""
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines))


def entry_link(base_url: str, token: str) -> str:
    """The invitation link of a token."""
    return f"{base_url.rstrip('/')}/enter?t={token}"
