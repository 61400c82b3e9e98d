"""Every figure of the report, and its first one: the forest plot of the differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from analysis.attempts import NotComputed
from analysis.drawing import ACCENT, INK, MARK, QUIET, RULE, Drawing, safe, style, write
from analysis.equivalence import Equivalence
from analysis.figures_blinding import blinding
from analysis.figures_margin import margin_curve
from analysis.figures_raters import kappa, ratings
from analysis.figures_robust import leave_one_out
from analysis.figures_vignettes import paired
from analysis.paired import HodgesLehmann
from analysis.primary import DimensionResult
from analysis.results import Results
from analysis.table import row_name
from analysis.wording import number, p_in_words

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROW = 84
"""Pixels of one dimension in the forest plot."""


def all_figures(results: Results) -> dict[str, Drawing]:
    """Every figure by name; one without anything to show is left out."""
    makers: tuple[Callable[[Results], Drawing | None], ...] = (
        forest, paired, margin_curve, leave_one_out, ratings, kappa, blinding,
    )  # fmt: skip
    drawn = (make(results) for make in makers)
    return {drawing.name: drawing for drawing in drawn if drawing is not None}


def forest(results: Results) -> Drawing:
    """Differences per dimension with their intervals, the zero line, and who is favoured."""
    import plotly.graph_objects as go

    dataset = results.dataset
    figure = go.Figure()
    reach, n_rows = _reach(results.dimensions), len(results.dimensions)
    labels = [_difference_in_words(result) for result in results.dimensions]
    rows = [n_rows - 0.72, -0.78]
    # A trace and not a shape: it lies over the grid and under the estimates.
    figure.add_trace(
        go.Scatter(
            x=[0, 0], y=rows, mode="lines", line={"color": INK, "width": 1.2}, hoverinfo="skip",
            showlegend=False,
        )
    )  # fmt: skip
    _draw_margin(figure, results, rows)
    for place, (result, words) in enumerate(zip(results.dimensions, labels, strict=True)):
        _draw_difference(figure, result, place)
        name = row_name(dataset, result.dimension, result.contrast)
        write(figure, f"<b>{safe(name)}</b><br>{safe(words)}", place - 0.4)
        if place:
            figure.add_hline(y=place - 0.78, line={"color": RULE, "width": 1}, layer="below")
    for x, words, anchor in (
        (0.0, f"\u2190 favours {dataset.second.label}", "left"),
        (1.0, f"favours {dataset.first.label} \u2192", "right"),
    ):
        figure.add_annotation(
            x=x, xref="paper", y=0, yref="paper", yshift=-28, yanchor="top", xanchor=anchor,
            text=safe(words), showarrow=False, font={"size": 13, "color": QUIET},
        )  # fmt: skip
    style(figure, dataset, height=ROW * n_rows + 84)
    figure.update_xaxes(range=[-reach, reach], nticks=7)
    figure.update_yaxes(visible=False, range=rows)
    pair = f"{dataset.first.label} minus {dataset.second.label}"
    several = len(dataset.contrasts) > 1
    title = "Difference in rubric points" + (", first arm minus second" if several else f", {pair}")
    described = "; ".join(
        f"{row_name(dataset, result.dimension, result.contrast)}: {words}"
        for result, words in zip(results.dimensions, labels, strict=True)
    )
    margin = dataset.margin
    if margin is not None:
        described += f"; the declared margin is {margin.points:g} points either way"
    return Drawing("forest", title, f"{title}. {described}.", figure, dataset.simulated_note)


def _draw_margin(figure: go.Figure, results: Results, rows: list[float]) -> None:
    """Dashed lines at the declared margin, either way, named at the top."""
    import plotly.graph_objects as go

    margin = results.dataset.margin
    if margin is None:
        return
    for x in (-margin.points, margin.points):
        figure.add_trace(
            go.Scatter(
                x=[x, x], y=rows, mode="lines", hoverinfo="skip", showlegend=False,
                line={"color": MARK, "width": 1.2, "dash": "dash"},
            )
        )  # fmt: skip
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=0, yref="paper", yshift=-48, yanchor="top",
        showarrow=False,
        text=f"dashed: the margin, \u00b1{margin.points:g}", font={"size": 12, "color": MARK},
    )  # fmt: skip


def _draw_difference(figure: go.Figure, result: DimensionResult, place: int) -> None:
    import plotly.graph_objects as go

    bounds = result.hodges_lehmann
    if bounds.value is None:
        return
    if isinstance(bounds, HodgesLehmann):
        # The line is drawn by itself, since Plotly's error bars lie under their marker's outline.
        figure.add_trace(
            go.Scatter(
                x=[bounds.low, bounds.high], y=[place, place], mode="lines+markers",
                line={"color": ACCENT, "width": 2.5}, hoverinfo="skip", showlegend=False,
                marker={"symbol": "line-ns", "size": 9, "line": {"color": ACCENT, "width": 2.5}},
            )
        )  # fmt: skip
    equal = result.claims.equivalence if result.claims else None
    if isinstance(equal, Equivalence):
        # The interval on which equivalence is judged, as a thicker line within the other.
        figure.add_trace(
            go.Scatter(
                x=[equal.low, equal.high], y=[place, place], mode="lines", hoverinfo="skip",
                line={"color": ACCENT, "width": 6}, showlegend=False,
            )
        )  # fmt: skip
    known = isinstance(bounds, HodgesLehmann)
    figure.add_trace(
        go.Scatter(
            x=[bounds.value], y=[place], mode="markers", hoverinfo="skip", showlegend=False,
            marker={"size": 12, "symbol": "square" if known else "square-open",
                    "color": ACCENT if known else QUIET,
                    "line": {"width": 2, "color": ACCENT if known else QUIET}},
        )
    )  # fmt: skip


def _difference_in_words(result: DimensionResult) -> str:
    bounds = result.hodges_lehmann
    if isinstance(result.differences, NotComputed):
        return result.differences.reason
    n_pairs = len(result.differences.vignettes)
    if isinstance(bounds, NotComputed):
        shown = "no estimate" if bounds.value is None else number(bounds.value)
        return f"{shown}, no interval attainable with {n_pairs} vignettes"
    words = f"{number(bounds.value)} ({number(bounds.low)} to {number(bounds.high)})"
    if result.p_adjusted is not None:
        words += f", adjusted {p_in_words(result.p_adjusted)}"
    return words


def _reach(dimensions: tuple[DimensionResult, ...]) -> float:
    """Half the width of the axis: every end in sight, and never less than a point."""
    ends = [1.0]
    ends += [result.claims.margin.points for result in dimensions if result.claims]
    for result in dimensions:
        bounds = result.hodges_lehmann
        if isinstance(bounds, HodgesLehmann):
            ends += [abs(bounds.low), abs(bounds.high)]
        elif bounds.value is not None:
            ends.append(abs(bounds.value))
    return max(ends) * 1.1
