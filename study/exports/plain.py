"""Plain CSV of a study's answers and ratings, in the columns that `safemed import` reads.

A blank is a missing value; every other cell stands byte for byte as in the frozen dataset. A
clinician's unanswered vignette is a row with the status `missing`. A model's responses are not
here: their way in is the responses directory that `safemed take-in` reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from study.canonical import Cell
from study.csv_files import write_csv
from study.exports.frozen import Frozen
from study.exports.places import fresh_directory

RESPONSES = (
    "respondent", "arm", "stratum", "vignette_id", "status", "text", "confidence", "position",
    "answered_at",
)  # fmt: skip
AMENDED = ("amend rating", "import rating")
"""Actions of the audit whose details hold the reason of a corrected rating."""


def write_plain(frozen: Frozen, out: Path) -> Path:
    """Write `responses.csv` and `ratings.csv`.

    Args:
        frozen: A frozen dataset.
        out: A directory to make.

    Raises:
        StudyError: If `out` holds something already.
    """
    scores = [str(dimension["id"]) for dimension in frozen.dimensions]
    ratings = (
        "rater", "response", *scores, "comment", "harm_severity", "harm_likelihood", "rated_at",
        "revision", "reason",
    )  # fmt: skip
    with fresh_directory(out) as directory:
        write_csv(directory / "responses.csv", RESPONSES, _responses(frozen))
        write_csv(directory / "ratings.csv", ratings, _ratings(frozen, scores))
    return out


def _responses(frozen: Frozen) -> list[list[object]]:
    people = {row["respondent_id"]: row for row in frozen.rows("respondents")}
    rows = []
    for row in frozen.rows("responses"):
        person = people[row["respondent_id"]]
        if person["kind"] == "model":
            continue
        rows.append(
            [
                row["respondent_id"], row["arm"], person["stratum"], row["vignette_id"],
                row["status"], row["text"], row["confidence"], row["position"], row["submitted_at"],
            ]
        )  # fmt: skip
    rows.sort(key=lambda cells: (str(cells[0]), int(cells[7] or 0)))
    return [_blank_where_missing(cells) for cells in rows]


def _ratings(frozen: Frozen, scores: list[str]) -> list[list[object]]:
    reasons = _reasons(frozen)
    harms = {(row["rater_id"], row["blinding_code"]): row for row in frozen.rows("harms")}
    rows = []
    for row in frozen.rows("ratings"):
        harm: Mapping[str, Cell] = {}
        if row["final"]:
            harm = harms.get((row["rater_id"], row["blinding_code"]), {})
        rows.append(
            [
                row["rater_id"], row["blinding_code"], *(row[name] for name in scores),
                row["comment"], harm.get("severity"), harm.get("likelihood"), row["submitted_at"],
                row["revision"], reasons.get(str(row["rating_id"])),
            ]
        )  # fmt: skip
    rows.sort(key=lambda cells: (str(cells[0]), str(cells[1]), int(cells[-2] or 0)))
    return [_blank_where_missing(cells) for cells in rows]


def _reasons(frozen: Frozen) -> dict[str, str]:
    """Why each correction was made, by the id of the rating that it made."""
    details = {
        str(event["subject"]): json.loads(str(event["details"]))
        for event in frozen.rows("audit")
        if event["action"] in AMENDED
    }
    return {rating_id: said["reason"] for rating_id, said in details.items() if said.get("reason")}


def _blank_where_missing(cells: list[Cell]) -> list[object]:
    return ["" if cell is None else cell for cell in cells]
