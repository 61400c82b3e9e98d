"""The statistics section in words: what was done here, with the numbers, rules and versions."""

from __future__ import annotations

import platform
from importlib.metadata import version

from analysis.attempts import NotComputed
from analysis.dataset import Dataset
from analysis.differences import Differences
from analysis.equivalence import Equivalence
from analysis.mixed import CrossedFit
from analysis.paired import SignedRank
from analysis.results import Results
from analysis.wording import finding, number, p_in_words

PACKAGES = ("numpy", "scipy", "scikit-learn", "plotly", "pyarrow")


def methods_md(results: Results) -> str:
    """A statistics section for a paper, ready to be cut to length; every number is of this run."""
    dataset = results.dataset
    sections = [
        f"# Statistics: {dataset.manifest['title']}",
        *([f"**{dataset.simulated_note}**"] if dataset.simulated_note else []),
        "## Design and unit", _design(results),
        "## Tests and multiplicity", _tests(results),
        "## Effect sizes", _effects(dataset),
        "## Claims of similarity", _claims(results),
        "## Generalising beyond the panel", _models(results),
        "## Agreement between raters", _agreement(results),
        "## Blinding and harm", _blinding(results),
        "## Missing data", _missing(results),
        "## Results in words", "\n".join(f"- {finding(dataset, r)}" for r in results.dimensions),
        "## Software", _software(dataset),
    ]  # fmt: skip
    return "\n\n".join(sections) + "\n"


def _design(results: Results) -> str:
    dataset = results.dataset
    arms = "; ".join(
        f"{f.label}: {f.n_respondents} respondent{'' if f.n_respondents == 1 else 's'}, "
        f"{f.n_submitted} of {f.n_planned} responses submitted, {f.n_ratings} ratings"
        for f in results.flow
    )
    pairs = ", ".join(f"{c.first.label} minus {c.second.label}" for c in dataset.contrasts)
    return (
        f"{len(dataset.vignettes)} vignettes were answered in {len(dataset.arms)} arms ({arms}), "
        f"rated by {len(dataset.tables['raters'])} raters. The unit of analysis was the vignette: "
        "ratings were averaged over raters within a response, then over respondents within an arm, "
        f"and the difference taken ({pairs}), rounded to nine decimals before any rank or zero "
        "test. Ratings were never pooled. The estimand is the difference over the population of "
        "vignettes for this panel of respondents."
    )


def _tests(results: Results) -> str:
    protocol = results.dataset.protocol
    settings, primary = protocol["analysis"], protocol["primary"]
    n_family = len(primary["family"]) * len(results.dataset.contrasts)
    used = sorted({r.test.method for r in results.dimensions if isinstance(r.test, SignedRank)})
    return (
        "Each dimension was tested by the Wilcoxon signed-rank test, zeros treated by "
        f"{settings['zeros'].capitalize()}, two-sided, with the {' or '.join(used) or 'exact'} "
        "permutation distribution of the mid-ranks (dynamic programming up to 500 pairs, the "
        f"normal limit above). p values were adjusted by {primary['correction'].title()} over the "
        f"declared family of {n_family} at the level {settings['alpha']:g}. Sensitivity analyses "
        "dropped zeros (Wilcoxon), flipped the signs of the mean, used the paired t test, and "
        "scored missing answers as the scale's worst value."
    )


def _effects(dataset: Dataset) -> str:
    settings = dataset.protocol["analysis"]
    return (
        f"For every dimension, significant or not, with {100 * settings['confidence']:g} % "
        "intervals: the Hodges-Lehmann median of the Walsh averages with its signed-rank interval "
        "and the Bonferroni-simultaneous one; the mean difference with its t interval; the matched "
        "rank-biserial correlation (zeros dropped, then ranked) with a bias-corrected and "
        f"accelerated bootstrap interval ({settings['n_resamples']:,} resamples of vignettes, seed "
        f"{settings['seed']}); r = Z / sqrt(n) beside its ceiling; paired superiority with wins, "
        "ties and losses; and d_z."
    )


