"""Tables on the ratings themselves: harm, agreement, repeats, blinding, robustness."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.agreement import Agreement, TestRetest
from analysis.attempts import NotComputed
from analysis.blinding import BlindingIndex
from analysis.harmed import MarkRow
from analysis.results import Results
from analysis.robustness import RobustRow
from analysis.table import Cells, Table, contrast_title, table_of
from analysis.wording import Cell, Footnoted, interval, not_computed, number, p_cell


def harm_table(results: Results) -> Table:
    """What raters marked in their second pass, by arm; empty where nobody was asked."""
    rows = results.harm.rows
    return table_of(
        results.dataset,
        "harm",
        f"{contrast_title(results.dataset)}: potential harm and key points",
        ("Mark", "First arm", "Second arm", "Difference", "Vignettes", "p",
         "Marked by anyone, first", "Marked by anyone, second"),
        () if isinstance(rows, NotComputed) else (_harm_row(results, row) for row in rows),
        "Share of responses, raters averaged within a response, respondents within a vignette; "
        "difference in percentage points with a bootstrap over vignettes; p by sign flips over "
        "vignettes, two-sided, not adjusted: descriptive.",
    )  # fmt: skip


def _harm_row(results: Results, row: MarkRow) -> Cells:
    pair = f", {row.contrast.first.label} \u2212 {row.contrast.second.label}"
    label = row.label + (pair if len(results.dataset.contrasts) > 1 else "")
    shares = row.shares
    if isinstance(shares, NotComputed):
        return (label, *[not_computed(shares)] * 7)
    points = number(100 * shares.difference, 1)
    bounds: Cell = (
        Footnoted(points, "no interval: fewer than five vignettes")
        if shares.low is None or shares.high is None
        else f"{points} ({number(100 * shares.low, 1)} to {number(100 * shares.high, 1)})"
    )
    return (
        label,
        f"{100 * shares.first:.1f} %",
        f"{100 * shares.second:.1f} %",
        bounds,
        str(shares.n_vignettes),
        Footnoted("\u2013", "no vignette differs")
        if shares.p_value is None
        else p_cell(shares.p_value),
        f"{shares.by_any_first} of {shares.n_first}",
        f"{shares.by_any_second} of {shares.n_second}",
    )


def agreement_table(results: Results) -> Table:
    """Inter-rater reliability, overall and by arm."""
    confidence = 100 * float(results.dataset.protocol["analysis"]["confidence"])
    return table_of(
        results.dataset,
        "agreement",
        "Agreement between raters",
        ("Dimension", "Responses", "n", "ICC(A,1)", "ICC(A,k)", "ICC(C,k)",
         "Krippendorff's alpha", "Gwet's AC2", "Identical", "Within one point"),
        (_agreement_row(row) for row in results.agreement),
        f"{confidence:g} % intervals by a bootstrap of whole vignettes. ICC(A,1): one rater, "
        "absolute agreement; ICC(A,k): the mean of all; ICC(C,k): the same, raters' levels apart; "
        "with missing ratings by restricted maximum likelihood. Alpha: ordinal. AC2: quadratic "
        "weights over the whole scale; it stands where alpha falls because ratings pile up. "
        "Identical and within one point: share of the pairs of ratings of one response.",
    )  # fmt: skip


def _agreement_row(row: Agreement) -> Cells:
    return (
        row.dimension.label, row.scope, str(row.n_responses), interval(row.icc_single),
        _plain(row.icc_mean), _plain(row.icc_consistency), interval(row.alpha),
        interval(row.gwet), _share(row.exact), _share(row.within_one),
    )  # fmt: skip


def rater_table(results: Results) -> Table:
    """How each rater uses the scale, and each pair's weighted kappa."""
    return table_of(
        results.dataset,
        "raters",
        "Raters one by one and in pairs",
        ("Dimension", "Rater or pair", "Ratings", "Mean", "Standard deviation",
         "Weighted kappa"),
        _rater_rows(results),
        "Over all responses. Weighted kappa: quadratic weights, of the two raters' common "
        "responses.",
    )  # fmt: skip


def _rater_rows(results: Results) -> Iterator[Cells]:
    nothing = "\u2013"
    for row in results.agreement:
        if row.scope != "all responses":
            continue
        for scale in row.scales:
            spread = nothing if scale.sd is None else number(scale.sd)
            yield (
                row.dimension.label, scale.rater, str(scale.n), number(scale.mean), spread, nothing,
            )  # fmt: skip
        for pair in row.pairs:
            name = f"{pair.first} and {pair.second}"
            yield (
                row.dimension.label, name, nothing, nothing, nothing, _plain(pair.kappa),
            )  # fmt: skip


