"""What an ethics board and an editor ask first, in sentences."""

from __future__ import annotations

from analysis.attempts import NotComputed
from analysis.results import Results
from analysis.values import Interval
from analysis.withdrawn import withdrawal_sentence
from analysis.wording import number


def harm_sentences(results: Results) -> list[str]:
    """Potential harm by arm, and how many responses were called severe."""
    harm = results.harm
    if isinstance(harm.rows, NotComputed):
        return ["Potential harm: not recorded; raters were not asked."]
    words = []
    for row in harm.rows:
        if row.kind not in ("harm_any", "harm_severe", "critical_error"):
            continue
        first, second = row.contrast.first.label, row.contrast.second.label
        if isinstance(row.shares, NotComputed):
            words.append(f"{row.label}: {row.shares.reason}.")
            continue
        words.append(
            f"{row.label}: {100 * row.shares.first:.1f} % of the responses of {first}, "
            f"{100 * row.shares.second:.1f} % of those of {second}."
        )
    if harm.severe:
        listed = ", ".join(
            f"{mark.arm} on {mark.vignette_id} ({mark.n_raters} of {mark.n_asked} raters)"
            for mark in harm.severe
        )
        words.append(f"Called severe by at least one rater: {listed}.")
    return words


def blinding_sentences(results: Results) -> list[str]:
    """Whether raters, and a machine, could tell the arms apart."""
    blinded, dataset = results.blinded, results.dataset
    words = []
    if isinstance(blinded.guesses, NotComputed):
        words.append("Raters were not asked to guess the source, so whether blinding held is open.")
    elif not isinstance(blinded.bang_intervals, NotComputed):
        arms = (dataset.first.label, dataset.second.label)
        for label, bang in zip(arms, blinded.bang_intervals, strict=True):
            words.append(_bang(label, bang))
    separability = blinded.separability
    if isinstance(separability, NotComputed):
        words.append(f"Text classifier: {separability.reason}.")
    else:
        limits = (
            ""
            if separability.low is None or separability.high is None
            else f" ({number(separability.low)} to {number(separability.high)})"
        )
        words.append(
            f"A text classifier told the masked arms apart with an area under the curve of "
            f"{number(separability.auc)}{limits}; 0.5 is by chance, 1 always."
        )
    return words


def _bang(label: str, bang: Interval | NotComputed) -> str:
    if isinstance(bang, NotComputed):
        shown = "" if bang.value is None else f" {number(bang.value)}"
        return f"Guesses on {label}: Bang's index{shown}; {bang.reason}."
    read = (
        "guessed right more often than by chance: blinding did not hold"
        if bang.low > 0
        else "guessed wrong more often than by chance"
        if bang.high < 0
        else "guessing by chance is not ruled out"
    )
    return (
        f"Guesses on {label}: Bang's index {number(bang.value)} ({number(bang.low)} to "
        f"{number(bang.high)}); {read}."
    )


def agreement_sentences(results: Results) -> list[str]:
    """One line a dimension: single-rater ICC and AC2, over all responses."""
    words = []
    for row in results.agreement:
        if row.scope != "all responses":
            continue
        parts = [
            f"{name} {_shown(value)}"
            for name, value in (("ICC(A,1)", row.icc_single), ("AC2", row.gwet))
        ]
        words.append(f"{row.dimension.label}: {', '.join(parts)}")
    return [f"Agreement between raters. {'; '.join(words)}."] if words else []


def _shown(value: Interval | NotComputed) -> str:
    if isinstance(value, NotComputed):
        return value.reason if value.value is None else number(value.value)
    return f"{number(value.value)} ({number(value.low)} to {number(value.high)})"


def deviation_sentence(results: Results) -> str:
    """How many deviations and amendments are recorded, and each in words."""
    tables = results.dataset.tables
    if results.dataset.is_public:
        return "Deviations: not in a public bundle; the frozen dataset lists them."
    if not tables["audit"]:
        return "Deviations: not known; the table came without an audit trail."
    amended = "".join(
        f" Amendment {row['number']} ({str(row['amended_at'])[:10]}): {row['reason']}."
        for row in tables["amendments"]
    )
    amended += withdrawal_sentence(results.dataset)
    if not tables["deviations"]:
        return f"Deviations: none is recorded.{amended}"
    listed = "; ".join(
        f"{str(row['reported_at'])[:10]}, {row['kind']}: {row['description']}"
        for row in tables["deviations"]
    )
    return f"Deviations: {len(tables['deviations'])} recorded. {listed}.{amended}"
