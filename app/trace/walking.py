"""From the files given to one walk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.commands.errors import InputError
from app.trace.graph import Graph, Node, Walk

_ROW = re.compile(r"r_[0-9a-f]{32}")
"""Of a training row; a response's id begins with `r_` as well, and is shorter."""


@dataclass(frozen=True, slots=True)
class TraceFiles:
    """What a walk may look into; what is not given is an open end."""

    ledger: Path | None = None
    datasets: Sequence[Path] = ()
    exports: Sequence[Path] = ()
    trainings: Sequence[Path] = ()
    responses: Sequence[Path] = ()
    frozen: Path | None = None
    results: Path | None = None


def trace(start: str, files: TraceFiles) -> Walk:
    """Walk up and down from one thing.

    Args:
        start: A training row (`r_...`), a checkpoint's digest, the id of a response, masked
            response or rating, or a cell of the results (`TABLE:ROW:COLUMN`). The beginning of an
            id will do.
        files: Where to look.

    Raises:
        InputError: If nothing of that name is in the files, or a file cannot be read.
        LedgerError: If the ledger holds no such row.
        BundleError: If the frozen dataset is not the one of its manifest.
    """
    from app.trace.model_files import (
        add_datasets,
        add_exports,
        add_responses,
        add_row,
        add_trainings,
    )

    graph = Graph()
    add_datasets(graph, files.datasets)
    if _ROW.fullmatch(start):
        if files.ledger is None:
            raise InputError(f"{start} is a training row; name its ledger with --ledger")
        add_row(graph, files.ledger, files.datasets, start)
    add_exports(graph, files.exports)
    add_trainings(graph, files.trainings, files.datasets, files.exports)
    add_responses(graph, files.responses)
    cell = _add_study(graph, start, files)
    return graph.walk(cell or graph.find(start))


def _add_study(graph: Graph, start: str, files: TraceFiles) -> Node | None:
    """The study's and the analysis's files; the start, where it is a cell of a table."""
    from app.trace.result_files import add_cell, add_results
    from app.trace.study_files import add_frozen
    from study.exports.frozen import read_frozen

    frozen = read_frozen(files.frozen) if files.frozen else None
    whole = add_frozen(graph, frozen) if frozen else None
    if files.results is None:
        return None
    add_results(graph, files.results, frozen)
    is_cell = (files.results / "tables" / f"{start.partition(':')[0]}.csv").is_file()
    return add_cell(graph, files.results, start, whole) if is_cell else None
