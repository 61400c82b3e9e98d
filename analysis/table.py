"""What a table is: plain rows with their notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from analysis.dataset import Contrast, Dataset, Dimension
from analysis.wording import Cell

Cells = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to print; the first column names the row."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Cells, ...]
    note: str
    unblinding_note: str
    """Every table computed after unblinding says so."""
    simulated_note: str | None


def table_of(
    dataset: Dataset, name: str, title: str, columns: tuple[str, ...], rows: Iterable[Cells],
    note: str,
) -> Table:  # fmt: skip
    """A table that carries the notes of its dataset."""
    return Table(
        name, title, columns, tuple(rows), note, dataset.unblinding_note, dataset.simulated_note
    )


def row_name(dataset: Dataset, dimension: Dimension, contrast: Contrast) -> str:
    """The dimension, with its pair of arms where there are several pairs."""
    if len(dataset.contrasts) == 1:
        return dimension.label
    return f"{dimension.label}: {contrast.first.label} \u2212 {contrast.second.label}"


def contrast_title(dataset: Dataset) -> str:
    """Which arm is taken from which."""
    pairs = [f"{c.first.label} minus {c.second.label}" for c in dataset.contrasts]
    return pairs[0] if len(pairs) == 1 else f"{len(pairs)} declared pairs of arms"
