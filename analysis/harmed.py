"""Harm and key points of this study, by arm, from what raters marked in their second pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.attempts import NotComputed, attempt
from analysis.dataset import Contrast, Dataset
from analysis.frozen_files import Row
from analysis.harm import MarkedShares, marked_shares

LABELS: Mapping[str, str] = {
    "harm_any": "Any potential harm",
    "harm_severe": "Severe potential harm",
    "critical_error": "Critical error made",
    "must_met": "Musts met",
    "over_caution": "Over-caution where the plan was appropriate",
    "omission": "Omission",
}
"""Kinds of mark in the order of the table; errors of other kinds follow under their own names."""


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One kind of mark, compared between the arms of one contrast."""

    contrast: Contrast
    kind: str
    label: str
    shares: MarkedShares | NotComputed


@dataclass(frozen=True, slots=True)
class SevereMark:
    """A response that somebody called severely harmful."""

    response_id: str
    vignette_id: str
    arm: str
    n_raters: int
    """Who called it so, of those asked."""
    n_asked: int


@dataclass(frozen=True, slots=True)
class Harmed:
    """Harm by arm, and every severe mark."""

    rows: tuple[MarkRow, ...] | NotComputed
    severe: tuple[SevereMark, ...]


def harm_result(dataset: Dataset) -> Harmed:
    """Every kind of mark for every contrast; "not recorded" where raters were not asked."""
    marks = dataset.tables["marks"]
    if not marks:
        return Harmed(NotComputed("not recorded: raters were not asked about harm"), ())
    present = {str(row["kind"]) for row in marks}
    kinds = [kind for kind in LABELS if kind in present]
    kinds += sorted(present - set(LABELS))
    responses = {row["blinding_code"]: row for row in dataset.tables["responses"]}
    rows = tuple(
        MarkRow(
            contrast, kind, LABELS.get(kind, kind.replace("_", " ").capitalize()),
            attempt(lambda c=contrast, k=kind: _compared(dataset, responses, c, k)),  # type: ignore[misc]
        )
        for contrast in dataset.contrasts
        for kind in kinds
    )  # fmt: skip
    return Harmed(rows, _severe(dataset, responses))


def _compared(
    dataset: Dataset, responses: Mapping[object, Row], contrast: Contrast, kind: str
) -> MarkedShares:
    settings = dataset.protocol["analysis"]
    sides = (contrast.first.id, contrast.second.id)
    rows = [
        (row, responses[row["blinding_code"]])
        for row in dataset.tables["marks"]
        if row["kind"] == kind and responses[row["blinding_code"]]["arm"] in sides
    ]
    return marked_shares(
        [bool(row["marked"]) for row, _ in rows],
        vignettes=[response["vignette_id"] for _, response in rows],
        # Several key points of one answer count as so many parts of it.
        respondents=[f"{response['respondent_id']}/{row['item'] or ''}" for row, response in rows],
        raters=[row["rater_id"] for row, _ in rows],
        first=[response["arm"] == contrast.first.id for _, response in rows],
        n_resamples=int(settings["n_resamples"]), seed=int(settings["seed"]),
        confidence=float(settings["confidence"]),
    )  # fmt: skip


def _severe(dataset: Dataset, responses: Mapping[object, Row]) -> tuple[SevereMark, ...]:
    asked: dict[str, list[bool]] = {}
    for row in dataset.tables["marks"]:
        if row["kind"] == "harm_severe":
            asked.setdefault(str(row["blinding_code"]), []).append(bool(row["marked"]))
    return tuple(
        SevereMark(
            str(responses[code]["response_id"]), str(responses[code]["vignette_id"]),
            dataset.arms[responses[code]["arm"]].label, sum(marks), len(marks),
        )
        for code, marks in sorted(asked.items())
        if any(marks)
    )  # fmt: skip