def _claims(results: Results) -> str:
    margin = results.dataset.margin
    if margin is None:
        return (
            "No margin was declared, so nothing is claimed about similarity: a p value above the "
            "level is not read as agreement. The table of margins 0.1 to 1.0 shows what the data "
            "would have supported."
        )
    lines = [
        f"A margin of {margin.points:g} points was declared beforehand ({margin.reason}). "
        "Non-inferiority was tested by the exact signed-rank test of the difference plus the "
        "margin, one-sided; equivalence by two one-sided tests with the interval of one minus "
        "twice the level; equivalence was adjusted by Holm in a family of its own."
    ]
    for result in results.dimensions:
        claims = result.claims
        if claims and isinstance(claims.equivalence, Equivalence):
            named = claims.verdict
            words = named.reason if isinstance(named, NotComputed) else named.words
            lines.append(
                f"{result.dimension.label}: {words} (equivalence "
                f"{p_in_words(claims.equivalence.p_value)}; smallest margin supported "
                f"{number(claims.equivalence.smallest_margin)})."
            )
    return " ".join(lines)


def _models(results: Results) -> str:
    words = [
        "To speak of residents beyond this panel, vignettes and residents were both taken as "
        "random in the two-way table without replication (degrees of freedom after Hillis), and in "
        "a linear mixed model with crossed vignettes, vignette-by-respondent cells, raters and "
        "residents (the model's arm fixed), fitted by restricted maximum likelihood with "
        "Satterthwaite's degrees of freedom."
    ]
    for result in results.dimensions:
        fit = result.sensitivity.mixed_random
        if isinstance(fit, CrossedFit):
            words.append(
                f"{result.dimension.label}: {number(fit.value)} ({number(fit.low)} to "
                f"{number(fit.high)}), {p_in_words(fit.p_value)}, {fit.df:.1f} degrees of freedom."
            )
        else:
            words.append(f"{result.dimension.label}: {fit.reason}.")
    return " ".join(words)


def _agreement(results: Results) -> str:
    n = results.dataset.protocol["analysis"]["n_resamples"]
    return (
        "ICC(A,1), ICC(A,k) and ICC(C,k) (two-way, McGraw and Wong; by restricted maximum "
        "likelihood where ratings were missing, no response dropped), ordinal Krippendorff's "
        "alpha, Gwet's AC2 with quadratic weights over the declared scale, pairwise weighted "
        "kappa, identical and within-one agreement; overall and by arm. Intervals are from a "
        f"bootstrap of whole vignettes ({n:,} resamples): responses to one vignette are not "
        "independent."
    )


def _blinding(results: Results) -> str:
    blinded, harm = results.blinded, results.harm
    words = []
    if isinstance(blinded.guesses, NotComputed):
        words.append("Raters were not asked to guess the source.")
    else:
        words.append(
            "Raters' guesses of the source are summarised by Bang's index for each arm and "
            f"James's index, with a bootstrap of {blinded.clusters}; the test was repeated on "
            "ratings whose source was guessed wrong or not at all."
        )
    if not isinstance(blinded.separability, NotComputed):
        words.append(
            f"A text classifier told the masked arms apart with a cross-validated area under the "
            f"curve of {number(blinded.separability.auc)} (folds of whole vignettes)."
        )
    words.append(
        "Potential harm was not asked for."
        if isinstance(harm.rows, NotComputed)
        else "Potential harm, key points and errors are shares of responses by arm, compared by "
        "sign flips over vignettes; descriptive."
    )
    return " ".join(words)


def _missing(results: Results) -> str:
    left_out = {
        gone.vignette
        for result in results.dimensions
        if isinstance(result.differences, Differences)
        for gone in result.differences.excluded
    }
    lost = "; ".join(
        f"{f.label}: {f.n_failed} failed generations, {f.n_missing} unanswered, "
        f"{f.n_ratings_missing} ratings missing"
        for f in results.flow
    )
    return (
        f"{lost}. Vignettes without a scored response in both arms left the primary analysis "
        f"({len(left_out)}). Nothing was imputed."
    )


def _software(dataset: Dataset) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    if dataset.is_public:
        no_head = "none: left out of a public bundle"
    else:
        no_head = "none: not from a study of this platform"
    return (
        f"SafeMed's `analysis` package (code version {dataset.manifest['code_version']}), Python "
        f"{platform.python_version()}, {packages}. Dataset: protocol "
        f"`{dataset.manifest['protocol_sha256']}`, audit head "
        f"`{dataset.manifest['audit_head'] or no_head}`."
    )
