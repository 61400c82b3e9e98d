"""What the codes of a column stand for, and on what scale its numbers run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from study.exports.frozen import Frozen
from study.exports.meanings import COUNTED, UNITS
from study.exports.odm_names import code_lists
from study.exports.scores import better_end

Coding = Sequence[tuple[str, str]]
"""Each code with its words, in the order of the scale."""

AS_LIST = {
    "respondents.arm": "arm", "responses.arm": "arm", "guesses.guess": "arm",
    "responses.status": "status", "responses.failure": "failure",
    "responses.confidence": "confidence", "guesses.confidence": "confidence",
}  # fmt: skip
"""Columns whose codes are those of a list that the ODM file has as well."""
FIXED: dict[str, Coding] = {
    "respondents.kind": (("clinician", "a person"), ("model", "a model checkpoint")),
    "assignments.status": (("rated", "scores were submitted"), ("missing", "none was")),
    "vignettes.difficulty": (("low", ""), ("medium", ""), ("high", "")),
    "withdrawals.disposition": (
        ("keep submitted", "what was submitted stays in the analysis"),
        ("leave analysis", "the analysis reads none of it"),
    ),
    "rating_notes.kind": (
        ("flag", "told to the study team"),
        ("conflict", "given back for a conflict of interest"),
    ),
    "approvals.verb": (("lock", ""), ("unblind", ""), ("code break", "of one response")),
}
KEY_MARKS: Coding = (
    ("must_met", "a must of the key is in the response"),
    ("should_met", "a should of the key is in it"),
    ("bonus_met", "a bonus of the key is in it"),
    ("critical_error", "it makes a critical error of the key"),
)
HARM_MARKS: Coding = (
    ("harm_any", "the rater sees harm of any severity"),
    ("harm_severe", "the rater sees severe harm"),
)
SCORED = ("ratings", "repeat_ratings")


def coding_of(frozen: Frozen, table: str, column: str) -> Coding:
    """The codes of a column, or none where its values speak for themselves."""
    name = f"{table}.{column}"
    if name in FIXED:
        return FIXED[name]
    if table == "harms" and column in ("severity", "likelihood"):
        return _levels(frozen, column)
    if name == "marks.kind":
        return _marks(frozen)
    if name == "adjudications.dimension":
        return [(str(d["id"]), str(d["label"])) for d in frozen.dimensions]
    lists = code_lists([dict(row) for row in frozen.rows("responses")], frozen.protocol)
    wanted = AS_LIST.get(name) or (column if _dimension(frozen, table, column) else "")
    return [(code, _bare(code, words)) for code, words in lists.get(wanted, ("", []))[1]]


def _bare(code: str, words: str) -> str:
    """Words that do not begin by saying the code again."""
    return words.removeprefix(code).strip(" ()") if words.startswith(code) else words


def unit_of(frozen: Frozen, table: str, column: str, kind: str) -> str:
    """Unit or scale of a column, with its direction where it is a score; empty for words."""
    name = f"{table}.{column}"
    if name in UNITS:
        return UNITS[name]
    if kind == "datetime":
        return "aware UTC, ISO 8601"
    if kind == "boolean":
        return "true or false"
    if name == "adjudications.score":
        return "rubric points on the dimension's scale"
    if dimension := _dimension(frozen, table, column):
        scale = dimension["scale"]
        ends = f"{scale['minimum']:g} to {scale['maximum']:g}"
        return f"rubric points, {ends}, {better_end(dimension)}"
    return "counts from 1" if kind == "integer" and column in COUNTED else ""


def _dimension(frozen: Frozen, table: str, column: str) -> Mapping[str, Any] | None:
    if table not in SCORED:
        return None
    return next((d for d in frozen.dimensions if d["id"] == column), None)


def _levels(frozen: Frozen, column: str) -> Coding:
    harm = frozen.protocol["rating"].get("harm") or {}
    levels = harm.get("severities" if column == "severity" else "likelihoods", [])
    return [(str(level["id"]), str(level["label"])) for level in levels]


def _marks(frozen: Frozen) -> Coding:
    """Every kind that the protocol's questions can give."""
    design = frozen.protocol["rating"]
    asked = design.get("second_pass") or {}
    errors = [(str(e["id"]), str(e["label"])) for e in asked.get("errors", [])]
    return [
        *(HARM_MARKS if design.get("harm") else ()),
        *(KEY_MARKS if asked.get("key_points") else ()),
        *([("omission", "something that matters is missing")] if asked.get("omission") else ()),
        *([("over_caution", "what was right is changed or delayed")]
          if asked.get("over_caution") else ()),
        *errors,
    ]  # fmt: skip
