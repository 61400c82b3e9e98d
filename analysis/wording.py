"""Numbers and findings in words that a journal would print; never "matches" from a large p."""

from __future__ import annotations

from analysis.dataset import FrozenDataset
from analysis.effects import Interval
from analysis.paired import HodgesLehmann, SignedRank
from analysis.results import DimensionResult, NotComputed


def number(value: float, decimals: int = 2) -> str:
    """A number with a real minus sign and no negative zero."""
    rounded = round(value, decimals)
    return f"{rounded if rounded else 0.0:.{decimals}f}".replace("-", "\u2212")


def p_in_words(p_value: float) -> str:
    """A p value as journals print it."""
    return "p < .001" if p_value < 0.001 else f"p = {p_value:.3f}".replace("0.", ".", 1)


def interval(value: Interval | HodgesLehmann | NotComputed, decimals: int = 2) -> str:
    """Value with its interval, or the reason why there is none."""
    if isinstance(value, NotComputed):
        return value.reason
    low, high = number(value.low, decimals), number(value.high, decimals)
    return f"{number(value.value, decimals)} ({low} to {high})"


def finding(dataset: FrozenDataset, result: DimensionResult) -> str:
    """One sentence or two on one dimension: estimate, interval, p, and what it leaves open."""
    label = result.dimension.label
    if isinstance(result.test, NotComputed):
        return f"{label}: no test, {result.test.reason}."
    return (
        f"{label}: {_estimate(dataset, result)} ({_evidence(result, result.test)}). "
        f"{_reading(dataset, result)}"
    )


def _estimate(dataset: FrozenDataset, result: DimensionResult) -> str:
    first, second = dataset.first.label, dataset.second.label
    if isinstance(result.hodges_lehmann, HodgesLehmann):
        value = result.hodges_lehmann.value
        words = "scored higher than" if value > 0 else "scored lower than"
        if value == 0:
            return f"the median difference between {first} and {second} was 0 points"
        return f"{first} {words} {second} by {number(abs(value))} points"
    if isinstance(result.mean, NotComputed):
        return f"{first} and {second} could not be told apart or compared"
    return f"{first} and {second} differed by {number(result.mean.value)} points on average"


def _evidence(result: DimensionResult, test: SignedRank) -> str:
    bounds = result.hodges_lehmann
    shown = (
        f"interval {number(bounds.low)} to {number(bounds.high)}, attained confidence "
        f"{bounds.confidence:.1%}"
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


def _reading(dataset: FrozenDataset, result: DimensionResult) -> str:
    alpha = float(dataset.protocol["analysis"]["alpha"])
    if result.p_adjusted is not None and result.p_adjusted < alpha:
        return f"The difference holds after adjustment at the level {alpha:g}."
    bounds = result.hodges_lehmann
    if isinstance(bounds, NotComputed):
        return "With so few vignettes nothing can be said about the size of the difference."
    return (
        f"No difference is shown, and none is excluded: anything from {_signed(bounds.low)} to "
        f"{_signed(bounds.high)} points remains possible."
    )


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)
