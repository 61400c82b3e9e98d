"""Tables: plain rows arranged from the results; as CSV and as HTML."""

from __future__ import annotations

import csv
import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase

from analysis.agreement import Agreement
from analysis.attempts import NotComputed
from analysis.effects import PairedSuperiority
from analysis.paired import SignedRank
from analysis.primary import DimensionResult
from analysis.results import Results
from analysis.wording import Cell, Footnoted, interval, not_computed, number, p_cell

Cells = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to print; the first column names the row."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Cells, ...]
    note: str
    unblinding_note: str
    """Every table computed after unblinding says so."""
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


def _table(
    results: Results, name: str, title: str, columns: tuple[str, ...], rows: Iterator[Cells],
    note: str,
) -> Table:  # fmt: skip
    dataset = results.dataset
    return Table(
        name, title, columns, tuple(rows), note, dataset.unblinding_note, dataset.simulated_note
    )


def flow_table(results: Results) -> Table:
    """Failures and missing by arm."""
    kinds = "; ".join(
        f"{f.label}: {', '.join(f'{n} {_in_words(kind)}' for kind, n in f.failures)}"
        for f in results.flow
        if f.failures
    )
    return _table(
        results,
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
    protocol = results.dataset.protocol
    first, second = results.dataset.first.label, results.dataset.second.label
    methods = {r.test.method for r in results.dimensions if isinstance(r.test, SignedRank)}
    turned = [r.dimension.label for r in results.dimensions if not r.dimension.higher_is_better]
    note = (
        "Unit: the vignette. Means in points of the raters' scale. Zeros by "
        f"{protocol['analysis']['zeros'].capitalize()}; p {' or '.join(sorted(methods)) or 'none'},"
        f" two-sided; {protocol['primary']['correction'].capitalize()} over the declared family of "
        f"{len(protocol['primary']['family'])}."
    )
    if turned:
        note += (
            f" On {', '.join(turned)} a lower score is better: the test's signs are turned so that "
            f"W+ favours {first}."
        )
    return _table(
        results,
        "primary",
        f"{first} minus {second}: signed-rank tests",
        ("Dimension", f"Mean, {first}", f"Mean, {second}", "Vignettes", "Zeros", "W+", "W\u2212",
         "Z", "p", "p adjusted"),
        (_primary_row(result) for result in results.dimensions),
        note,
    )  # fmt: skip


def _primary_row(result: DimensionResult) -> Cells:
    label = result.dimension.label
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
    n_family = len(dataset.protocol["primary"]["family"])
    together = 100 - (100 - confidence) / n_family
    return _table(
        results,
        "effects",
        f"{dataset.first.label} minus {dataset.second.label}: effect sizes with {confidence:g} % "
        "intervals",
        ("Dimension", "Hodges-Lehmann, points", f"Simultaneous, {together:.4g}\u00a0%",
         "Mean, points", "Rank-biserial", "r (ceiling)", "Superiority (wins, ties, losses)"),
        (_effects_row(result) for result in results.dimensions),
        "Positive favours the first arm. Intervals: exact signed-rank, at least the confidence "
        "named (Hodges-Lehmann), the same by Bonferroni over the family (simultaneous), t (mean), "
        "BCa bootstrap over vignettes (rank-biserial). r is Z over the root of the number of "
        "vignettes; its ceiling is what differences of one sign give without ties or zeros. "
        "Superiority: share of vignettes won, ties counted half.",
    )  # fmt: skip


def _effects_row(result: DimensionResult) -> Cells:
    return (
        result.dimension.label,
        interval(result.hodges_lehmann),
        interval(result.simultaneous),
        interval(result.mean),
        interval(result.rank_biserial),
        not_computed(result.r)
        if isinstance(result.r, NotComputed)
        else f"{number(result.r.value)} ({number(result.r.ceiling, 3)})",
        _superiority(result.superiority),
    )


def _superiority(value: PairedSuperiority | NotComputed) -> Cell:
    if isinstance(value, NotComputed):
        return not_computed(value)
    return f"{number(value.value)} ({value.wins}, {value.ties}, {value.losses})"


def agreement_table(results: Results) -> Table:
    """Inter-rater reliability, overall and by arm."""
    confidence = 100 * float(results.dataset.protocol["analysis"]["confidence"])
    return _table(
        results,
        "agreement",
        "Agreement between raters",
        ("Dimension", "Responses", "n", "ICC(A,1)", "ICC(A,k)", "Krippendorff's alpha",
         "Identical", "Within one point"),
        (_agreement_row(row) for row in results.agreement),
        f"{confidence:g} % intervals by a bootstrap of whole vignettes. ICC(A,1): one rater, "
        "absolute agreement; ICC(A,k): the mean of all. Alpha: ordinal. Identical and within one "
        "point: share of the pairs of ratings of one response.",
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


def _plain(value: float | NotComputed) -> Cell:
    return not_computed(value) if isinstance(value, NotComputed) else number(value)


def _share(value: float | NotComputed) -> Cell:
    return not_computed(value) if isinstance(value, NotComputed) else f"{100 * value:.0f} %"


def write_csv(table: Table, path: Path) -> None:
    """Write the table as CSV; a simulated one carries its note in a leading column.

    A cell without a value holds its reason in brackets; the last column says that the table was
    computed after unblinding.
    """
    mark = () if table.simulated_note is None else ("simulated",)
    note = () if table.simulated_note is None else (table.simulated_note,)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*mark, *table.columns, "unblinding"))
        for row in table.rows:
            cells = (c if isinstance(c, str) else f"{c.text} [{c.why}]" for c in row)
            writer.writerow((*note, *cells, table.unblinding_note))


def to_html(table: Table) -> str:
    """The table as an HTML fragment; numbers align right, reasons stand below as footnotes."""
    reasons = list(
        dict.fromkeys(c.why for row in table.rows for c in row if isinstance(c, Footnoted))
    )
    letters = {why: _letter(place) for place, why in enumerate(reasons)}
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in table.columns)
    body = "".join(_html_row(row, letters) for row in table.rows)
    mark = (
        f'<p class="simulated">{html.escape(table.simulated_note)}</p>'
        if table.simulated_note
        else ""
    )
    footnotes = "".join(
        f'<p class="note"><sup>{letter}</sup> {html.escape(why)}</p>'
        for why, letter in letters.items()
    )
    title = html.escape(table.title)
    return (
        f'<figure class="table"><figcaption>{title}</figcaption>{mark}'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{footnotes}"
        f'<p class="note">{html.escape(table.note)} {html.escape(table.unblinding_note)}</p>'
        "</figure>"
    )


def _letter(place: int) -> str:
    """Footnote mark: a to z, then aa, ab and so on."""
    turns, rest = divmod(place, len(ascii_lowercase))
    return (_letter(turns - 1) if turns else "") + ascii_lowercase[rest]


def _html_row(row: Cells, letters: dict[str, str]) -> str:
    name = row[0] if isinstance(row[0], str) else row[0].text
    cells = "".join(f"<td>{_html_cell(cell, letters)}</td>" for cell in row[1:])
    return f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>'


def _html_cell(cell: Cell, letters: dict[str, str]) -> str:
    if isinstance(cell, str):
        return html.escape(cell)
    return f"{html.escape(cell.text)}<sup>{letters[cell.why]}</sup>"
