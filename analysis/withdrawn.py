"""Records that the archive keeps and the analysis does not read.

Those of people who withdrew from a study whose protocol takes them out of the analysis, and the
second ratings of a human being who had two accounts: agreement with oneself is no agreement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.dataset import Dataset
    from analysis.frozen_files import Row

LEAVES = "leave analysis"


def without_withdrawn(dataset: Dataset) -> Dataset:
    """The dataset without the answers and ratings of who left the analysis."""
    gone = {
        str(row["person_id"])
        for row in dataset.tables["withdrawals"]
        if row["disposition"] == LEAVES
    }
    if not gone:
        return dataset
    codes = {
        row["blinding_code"] for row in dataset.tables["responses"] if row["respondent_id"] in gone
    } - {None}

    def stays(row: Row) -> bool:
        return (
            row.get("respondent_id") not in gone
            and row.get("rater_id") not in gone
            and row.get("blinding_code") not in codes
        )

    kept: Mapping[str, tuple[Row, ...]] = {
        name: rows
        if name in ("audit", "raters", "respondents", "withdrawals")
        else tuple(row for row in rows if stays(row))
        for name, rows in dataset.tables.items()
    }
    return replace(dataset, tables=kept)


def without_doubles(dataset: Dataset) -> Dataset:
    """The dataset without ratings by a second account of somebody who rated the response."""
    first_of = {
        str(row["second_id"]): str(row["first_id"])
        for row in dataset.tables["same_person"]
        if row["same"]
    }
    if not first_of:
        return dataset
    rated = {(row["rater_id"], row["blinding_code"]) for row in dataset.tables["ratings"]}

    def is_double(row: Row) -> bool:
        first = first_of.get(str(row.get("rater_id")))
        return first is not None and (first, row.get("blinding_code")) in rated

    kept = {
        name: tuple(row for row in rows if not is_double(row))
        if name in ("ratings", "assignments", "marks", "guesses", "harms")
        else rows
        for name, rows in dataset.tables.items()
    }
    return replace(dataset, tables=kept)


def withdrawal_sentence(dataset: Dataset) -> str:
    """How many left, and how many of them left the analysis; empty where nobody did."""
    rows = dataset.tables["withdrawals"]
    if not rows:
        return ""
    gone = sum(row["disposition"] == LEAVES for row in rows)
    return f" Withdrawals: {len(rows)}, of whom {gone} left the analysis."
