"""The same difference with one thing left out, in parts, and in another order; descriptive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.dataset import Contrast, Dataset
from analysis.differences import difference_values, respondent_differences
from analysis.errors import UndefinedError
from analysis.paired import hodges_lehmann, signed_rank
from analysis.permutation import Floats
from analysis.scores import Scores, scores_of

MOST_LEFT_OUT = 60
"""More vignettes, raters or respondents are not left out one by one."""


@dataclass(frozen=True, slots=True)
class RobustRow:
    """One variation of the analysis of one dimension."""

    dimension: str
    kind: str
    """leave one rater out, resident alone, stratum, category, half, position, length."""
    name: str
    n_vignettes: int
    value: float | None
    """Hodges-Lehmann, rubric points; a rank correlation for position and length."""
    low: float | None
    high: float | None
    p_value: float | None
    note: str = ""


def robustness_rows(dataset: Dataset) -> tuple[RobustRow, ...]:
    """The panel for the main contrast, dimension by dimension."""
    contrast = dataset.contrasts[0]
    rows: list[RobustRow] = []
    for dimension in dataset.dimensions:
        scores = scores_of(dataset, dimension).of_arms(contrast.first.id, contrast.second.id)
        rows += _left_out(scores, contrast)
        rows += _one_respondent(scores, contrast)
        rows += _strata(dataset, scores, contrast)
        rows += _categories(dataset, scores, contrast)
        rows += _halves(dataset, scores, contrast)
        rows += _correlations(dataset, scores)
    return tuple(rows)


def _row(scores: Scores, contrast: Contrast, kind: str, name: str, note: str = "") -> RobustRow:
    d = difference_values(scores, contrast)
    return _summary(scores.dimension.label, kind, name, d[np.isfinite(d)], note)


def _summary(dimension: str, kind: str, name: str, d: Floats, note: str = "") -> RobustRow:
    value = low = high = p = None
    try:
        bounds = hodges_lehmann(d)
        value, low, high = bounds.value, bounds.low, bounds.high
    except UndefinedError as error:
        value = getattr(error, "value", None)
        note = note or str(error)
    try:
        p = signed_rank(d).p_value
    except UndefinedError as error:
        note = note or str(error)
    return RobustRow(dimension, kind, name, int(d.size), value, low, high, p, note)


def _left_out(scores: Scores, contrast: Contrast) -> Iterator[RobustRow]:
    if len(scores.raters) <= MOST_LEFT_OUT and len(scores.raters) > 1:
        for place, rater in enumerate(scores.raters):
            kept = np.arange(len(scores.raters)) != place
            yield _row(scores.keep(raters=kept), contrast, "leave one rater out", rater)
    respondents = np.unique(scores.respondent)
    for place in respondents.tolist() if respondents.size <= MOST_LEFT_OUT else []:
        without = scores.keep(scores.respondent != place)
        if {contrast.first.id, contrast.second.id} <= set(without.arm.tolist()):
            name = scores.respondents[place]
            yield _row(without, contrast, "leave one respondent out", name)
    d = difference_values(scores, contrast)
    there = np.flatnonzero(np.isfinite(d))
    for place in there.tolist() if there.size <= MOST_LEFT_OUT else []:
        yield _summary(
            scores.dimension.label, "leave one vignette out", scores.vignettes[place],
            d[there[there != place]],
        )  # fmt: skip


def _one_respondent(scores: Scores, contrast: Contrast) -> Iterator[RobustRow]:
    """Against the best, the median and the worst respondent of the larger arm."""
    try:
        table, names, _ = respondent_differences(scores, contrast)
    except UndefinedError:
        return
    means = np.array([column[np.isfinite(column)].mean() if np.isfinite(column).any() else np.nan
                      for column in table.T])  # fmt: skip
    if not np.isfinite(means).any():
        return
    ranked = np.argsort(np.where(np.isfinite(means), means, np.inf), kind="stable")
    ranked = ranked[: int(np.isfinite(means).sum())]
    note = "chosen by the same scores, so flattered or belittled"
    chosen = {"best": ranked[0], "median": ranked[(ranked.size - 1) // 2], "worst": ranked[-1]}
    for which, place in chosen.items():
        d = table[np.isfinite(table[:, place]), place]
        yield _summary(
            scores.dimension.label, "one respondent", f"{which} ({names[place]})", d, note
        )


def _strata(dataset: Dataset, scores: Scores, contrast: Contrast) -> Iterator[RobustRow]:
    stratum = {str(row["respondent_id"]): row["stratum"] for row in dataset.tables["respondents"]}
    of_response = [stratum.get(scores.respondents[place]) for place in scores.respondent]
    named = sorted({str(s) for s in of_response if s})
    single = {a.id for a in (contrast.first, contrast.second)
              if np.unique(scores.respondent[scores.arm == a.id]).size == 1}  # fmt: skip
    for name in named if len(named) > 1 else []:
        member = np.array([s == name for s in of_response]) | np.isin(scores.arm, list(single))
        yield _row(scores.keep(member), contrast, "stratum", name)


def _categories(dataset: Dataset, scores: Scores, contrast: Contrast) -> Iterator[RobustRow]:
    category = [str(row["category"] or "") for row in dataset.tables["vignettes"]]
    for name in sorted(set(category) - {""}):
        member = np.array([c == name for c in category])
        yield _row(
            scores.keep(member[scores.vignette]), contrast, "category", name, "descriptive only"
        )


def _halves(dataset: Dataset, scores: Scores, contrast: Contrast) -> Iterator[RobustRow]:
    """Each rater's first and second half of responses."""
    position = _by_rating(dataset, scores, "position")
    if position is None:
        return
    with np.errstate(all="ignore"):
        middle = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else np.nan
                           for c in position.T])  # fmt: skip
    for name, chosen in (("first", position <= middle), ("second", position > middle)):
        yield _row(scores.hide(~chosen), contrast, "half of the ratings", name)


