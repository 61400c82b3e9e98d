"""Records of people who withdrew from a study whose protocol takes them out of the analysis.

They stay in the archive and its digests; the analysis reads none of them.
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


def withdrawal_sentence(dataset: Dataset) -> str:
    """How many left, and how many of them left the analysis; empty where nobody did."""
    rows = dataset.tables["withdrawals"]
    if not rows:
        return ""
    gone = sum(row["disposition"] == LEAVES for row in rows)
    return f" Withdrawals: {len(rows)}, of whom {gone} left the analysis."
