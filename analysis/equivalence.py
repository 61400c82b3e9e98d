"""Claims against a declared margin: non-inferiority, equivalence, and what both intervals say.

"Matches" is such a claim and needs a margin declared beforehand with its reason. Nothing here reads
a large p value of a test for a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from scipy import stats

from analysis.errors import UndefinedError
from analysis.paired import clean, hodges_lehmann, mean_difference, signed_rank
from analysis.permutation import Alternative, Floats

Test = Literal["signed-rank", "t"]
AgainstZero = Literal["better", "worse", "unclear"]
AgainstMargins = Literal["within", "above the lower only", "below the lower", "unclear"]


@dataclass(frozen=True, slots=True)
class Noninferiority:
    """A one-sided test of the difference against minus the margin."""

    p_value: float
    margin: float
    alpha: float
    test: Test

    @property
    def is_shown(self) -> bool:
        """Whether p is at or below alpha."""
        return self.p_value <= self.alpha


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Two one-sided tests against both margins, with the interval that goes with them."""

    p_lower: float
    """Against minus the margin."""
    p_upper: float
    """Against plus the margin."""
    p_value: float
    """The larger of the two."""
    low: float
    """Of the 1 - 2 alpha interval, rubric points."""
    high: float
    smallest_margin: float
    """The interval lies within every margin above this."""
    margin: float
    alpha: float
    test: Test

    @property
    def is_shown(self) -> bool:
        """Whether p is at or below alpha."""
        return self.p_value <= self.alpha


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two facts, and the name of their combination."""

    against_zero: AgainstZero
    against_margins: AgainstMargins
    words: str


def noninferiority(
    differences: Floats, *, margin: float, alpha: float = 0.025, test: Test = "signed-rank"
) -> Noninferiority:
    """Test whether the first arm is worse than the second by less than the margin.

    Args:
        differences: First arm minus second, more is better; shape (n_vignettes,).
        margin: Rubric points, above 0; declared in the protocol with its reason.
        alpha: One-sided level.
        test: Exact Pratt signed-rank on d + margin, or the t test.

    Raises:
        ValueError: If the margin is not above 0, or a difference is NaN.
        UndefinedError: If there are no pairs, or no test can be made of them.

    References:
        Piaggio et al. 2012, JAMA 308, 2594 (CONSORT, non-inferiority and equivalence).
    """
    p = _shifted_p(differences, _above_zero(margin), test, "greater")
    return Noninferiority(p, margin, alpha, test)


def equivalence(
    differences: Floats, *, margin: float, alpha: float = 0.05, test: Test = "signed-rank"
) -> Equivalence:
    """Two one-sided tests whether the arms differ by less than the margin.

    Args:
        differences: First arm minus second, rubric points; shape (n_vignettes,).
        margin: Rubric points, above 0; declared in the protocol with its reason.
        alpha: Level of each one-sided test.
        test: Signed-rank with the Hodges-Lehmann interval, or t with that of the mean.

    Raises:
        ValueError: If the margin is not above 0, or a difference is NaN.
        UndefinedError: If there are no pairs, or no test can be made of them.
        UnattainableError: If so few pairs cannot give the 1 - 2 alpha interval.

    References:
        Schuirmann 1987, J. Pharmacokinet. Biopharm. 15, 657 (two one-sided tests).
    """
    _above_zero(margin)
    p_lower = _shifted_p(differences, margin, test, "greater")
    p_upper = _shifted_p(differences, -margin, test, "less")
    confidence = 1 - 2 * alpha
    bounds = (
        mean_difference(differences, confidence=confidence)
        if test == "t"
        else hodges_lehmann(differences, confidence=confidence)
    )
    return Equivalence(
        p_lower, p_upper, max(p_lower, p_upper), bounds.low, bounds.high,
        max(-bounds.low, bounds.high), margin, alpha, test,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class MarginPoint:
    """p values at one margin of a curve; None where there is no test."""

    margin: float
    p_noninferiority: float | None
    p_equivalence: float | None


def margin_curve(differences: Floats, *, margins: Sequence[float]) -> tuple[MarginPoint, ...]:
    """P of both claims over margins: what the data would have supported, whatever was declared.

    Args:
        differences: First arm minus second, rubric points; shape (n_vignettes,).
        margins: Rubric points, each above 0.

    Raises:
        ValueError: If a margin is not above 0, or a difference is NaN.
    """
    points = []
    for margin in margins:
        _above_zero(margin)
        try:
            lower = _shifted_p(differences, margin, "signed-rank", "greater")
            upper = _shifted_p(differences, -margin, "signed-rank", "less")
            points.append(MarginPoint(margin, lower, max(lower, upper)))
        except UndefinedError:
            points.append(MarginPoint(margin, None, None))
    return tuple(points)


def verdict(
    low: float,
    high: float,
    *,
    margin: float,
    for_equivalence: tuple[float, float] | None = None,
) -> Verdict:
    """What an interval says against 0 and against the margins, by name.

    Args:
        low: Lower limit of the two-sided 95 % interval, first arm minus second.
        high: Upper limit.
        margin: Rubric points, above 0.
        for_equivalence: The 90 % interval on which equivalence is judged; the same one by default.

    Raises:
        ValueError: If the margin is not above 0, or an interval is upside down.

    References:
        Piaggio et al. 2012, JAMA 308, 2594, figure 1.

    >>> verdict(-0.4, -0.1, margin=0.5).words
    'worse, but by less than the margin'
    """
    _above_zero(margin)
    inner_low, inner_high = for_equivalence or (low, high)
    if low > high or inner_low > inner_high:
        raise ValueError(f"an interval is upside down: {(low, high)}, {(inner_low, inner_high)}")
    zero: AgainstZero = "better" if low > 0 else "worse" if high < 0 else "unclear"
    margins: AgainstMargins
    if -margin < inner_low and inner_high < margin:
        margins = "within"
    elif low > -margin:
        margins = "above the lower only"
    elif high <= -margin:
        margins = "below the lower"
    else:
        margins = "unclear"
    return Verdict(zero, margins, NAMES[zero, margins])


NAMES: dict[tuple[AgainstZero, AgainstMargins], str] = {
    ("better", "within"): "better, but by less than the margin",
    ("better", "above the lower only"): "better",
    ("unclear", "within"): "equivalent within the margin",
    ("unclear", "above the lower only"): "not worse by the margin (non-inferior)",
    ("unclear", "unclear"): "unclear",
    ("worse", "within"): "worse, but by less than the margin",
    ("worse", "above the lower only"): "worse, but by less than the margin",
    ("worse", "unclear"): "worse, whether by more than the margin is unclear",
    ("worse", "below the lower"): "worse by more than the margin",
}
"""Every combination that can occur, after figure 1 of Piaggio et al. 2012."""


def _above_zero(margin: float) -> float:
    if not (np.isfinite(margin) and margin > 0):
        raise ValueError(f"the margin is {margin}; it is a number of rubric points above 0")
    return margin


def _shifted_p(differences: Floats, shift: float, test: Test, alternative: Alternative) -> float:
    # Rounded again after the shift: -0.3 + 0.3 would otherwise be a difference of float noise.
    shifted = clean(clean(differences) + shift)
    if test == "signed-rank":
        return signed_rank(shifted, alternative=alternative).p_value
    if shifted.size < 2:
        raise UndefinedError("undefined: one pair has no spread")
    if np.ptp(shifted) == 0:
        raise UndefinedError("undefined: no variation, every difference is the same")
    t = float(shifted.mean() / (shifted.std(ddof=1) / sqrt(shifted.size)))
    upper = float(stats.t.sf(t, shifted.size - 1))
    return upper if alternative == "greater" else float(stats.t.cdf(t, shifted.size - 1))
