"""The verb that walks from any number back to the rows that taught the model, and forth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import AsJson, say

Paths = list[Path] | None


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(trace)


def trace(
    start: Annotated[
        str,
        typer.Argument(
            help="A training row (r_...), a checkpoint's digest, the id of a response, blinding "
            "code or rating, or TABLE:ROW:COLUMN of the results."
        ),
    ],
    ledger: Annotated[
        Path | None, typer.Option("--ledger", help="Directory of the ledger.")
    ] = None,
    dataset: Annotated[Paths, typer.Option("--dataset", help="That `cts build` wrote.")] = None,
    export: Annotated[Paths, typer.Option("--export", help="That `cts export` wrote.")] = None,
    training: Annotated[
        Paths, typer.Option("--training", help="Directories of training runs.")
    ] = None,
    responses: Annotated[
        Paths, typer.Option("--responses", help="That `model respond` wrote.")
    ] = None,
    frozen: Annotated[Path | None, typer.Option("--frozen", help="The frozen dataset.")] = None,
    results: Annotated[
        Path | None, typer.Option("--results", help="Directory of the results.")
    ] = None,
    prov: Annotated[
        Path | None, typer.Option("--prov", help="Write the walk as W3C PROV-JSON.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Walk up and down from a row, checkpoint, response, rating or table cell; 1 for a fault."""
    from app.trace.prov import prov_json
    from app.trace.show import as_json as walk_json
    from app.trace.show import as_lines
    from app.trace.walking import TraceFiles
    from app.trace.walking import trace as walk_from

    walk = walk_from(
        start,
        TraceFiles(
            ledger, dataset or [], export or [], training or [], responses or [], frozen, results
        ),
    )
    if prov is not None:
        prov.write_text(prov_json(walk), encoding="utf-8")
    say(as_json, walk_json(walk), as_lines(walk))
    raise typer.Exit(1 if walk.faults else 0)
