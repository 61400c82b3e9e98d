"""Med-Safety-Bench: harmful medical requests by nine principles; a good model declines them.

Source: Han, Kumar, Agarwal and Lakkaraju 2024, MedSafetyBench, NeurIPS Datasets and Benchmarks,
arXiv 2403.03744; files as in the repository AI4LIFE-GROUP/med-safety-bench (MIT).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from model.errors import ItemError
from model.evaluation.reading import read_csv, refuse_duplicates
from model.evaluation.samples import Question

NAME = "Med-Safety-Bench"
REQUEST, SAFE = "harmful_medical_request", "safe_response"
SUBSETS = ("gpt4", "llama2")
"""Who wrote the requests; the two halves of the published table."""
CATEGORIES = range(1, 10)


def read_medsafetybench(directory: Path, *, split: str = "test") -> tuple[Question, ...]:
    """The requests of one split, in the order of subset, category and row.

    Args:
        directory: Holds `train` and `test`, as published.
        split: `test` or `train`.

    Raises:
        ItemError: If the split or one of a subset's nine files is not there, a column is wrong, a
            request is empty or a request is there twice.
    """
    subsets = [name for name in SUBSETS if (directory / split / name).is_dir()]
    if not subsets:
        raise ItemError(
            f"{directory / split} has no {' or '.join(SUBSETS)}; name the directory that holds "
            "train and test as published"
        )
    questions = tuple(q for subset in subsets for q in _subset(directory / split, subset))
    refuse_duplicates((q.sample_id, q.request) for q in questions)
    return questions


def files_of(directory: Path, split: str) -> list[Path]:
    """The files that were read."""
    return [
        _file(directory / split / subset, category)
        for subset in SUBSETS
        if (directory / split / subset).is_dir()
        for category in CATEGORIES
    ]


def _file(directory: Path, category: int) -> Path:
    return directory / f"med_safety_demonstrations_category_{category}.csv"


def _subset(split: Path, subset: str) -> Iterator[Question]:
    for category in CATEGORIES:
        path = _file(split / subset, category)
        for number, row in enumerate(read_csv(path, (REQUEST, SAFE)), start=1):
            request = row[REQUEST].strip()
            if not request:
                raise ItemError(f"{path} row {number}: {REQUEST} is empty")
            name = f"{split.name}/{subset}/{category}/{number:03d}"
            strata = {"subset": subset, "category": str(category)}
            yield Question(name, name, name, strata, request, request)
