"""The published layouts of exams, each read into the same items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.errors import ItemError
from model.evaluation.reading import refuse_duplicates
from model.exams.cmb import read_cmb
from model.exams.cmexam import read_cmexam
from model.exams.items import Item
from model.exams.medqa import read_medqa
from model.exams.pediabench import read_pediabench
from model.exams.plain import read_plain

Reader = Callable[[Path], tuple[Item, ...]]


@dataclass(frozen=True, slots=True)
class Exam:
    """An exam as read."""

    name: str
    files: tuple[Path, ...]
    items: tuple[Item, ...]


LAYOUTS: dict[str, Reader] = {
    "medqa": read_medqa,
    "cmexam": read_cmexam,
    "cmb": read_cmb,
    "pediabench": read_pediabench,
    "jsonl": read_plain,
}


def read_exam(
    path: Path, layout: str, *, name: str | None = None, track: str | None = None
) -> Exam:
    """Read an exam.

    Args:
        path: A file as published.
        layout: One of `LAYOUTS`.
        name: Of the exam in results; the layout and the file's name by default.
        track: Only items whose `track` begins so, such as one of CMB-Exam's.

    Raises:
        ItemError: If the layout is unknown, the file has another one, an item lacks a part, or an
            item is there twice.
    """
    if layout not in LAYOUTS:
        raise ItemError(f"layout {layout!r} is unknown; there are {', '.join(LAYOUTS)}")
    items = LAYOUTS[layout](path)
    _refuse_same(path, items)
    if track is not None:
        items = tuple(item for item in items if item.strata.get("track") == track)
    if not items:
        raise ItemError(f"{path} holds no item{f' of the track {track}' if track else ''}")
    return Exam(name or f"{layout}:{path.stem}", (path,), items)


def _refuse_same(path: Path, items: Sequence[Item]) -> None:
    ids: set[str] = set()
    for item in items:
        if item.item_id in ids:
            raise ItemError(f"{path}: item {item.item_id} is there twice; an item counts once")
        ids.add(item.item_id)
    refuse_duplicates(
        (f"{path} item {item.item_id}", "\n".join((item.question, *item.options))) for item in items
    )
