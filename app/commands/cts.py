"""Verbs of the ledger of training rows: firewall."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import AsJson, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def cts() -> None:
    """Guard the training rows."""


@app.command()
def firewall(
    rows: Annotated[list[Path], typer.Argument(help="Training rows (JSON lines), files or more.")],
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against", help="Vignettes or benchmarks; the shipped vignettes by default."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Refuse training rows that hold, or nearly hold, what the model is to be tested with."""
    from app.resources import shipped
    from model.cts.firewall import check, rows_of

    texts = [row for path in rows for row in rows_of(path)]
    n_texts = check(texts, against or [shipped("vignettes")])
    say(
        as_json,
        {"rows": len(texts), "texts": n_texts, "overlaps": 0},
        [f"{len(texts)} rows share no text with {n_texts} texts: exact, thirteen words, nearly."],
    )
