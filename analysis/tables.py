"""Every table of the report, in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from analysis.attempts import NotComputed
from analysis.effects import PairedSuperiority
from analysis.equivalence import Equivalence
from analysis.paired import SignedRank
from analysis.primary import DimensionResult
from analysis.results import Results
from analysis.table import Cells, Table, contrast_title, row_name, table_of
from analysis.tables_rating import (
    agreement_table,
    blinding_table,
    harm_table,
    rater_table,
    robustness_table,
    test_retest_table,
)
from analysis.wording import Cell, Footnoted, interval, not_computed, number, p_cell


def all_tables(results: Results) -> tuple[Table, ...]:
    """Every table of the report, in its order; one without a row is left out."""
    makers: tuple[Callable[[Results], Table], ...] = (
        flow_table, harm_table, primary_table, effects_table, claims_table, sensitivity_table,
        models_table, agreement_table, rater_table, test_retest_table, blinding_table,
        robustness_table,
    )  # fmt: skip
    return tuple(table for table in (make(results) for make in makers) if table.rows)


def flow_table(results: Results) -> Table:
    """Failures and missing by arm."""
    kinds = "; ".join(
        f"{f.label}: {', '.join(f'{n} {_in_words(kind)}' for kind, n in f.failures)}"
        for f in results.flow
        if f.failures
    )
    return table_of(
        results.dataset,
        "flow",
        "Responses and ratings by arm",
        ("Arm", "Respondents", "Planned", "Submitted", "Failed generations", "Unanswered",
         "Ratings allocated", "Ratings given", "Ratings missing"),
        (
            (f.label, *map(str, (f.n_respondents, f.n_planned, f.n_submitted, f.n_failed,
                                 f.n_missing, f.n_ratings_planned, f.n_ratings,
                                 f.n_ratings_missing)))
            for f in results.flow
        ),
        f"Failed generations by kind: {kinds}." if kinds else "No generation failed.",
    )  # fmt: skip


def _in_words(kind: str) -> str:
    return kind.replace("_", " ")


def primary_table(results: Results) -> Table:
    """The signed-rank tests with the adjusted p."""
    dataset = results.dataset
    protocol, first = dataset.protocol, dataset.first.label
    methods = {r.test.method for r in results.dimensions if isinstance(r.test, SignedRank)}
    turned = [d.label for d in dataset.dimensions if not d.higher_is_better]
    n_family = len(protocol["primary"]["family"]) * len(dataset.contrasts)
    note = (
        "Unit: the vignette. Means in points of the raters' scale. Zeros by "
        f"{protocol['analysis']['zeros'].capitalize()}; p {' or '.join(sorted(methods)) or 'none'},"
        f" two-sided; {protocol['primary']['correction'].capitalize()} over the declared family of "
        f"{n_family}."
    )
    if turned:
        note += (
            f" On {', '.join(turned)} a lower score is better: the test's signs are turned so that "
            f"W+ favours {first}."
        )
    means = ("Mean, first arm", "Mean, second arm")
    if len(dataset.contrasts) == 1:
        means = (f"Mean, {first}", f"Mean, {dataset.second.label}")
    return table_of(
        dataset,
        "primary",
        f"{contrast_title(dataset)}: signed-rank tests",
        ("Dimension", *means, "Vignettes", "Zeros", "W+", "W\u2212", "Z", "p", "p adjusted"),
        (_primary_row(results, result) for result in results.dimensions),
        note,
    )


def _primary_row(results: Results, result: DimensionResult) -> Cells:
    label = row_name(results.dataset, result.dimension, result.contrast)
    if isinstance(result.differences, NotComputed):
        return (label, *[not_computed(result.differences)] * 9)
    means = (number(result.differences.first_mean), number(result.differences.second_mean))
    if isinstance(result.test, NotComputed):
        n_pairs = str(len(result.differences.vignettes))
        return (label, *means, n_pairs, *[not_computed(result.test)] * 6)
    test = result.test
    adjusted = (
        Footnoted("\u2013", "not adjusted: outside the family, or a member of it has no p")
        if result.p_adjusted is None
        else p_cell(result.p_adjusted)
    )
    return (
        label, *means, str(test.n_pairs), str(test.n_zero), number(test.w_plus, 1),
        number(test.w_minus, 1), number(test.z), p_cell(test.p_value), adjusted,
    )  # fmt: skip


def effects_table(results: Results) -> Table:
    """Effect sizes with intervals, whether significant or not."""
    dataset = results.dataset
    confidence = 100 * float(dataset.protocol["analysis"]["confidence"])
    n_family = len(dataset.protocol["primary"]["family"]) * len(dataset.contrasts)
    together = 100 - (100 - confidence) / n_family
    return table_of(
        dataset,
        "effects",
        f"{contrast_title(dataset)}: effect sizes with {confidence:g} % intervals",
        ("Dimension", "Hodges-Lehmann, points", f"Simultaneous, {together:.4g}\u00a0%",
         "Mean, points", "Rank-biserial", "r (ceiling)", "Superiority (wins, ties, losses)",
         "d_z"),
        (_effects_row(results, result) for result in results.dimensions),
        "Positive favours the first arm. Intervals: signed-rank, exact up to 500 vignettes, at "
        "least the confidence named (Hodges-Lehmann), the same by Bonferroni over the family "
        "(simultaneous), t (mean), BCa bootstrap over vignettes (rank-biserial). r is Z over the "
        "root of the number of vignettes; its ceiling is what differences of one sign give without "
        "ties or zeros. Superiority: share of vignettes won, ties counted half. d_z: mean over the "
        "standard deviation of the differences.",
    )  # fmt: skip


def _effects_row(results: Results, result: DimensionResult) -> Cells:
    return (
        row_name(results.dataset, result.dimension, result.contrast),
        interval(result.hodges_lehmann),
        interval(result.simultaneous),
        interval(result.mean),
        interval(result.rank_biserial),
        not_computed(result.r)
        if isinstance(result.r, NotComputed)
        else f"{number(result.r.value)} ({number(result.r.ceiling, 3)})",
        _superiority(result.superiority),
        not_computed(result.dz) if isinstance(result.dz, NotComputed) else number(result.dz.value),
    )


def _superiority(value: PairedSuperiority | NotComputed) -> Cell:
    if isinstance(value, NotComputed):
        return not_computed(value)
    return f"{number(value.value)} ({value.wins}, {value.ties}, {value.losses})"


def claims_table(results: Results) -> Table:
    """Claims against the declared margin; empty where none is declared."""
    dataset = results.dataset
    margin = dataset.margin
    words = "" if margin is None else f"{margin.points:g} points ({margin.reason})"
    return table_of(
        dataset,
        "claims",
        f"{contrast_title(dataset)}: claims against the declared margin",
        ("Dimension", "p, non-inferiority", "p, equivalence", "p, equivalence, adjusted",
         "Interval for equivalence", "Smallest margin", "p, equivalence by t", "In words"),
        _claims_rows(results),
        f"Margin: {words}, declared before the data. Non-inferiority: one-sided signed-rank of the "
        "difference plus the margin. Equivalence: two one-sided tests; adjusted by Holm over the "
        "dimensions, a family of its own. In words: both intervals against 0 and the margins, "
        "after Piaggio et al. 2012.",
    )  # fmt: skip


def _claims_rows(results: Results) -> Iterator[Cells]:
    for result in results.dimensions:
        claims = result.claims
        if claims is None:
            continue
        equal, worse = claims.equivalence, claims.noninferiority
        label = row_name(results.dataset, result.dimension, result.contrast)
        named: Cell = (
            not_computed(claims.verdict)
            if isinstance(claims.verdict, NotComputed)
            else claims.verdict.words
        )
        yield (
            label,
            not_computed(worse) if isinstance(worse, NotComputed) else p_cell(worse.p_value),
            *_equivalence_cells(equal, claims.p_adjusted),
            not_computed(claims.equivalence_t)
            if isinstance(claims.equivalence_t, NotComputed)
            else p_cell(claims.equivalence_t.p_value),
            named,
        )


def _equivalence_cells(equal: Equivalence | NotComputed, adjusted: float | None) -> Cells:
    if isinstance(equal, NotComputed):
        return (not_computed(equal),) * 4
    return (
        p_cell(equal.p_value),
        Footnoted("\u2013", "not adjusted: a member of the family has no p")
        if adjusted is None
        else p_cell(adjusted),
        f"{number(equal.low)} to {number(equal.high)}",
        number(equal.smallest_margin),
    )


def sensitivity_table(results: Results) -> Table:
    """The same question by other tests and with missing answers as the worst value."""
    return table_of(
        results.dataset,
        "sensitivity",
        f"{contrast_title(results.dataset)}: sensitivity of the test",
        ("Dimension", "p, primary", "p, zeros dropped", "p, sign flips of the mean",
         "p, paired t", "p, missing as worst", "Hodges-Lehmann, missing as worst"),
        (_sensitivity_row(results, result) for result in results.dimensions),
        "Two-sided, not adjusted. Missing as worst: a failed or missing answer takes the scale's "
        "worst value from every rater, a value of this analysis that is never stored as a rating.",
    )  # fmt: skip


def _sensitivity_row(results: Results, result: DimensionResult) -> Cells:
    found = result.sensitivity
    tests = (result.test, found.wilcoxon, found.sign_flip, result.mean, found.composite)
    return (
        row_name(results.dataset, result.dimension, result.contrast),
        *(not_computed(t) if isinstance(t, NotComputed) else p_cell(t.p_value) for t in tests),
        interval(found.composite_median),
    )


def models_table(results: Results) -> Table:
    """How far the difference generalises: to other residents, and by mixed models."""
    return table_of(
        results.dataset,
        "models",
        f"{contrast_title(results.dataset)}: mean difference under other models",
        ("Dimension", "Vignettes random", "Vignettes and residents random",
         "Mixed model, residents random", "Mixed model, this panel", "Two-way bootstrap",
         "Odds ratio, ordinal"),
        (_models_row(results, result) for result in results.dimensions),
        "Mean difference in points with its interval. Vignettes random: t over vignettes, this "
        "panel of residents fixed. Both random: the two-way table (Hillis 2007), the larger "
        "standard error. Mixed models: crossed vignettes, vignette-by-respondent cells and raters, "
        "restricted maximum likelihood, Satterthwaite's degrees of freedom. Only the columns with "
        "residents random speak of residents beyond this panel. Odds ratio: of a higher score, "
        "marginal over vignettes (proportional odds by estimating equations, clustered by "
        "vignette).",
    )  # fmt: skip


def _models_row(results: Results, result: DimensionResult) -> Cells:
    found = result.sensitivity
    wide = found.generalised
    return (
        row_name(results.dataset, result.dimension, result.contrast),
        interval(result.mean),
        not_computed(wide)
        if isinstance(wide, NotComputed)
        else f"{number(wide.mean)} ({number(wide.low)} to {number(wide.high)})",
        _fitted(found.mixed_random),
        _fitted(found.mixed_fixed),
        interval(found.two_way_bootstrap),
        not_computed(found.ordinal)
        if isinstance(found.ordinal, NotComputed)
        else f"{number(found.ordinal.odds_ratio)} ({number(found.ordinal.low)} to "
        f"{number(found.ordinal.high)})",
    )


def _fitted(fit: object) -> Cell:
    from analysis.mixed import CrossedFit

    if isinstance(fit, NotComputed):
        return not_computed(fit)
    assert isinstance(fit, CrossedFit)
    words = f"{number(fit.value)} ({number(fit.low)} to {number(fit.high)})"
    if not fit.at_zero:
        return words
    zero = ", ".join(name.replace("_", " by ") for name in fit.at_zero)
    return Footnoted(words, f"variance of {zero} estimated as zero")