def test_retest_table(results: Results) -> Table:
    """Hidden repeats; empty where the study has none."""
    return table_of(
        results.dataset,
        "test_retest",
        "The same rater on the same response twice",
        ("Dimension", "Pairs", "ICC(A,1)", "Weighted kappa", "Identical",
         "Second minus first", "Limits of agreement"),
        (_test_retest_row(row) for row in results.test_retest),
        "Hidden repeats only; the first presentation enters every other analysis. Limits: "
        "Bland and Altman, 95 %.",
    )  # fmt: skip


def _test_retest_row(row: TestRetest) -> Cells:
    limits = (
        "\u2013"
        if row.low is None or row.high is None
        else f"{number(row.low)} to {number(row.high)}"
    )
    return (
        row.dimension.label, str(row.n_pairs), interval(row.icc_single), interval(row.kappa),
        _share(row.identical), number(row.bias), limits,
    )  # fmt: skip


def blinding_table(results: Results) -> Table:
    """Guesses of the source; empty where raters were not asked."""
    first, second = results.dataset.first.label, results.dataset.second.label
    return table_of(
        results.dataset,
        "blinding",
        "What raters guessed",
        ("Rater", f"{first}: right, wrong, unsure", f"{second}: right, wrong, unsure",
         f"Bang, {first}", f"Bang, {second}", "James"),
        _blinding_rows(results),
        "Bang: 1 if all guess right, 0 as by chance, \u22121 if all guess wrong. James: 1 if none "
        "knows, 0.5 as by chance, 0 if all guess right. 95 % limits that take guesses as "
        f"independent; for all raters by a bootstrap of {results.blinded.clusters}.",
    )  # fmt: skip


def _blinding_rows(results: Results) -> Iterator[Cells]:
    blinded = results.blinded
    if isinstance(blinded.guesses, NotComputed):
        return
    for place, row in enumerate(blinded.guesses):
        (a, b), (c, d), (e, f) = row.counts
        pooled = place == 0
        indices: tuple[Cell, Cell, Cell]
        if pooled and not isinstance(blinded.bang_intervals, NotComputed):
            one, other = blinded.bang_intervals
            indices = (interval(one), interval(other), interval(blinded.james_interval))
        elif isinstance(row.bang, NotComputed):
            indices = (not_computed(row.bang), not_computed(row.bang), _index(row.james))
        else:
            indices = (_index(row.bang.arms[0]), _index(row.bang.arms[1]), _index(row.james))
        yield (row.rater, f"{a}, {c}, {e}", f"{d}, {b}, {f}", *indices)


def _index(index: BlindingIndex | NotComputed) -> Cell:
    if isinstance(index, NotComputed):
        return not_computed(index)
    return f"{number(index.value)} ({number(index.low)} to {number(index.high)})"


def robustness_table(results: Results) -> Table:
    """The difference with one thing left out, in parts, and in another order."""
    return table_of(
        results.dataset,
        "robustness",
        f"{results.dataset.first.label} minus {results.dataset.second.label}: robustness",
        ("Dimension", "Variation", "Which", "Vignettes or ratings", "Hodges-Lehmann or rho", "p"),
        (_robust_row(row) for row in results.robustness),
        "Not adjusted, descriptive. Best, median and worst respondent are chosen by the same "
        "scores, so the comparison with them is flattered or belittled. Rho: Spearman's rank "
        "correlation of one rater's scores.",
    )  # fmt: skip


def _robust_row(row: RobustRow) -> Cells:
    value: Cell = Footnoted("\u2013", row.note or "not computed")
    if row.value is not None:
        words = number(row.value)
        bounds = row.low is not None and row.high is not None
        value = f"{words} ({number(row.low or 0)} to {number(row.high or 0)})" if bounds else words
    return (
        row.dimension, row.kind, row.name, str(row.n_vignettes), value,
        "\u2013" if row.p_value is None else p_cell(row.p_value),
    )  # fmt: skip


def _plain(value: float | NotComputed) -> Cell:
    return not_computed(value) if isinstance(value, NotComputed) else number(value)


def _share(value: float | NotComputed) -> Cell:
    return not_computed(value) if isinstance(value, NotComputed) else f"{100 * value:.0f} %"