def _correlations(dataset: Dataset, scores: Scores) -> Iterator[RobustRow]:
    words = {
        str(row["blinding_code"]): float(len(str(row["masked_text"]).split()))
        for row in dataset.tables["responses"]
        if row["masked_text"]
    }
    position = _by_rating(dataset, scores, "position")
    codes = _codes(dataset, scores)
    length = np.array([words.get(code, np.nan) for code in codes])
    for place, rater in enumerate(scores.raters):
        given = scores.values[:, place]
        if position is not None:
            yield _rank(scores, "score against position", rater, given, position[:, place])
        if words:
            yield _rank(scores, "score against length", rater, given, length)


def _rank(scores: Scores, kind: str, rater: str, given: Floats, other: Floats) -> RobustRow:
    both = np.isfinite(given) & np.isfinite(other)
    label = scores.dimension.label
    if both.sum() < 3 or np.ptp(given[both]) == 0 or np.ptp(other[both]) == 0:
        return RobustRow(
            label, kind, rater, int(both.sum()), None, None, None, None, "no variation"
        )
    rho = float(stats.spearmanr(given[both], other[both]).statistic)
    return RobustRow(label, kind, rater, int(both.sum()), rho, None, None, None, "Spearman's rho")


def _codes(dataset: Dataset, scores: Scores) -> Sequence[str]:
    """Blinding code of each response of `scores`."""
    code = {
        (str(r["vignette_id"]), str(r["respondent_id"])): str(r["blinding_code"])
        for r in dataset.tables["responses"]
        if r["blinding_code"] is not None
    }
    return [
        code[scores.vignettes[v], scores.respondents[p]]
        for v, p in zip(scores.vignette, scores.respondent, strict=True)
    ]


def _by_rating(dataset: Dataset, scores: Scores, column: str) -> Floats | None:
    """A column of the ratings in the shape of the scores; None where it is empty."""
    line: Mapping[str, int] = {code: place for place, code in enumerate(_codes(dataset, scores))}
    place = {rater: number for number, rater in enumerate(scores.raters)}
    values: Floats = np.full(scores.values.shape, np.nan)
    for row in dataset.final_ratings():
        if row[column] is not None and str(row["blinding_code"]) in line:
            values[line[str(row["blinding_code"])], place[str(row["rater_id"])]] = row[column]
    return values if np.isfinite(values).any() else None
