"""Whether the rows of a frozen dataset can be analysed; every fault names its row and values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from analysis.errors import DatasetError
from analysis.frozen_files import Row

if TYPE_CHECKING:
    from analysis.dataset import Dataset

MOST_SHOWN = 20


def check_audit(dataset: Dataset) -> None:
    """Refuse an audit table that is not the one whose head the manifest holds.

    Raises:
        DatasetError: If its length or last digest differ.
    """
    events, manifest = dataset.tables["audit"], dataset.manifest
    head = events[-1]["sha256"] if events else None
    if len(events) != manifest["n_audit_events"] or head != manifest["audit_head"]:
        raise DatasetError(
            f"the audit has {len(events)} events and ends in {head}; the manifest says "
            f"{manifest['n_audit_events']} and {manifest['audit_head']}"
        )


def check_rows(dataset: Dataset) -> None:
    """Refuse rows that no analysis could be right about.

    Raises:
        DatasetError: Naming each duplicate, unknown reference and score off the scale.
    """
    faults = [
        *_response_faults(dataset),
        *_reference_faults(dataset),
        *_duplicate_faults(dataset),
        *_score_faults(dataset),
    ]
    if faults:
        more = f"; and {len(faults) - MOST_SHOWN} more" if len(faults) > MOST_SHOWN else ""
        raise DatasetError(
            f"the ratings cannot be analysed: {'; '.join(faults[:MOST_SHOWN])}{more}. Correct it "
            "in the study, with a reason, and export again"
        )


def _response_faults(dataset: Dataset) -> Iterator[str]:
    rated = {row["blinding_code"] for row in dataset.tables["ratings"]}
    vignettes = set(dataset.vignettes)
    for row in dataset.tables["responses"]:
        name = row["response_id"]
        if row["arm"] not in dataset.arms:
            yield f"response {name} is of an unknown arm {row['arm']!r}"
        if row["vignette_id"] not in vignettes:
            yield f"response {name} answers an unknown vignette {row['vignette_id']!r}"
        if row["status"] not in ("submitted", "failed", "missing"):
            yield f"response {name} has the unknown status {row['status']!r}"
        elif row["status"] != "submitted" and row["blinding_code"] in rated - {None}:
            yield f"response {name} is {row['status']} and yet rated"
    asked = _grouped(dataset.tables["responses"], "respondent_id", "vignette_id")
    for (respondent, vignette), rows in asked.items():
        if len(rows) > 1:
            yield f"respondent {respondent} has {len(rows)} responses to {vignette}"


def _reference_faults(dataset: Dataset) -> Iterator[str]:
    codes = {row["blinding_code"]: row["vignette_id"] for row in dataset.tables["responses"]}
    raters = {row["rater_id"] for row in dataset.tables["raters"]}
    for row in dataset.tables["ratings"]:
        name = row["rating_id"]
        if row["blinding_code"] is None or row["blinding_code"] not in codes:
            yield f"rating {name} is of an unknown code {row['blinding_code']}"
        elif row["vignette_id"] != codes[row["blinding_code"]]:
            yield (
                f"rating {name} names the vignette {row['vignette_id']}, its response "
                f"{codes[row['blinding_code']]}"
            )
        if row["rater_id"] not in raters:
            yield f"rating {name} is by an unknown rater {row['rater_id']}"


def _duplicate_faults(dataset: Dataset) -> Iterator[str]:
    for (rater, code), rows in _grouped(
        dataset.final_ratings(), "rater_id", "blinding_code"
    ).items():
        if len(rows) > 1:
            shown = ", ".join(
                f"{row['rating_id']} = {[row[d.id] for d in dataset.dimensions]}" for row in rows
            )
            yield f"rater {rater} has {len(rows)} final ratings of {code}: {shown}"


def _score_faults(dataset: Dataset) -> Iterator[str]:
    for row in dataset.final_ratings():
        for dimension in dataset.dimensions:
            score = row[dimension.id]
            if score is not None and score not in dimension.points:
                yield (
                    f"rating {row['rating_id']}: {dimension.id} is {score!r}, off the scale "
                    f"{dimension.minimum} to {dimension.maximum}"
                )


def _grouped(rows: Iterable[Row], *keys: str) -> dict[tuple[object, ...], list[Row]]:
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return groups
