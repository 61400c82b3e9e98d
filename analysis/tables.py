"""Tables: plain rows arranged from the results; as CSV and as HTML."""

from __future__ import annotations

import csv
import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from analysis.effects import PairedSuperiority
from analysis.paired import MeanDifference, SignedRank
from analysis.results import Agreement, DimensionResult, NotComputed, Results
from analysis.wording import interval, number

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to print; the first column names the row."""

    name: str
    title: str
    columns: Cells
    rows: tuple[Cells, ...]
    note: str
    simulated_note: str | None


def all_tables(results: Results) -> tuple[Table, ...]:
    """Every table of the report, in its order."""
    makers: tuple[Callable[[Results], Table], ...] = (
        flow_table,
        primary_table,
        effects_table,
        agreement_table,
    )
    return tuple(make(results) for make in makers)


def flow_table(results: Results) -> Table:
    """Failures and missing by arm."""
    rows = tuple(
        (
            f.label, str(f.n_respondents), str(f.n_planned), str(f.n_submitted), str(f.n_failed),
            str(f.n_missing), str(f.n_ratings_planned), str(f.n_ratings), str(f.n_ratings_missing),
        )
        for f in results.flow
    )  # fmt: skip
    kinds = "; ".join(
        f"{f.label}: {', '.join(f'{n} {kind}' for kind, n in f.failures)}"
        for f in results.flow
        if f.failures
    )
    return Table(
        "flow",
        "Responses and ratings by arm",
        ("Arm", "Respondents", "Planned", "Submitted", "Failed generations", "Unanswered",
         "Ratings allocated", "Ratings given", "Ratings missing"),
        rows,
        f"Failed generations by kind: {kinds}." if kinds else "No generation failed.",
        results.dataset.simulated_note,
    )  # fmt: skip


def primary_table(results: Results) -> Table:
    """The signed-rank tests with Holm's adjustment."""
    dataset = results.dataset
    return Table(
        "primary",
        f"{dataset.first.label} minus {dataset.second.label}: signed-rank tests",
        ("Dimension", f"Mean, {dataset.first.label}", f"Mean, {dataset.second.label}", "Vignettes",
         "Zeros", "W+", "W\u2212", "Z", "p", "p, Holm"),
        tuple(_primary_row(result) for result in results.dimensions),
        "Unit: the vignette. Zeros by "
        f"{dataset.protocol['analysis']['zeros'].capitalize()}; p exact, two-sided; Holm over the "
        f"declared family of {len(dataset.protocol['primary']['family'])}.",
        dataset.simulated_note,
    )  # fmt: skip


def _primary_row(result: DimensionResult) -> Cells:
    label = result.dimension.label
    if isinstance(result.differences, NotComputed):
        return (label, *["-"] * 8, result.differences.reason)
    means = (number(result.differences.first_mean), number(result.differences.second_mean))
    if not isinstance(result.test, SignedRank):
        n_pairs = str(len(result.differences.vignettes))
        return (label, *means, n_pairs, *["-"] * 5, result.test.reason)
    test = result.test
    adjusted = "not adjusted" if result.p_adjusted is None else f"{result.p_adjusted:.4f}"
    return (
        label, *means, str(test.n_pairs), str(test.n_zero), number(test.w_plus, 1),
        number(test.w_minus, 1), number(test.z), f"{test.p_value:.4f}", adjusted,
    )  # fmt: skip


def effects_table(results: Results) -> Table:
    """Effect sizes with intervals, whether significant or not."""
    dataset = results.dataset
    confidence = float(dataset.protocol["analysis"]["confidence"])
    return Table(
        "effects",
        f"{dataset.first.label} minus {dataset.second.label}: effect sizes, {confidence:.0%} "
        "intervals",
        ("Dimension", "Hodges-Lehmann, points", "The same, simultaneous", "Mean, points",
         "Rank-biserial", "r (ceiling)", "Superiority (wins, ties, losses)"),
        tuple(_effects_row(result) for result in results.dimensions),
        "Intervals: exact signed-rank (Hodges-Lehmann), Bonferroni over the family "
        "(simultaneous), t (mean), BCa bootstrap over vignettes (rank-biserial). r is Z over the "
        "root of the number of vignettes; its ceiling is what so many vignettes can reach.",
        dataset.simulated_note,
    )  # fmt: skip


def _effects_row(result: DimensionResult) -> Cells:
    return (
        result.dimension.label,
        interval(result.hodges_lehmann),
        interval(result.simultaneous),
        _mean(result.mean),
        interval(result.rank_biserial),
        result.r.reason
        if isinstance(result.r, NotComputed)
        else f"{number(result.r.value)} ({number(result.r.ceiling, 3)})",
        _superiority(result.superiority),
    )


def _mean(mean: MeanDifference | NotComputed) -> str:
    if isinstance(mean, NotComputed):
        return mean.reason
    return f"{number(mean.value)} ({number(mean.low)} to {number(mean.high)})"


def _superiority(value: PairedSuperiority | NotComputed) -> str:
    if isinstance(value, NotComputed):
        return value.reason
    return f"{number(value.value)} ({value.wins}, {value.ties}, {value.losses})"


def agreement_table(results: Results) -> Table:
    """Inter-rater reliability, overall and by arm."""
    dataset = results.dataset
    return Table(
        "agreement",
        "Agreement between raters",
        ("Dimension", "Responses", "n", "ICC(A,1)", "ICC(A,k)", "Krippendorff's alpha",
         "Identical", "Within one point"),
        tuple(_agreement_row(row) for row in results.agreement),
        "95 % intervals by a bootstrap of whole vignettes. ICC(A,1): one rater, absolute "
        "agreement; ICC(A,k): the mean of all. Alpha: ordinal.",
        dataset.simulated_note,
    )  # fmt: skip


def _agreement_row(row: Agreement) -> Cells:
    return (
        row.dimension.label,
        row.scope,
        str(row.n_responses),
        interval(row.icc_single),
        _plain(row.icc_mean),
        interval(row.alpha),
        _share(row.exact),
        _share(row.within_one),
    )


def _plain(value: float | NotComputed) -> str:
    return value.reason if isinstance(value, NotComputed) else number(value)


def _share(value: float | NotComputed) -> str:
    return value.reason if isinstance(value, NotComputed) else f"{value:.0%}"


def write_csv(table: Table, path: Path) -> None:
    """Write the table as CSV; a simulated one carries its note in a leading column."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        mark = () if table.simulated_note is None else ("simulated",)
        writer.writerow((*mark, *table.columns))
        for row in table.rows:
            note = () if table.simulated_note is None else (table.simulated_note,)
            writer.writerow((*note, *row))


def to_html(table: Table) -> str:
    """The table as an HTML fragment; numbers align right."""
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in table.columns)
    body = "".join(_html_row(row) for row in table.rows)
    mark = (
        f'<p class="simulated">{html.escape(table.simulated_note)}</p>'
        if table.simulated_note
        else ""
    )
    return (
        f'<figure class="table"><figcaption>{html.escape(table.title)}</figcaption>{mark}'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(table.title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<p class="note">{html.escape(table.note)}</p></figure>'
    )


def _html_row(row: Cells) -> str:
    cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
    return f'<tr><th scope="row">{html.escape(row[0])}</th>{cells}</tr>'
