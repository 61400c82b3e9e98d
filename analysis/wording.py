"""Numbers and findings in words that a journal would print; never "matches" from a large p."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.attempts import NotComputed
from analysis.dataset import Dataset, Dimension
from analysis.paired import HodgesLehmann, MeanDifference, SignedRank
from analysis.primary import DimensionResult
from analysis.values import Interval


@dataclass(frozen=True, slots=True)
class Footnoted:
    """A cell whose reason stands below the table."""

    text: str
    why: str


Cell = str | Footnoted


def number(value: float, decimals: int = 2) -> str:
    """A number with a real minus sign and no negative zero."""
    rounded = round(value, decimals)
    return f"{rounded if rounded else 0.0:.{decimals}f}".replace("-", "\u2212")


def signed(value: float) -> str:
    """A number with its sign, so that a range around 0 reads well."""
    words = number(value)
    return words if words == "0.00" or value < 0 else f"+{words}"


def p_in_words(p_value: float) -> str:
    """A p value as journals print it."""
    return "p < .001" if p_value < 0.001 else f"p = {p_value:.3f}".replace("0.", ".", 1)


def p_cell(p_value: float) -> str:
    """A p value in a table, four decimals; a tiny one is never printed as 0."""
    return "<0.0001" if p_value < 0.0001 else f"{p_value:.4f}"


def not_computed(reason: NotComputed, decimals: int = 2) -> Footnoted:
    """The value without its interval, or a dash, with the reason as a footnote."""
    shown = "\u2013" if reason.value is None else number(reason.value, decimals)
    return Footnoted(shown, reason.reason)


def interval(
    value: Interval | HodgesLehmann | MeanDifference | NotComputed, decimals: int = 2
) -> Cell:
    """Value with its interval, or the reason why there is none."""
    if isinstance(value, NotComputed):
        return not_computed(value, decimals)
    low, high = number(value.low, decimals), number(value.high, decimals)
    return f"{number(value.value, decimals)} ({low} to {high})"


def finding(dataset: Dataset, result: DimensionResult) -> str:
    """One sentence or two on one dimension: estimate, interval, p, and what it leaves open."""
    label = result.dimension.label
    if isinstance(result.test, NotComputed):
        return f"{label}: no test, {result.test.reason}."
    return (
        f"{label}: {_estimate(result)} ({_evidence(result, result.test)}). "
        f"{_reading(dataset, result)}{_claimed(result)}"
    )


def _claimed(result: DimensionResult) -> str:
    """What holds against the declared margin, in the words of the table of combinations."""
    claims = result.claims
    if claims is None or isinstance(claims.verdict, NotComputed):
        return ""
    return f" Against the margin of {claims.margin.points:g} points: {claims.verdict.words}."


def _estimate(result: DimensionResult) -> str:
    first, second = result.contrast.first.label, result.contrast.second.label
    value = result.hodges_lehmann.value
    if value is None:
        return f"{first} against {second} has no estimate"
    if value == 0:
        return f"the median difference between {first} and {second} was 0 points"
    size = "less than 0.01" if abs(value) < 0.005 else number(abs(value))
    return f"{first} scored {size} points {_compared(result.dimension, value)} than {second}"


def _compared(dimension: Dimension, value: float) -> str:
    # Differences are turned so that more is better; on a scale where less is better, "higher"
    # would say the opposite of what raters clicked.
    if dimension.higher_is_better:
        return "higher" if value > 0 else "lower"
    return "better" if value > 0 else "worse"


def _evidence(result: DimensionResult, test: SignedRank) -> str:
    bounds = result.hodges_lehmann
    shown = (
        f"{100 * bounds.confidence:.3g} % interval {signed(bounds.low)} to {signed(bounds.high)}"
        if isinstance(bounds, HodgesLehmann)
        else bounds.reason
    )
    adjusted = (
        "not adjusted"
        if result.p_adjusted is None
        else f"Holm-adjusted {p_in_words(result.p_adjusted)}"
    )
    return (
        f"{shown}; {test.method} signed-rank {p_in_words(test.p_value)}, {adjusted}; "
        f"{test.n_pairs} vignettes"
    )


def _reading(dataset: Dataset, result: DimensionResult) -> str:
    """What the evidence carries; a large p says only what the interval leaves open."""
    alpha = float(dataset.protocol["analysis"]["alpha"])
    bounds = result.hodges_lehmann
    if result.p_adjusted is not None and result.p_adjusted < alpha:
        return f"The direction holds after adjustment at the level {alpha:g}."
    if isinstance(bounds, NotComputed):
        return "So few vignettes leave both the direction and the size open."
    if bounds.low <= 0 <= bounds.high:
        return (
            f"The direction stays open: anything from {signed(bounds.low)} to "
            f"{signed(bounds.high)} points is compatible with these ratings."
        )
    if result.p_adjusted is not None:
        return (
            "The interval taken alone leaves out 0, but adjusted for the whole family the evidence "
            f"does not reach the level {alpha:g}."
        )
    if result.dimension.id in dataset.protocol["primary"]["family"]:
        return "No claim is made: a member of the family has no p, so nothing could be adjusted."
    return "Descriptive: this dimension is outside the declared family."
