"""Figures in Plotly: the forest plot of the differences, and the distribution of ratings."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from analysis.paired import HodgesLehmann, MeanDifference
from analysis.results import DimensionResult, NotComputed, Results
from analysis.wording import number, p_in_words

if TYPE_CHECKING:
    import plotly.graph_objects as go

INK, QUIET, ACCENT, PAPER, RULE = "#1b2a30", "#5b6b70", "#0f5c63", "#ffffff", "#d5dcdd"
FONT = "Georgia, 'Times New Roman', serif"
SHADES = ("#b4552d", "#dfa58a", "#e4e4dc", "#7fb3b1", "#0f5c63")
"""Worst to best; told apart by order and by the number in each segment, not by colour alone."""


def all_figures(results: Results) -> dict[str, go.Figure]:
    """Every figure by name."""
    return {"forest": forest(results), "ratings": ratings(results)}


def forest(results: Results) -> go.Figure:
    """Differences per dimension with their intervals, the zero line, and who is favoured."""
    import plotly.graph_objects as go

    figure = go.Figure()
    labels = [result.dimension.label for result in results.dimensions]
    first, second = results.dataset.first.label, results.dataset.second.label
    reach = _reach(results.dimensions)
    for result in results.dimensions:
        _draw_difference(figure, result, reach)
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    for side, words, anchor in (
        (-reach, f"\u2190 {second} higher", "left"),
        (reach, f"{first} higher \u2192", "right"),
    ):
        figure.add_annotation(
            x=side, y=1.0, yref="paper", yanchor="bottom", xanchor=anchor, showarrow=False,
            text=words, font={"size": 13, "color": QUIET},
        )  # fmt: skip
    _style(figure, f"Difference in rubric points, {first} minus {second}", results, height=430)
    figure.update_xaxes(range=[-reach, reach], title="Hodges-Lehmann estimate with its interval")
    figure.update_yaxes(
        categoryorder="array", categoryarray=labels[::-1], showgrid=False,
        # Room above the first row for its label.
        range=[-0.5, len(labels) - 0.3],
    )  # fmt: skip
    return figure


def _draw_difference(figure: go.Figure, result: DimensionResult, reach: float) -> None:
    import plotly.graph_objects as go

    label, bounds = result.dimension.label, result.hodges_lehmann
    if isinstance(bounds, NotComputed):
        value = 0.0 if isinstance(result.mean, NotComputed) else result.mean.value
        words, colour, symbol, spread = _without_interval(result), QUIET, "square-open", None
    else:
        value, words = bounds.value, _difference_in_words(result, bounds)
        colour, symbol = ACCENT, "square"
        spread = {
            "type": "data", "symmetric": False, "array": [bounds.high - value],
            "arrayminus": [value - bounds.low], "color": ACCENT, "thickness": 2, "width": 6,
        }  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[value], y=[label], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"size": 12, "symbol": symbol, "color": colour}, error_x=spread,
        )
    )  # fmt: skip
    # Kept off the edges, where a long label would be cut.
    figure.add_annotation(
        x=min(max(value, -0.5 * reach), 0.5 * reach), y=label, yshift=20, showarrow=False,
        text=words, font={"size": 13, "color": INK if spread else QUIET}, bgcolor=PAPER,
    )  # fmt: skip


def _without_interval(result: DimensionResult) -> str:
    if isinstance(result.differences, NotComputed):
        return result.differences.reason
    n_pairs = len(result.differences.vignettes)
    shown = "" if isinstance(result.mean, NotComputed) else f"mean {number(result.mean.value)}, "
    return f"{shown}no interval attainable with {n_pairs} vignettes"


def _difference_in_words(result: DimensionResult, bounds: HodgesLehmann) -> str:
    words = f"{number(bounds.value)} ({number(bounds.low)} to {number(bounds.high)})"
    if result.p_adjusted is not None:
        words += f", Holm-adjusted {p_in_words(result.p_adjusted)}"
    return words


def _reach(dimensions: tuple[DimensionResult, ...]) -> float:
    ends = [
        abs(end)
        for result in dimensions
        for shown in (result.hodges_lehmann, result.mean)
        if isinstance(shown, HodgesLehmann | MeanDifference)
        for end in ((shown.low, shown.high) if isinstance(shown, HodgesLehmann) else (shown.value,))
    ]
    return max([*ends, 0.9]) * 1.15


def ratings(results: Results) -> go.Figure:
    """Share of each score by arm and dimension, as stacked bars with the shares written in."""
    import plotly.graph_objects as go

    dataset = results.dataset
    arm_of = {row["blinding_code"]: row["arm"] for row in dataset.tables["responses"]}
    labels, shares = [], []
    for dimension in dataset.dimensions:
        for arm in (dataset.first, dataset.second):
            given = Counter(
                row[dimension.id]
                for row in dataset.final_ratings()
                if arm_of[row["blinding_code"]] == arm.id and row[dimension.id] is not None
            )
            total = sum(given.values()) or 1
            labels.append([f"<b>{dimension.label}</b>", arm.label])
            shares.append([given[point] / total for point in dimension.points])
    points = dataset.dimensions[0].points
    figure = go.Figure()
    for place, point in enumerate(points):
        shade = SHADES[round(place * (len(SHADES) - 1) / max(len(points) - 1, 1))]
        values = [share[place] for share in shares]
        figure.add_trace(
            go.Bar(
                name=f"score {point}", orientation="h", x=values,
                y=[[label[0] for label in labels], [label[1] for label in labels]],
                marker={"color": shade, "line": {"color": PAPER, "width": 1}}, hoverinfo="skip",
                text=[f"{value:.0%}" if value >= 0.06 else "" for value in values],
                textposition="inside", insidetextanchor="middle", textangle=0,
                textfont={"size": 12, "color": INK if place in (1, 2, 3) else PAPER},
            )
        )  # fmt: skip
    _style(figure, "Share of each score, by dimension and arm", results, height=550)
    figure.update_layout(barmode="stack", bargap=0.28)
    figure.update_layout(legend={"orientation": "h", "y": -0.1, "x": 0, "traceorder": "normal"})
    figure.update_xaxes(tickformat=".0%", range=[0, 1])
    figure.update_yaxes(autorange="reversed", showgrid=False, showdividers=False)
    return figure


def _style(figure: go.Figure, title: str, results: Results, *, height: int) -> None:
    note = results.dataset.simulated_note
    words = f"<b>{title}</b>"
    if note:
        wrapped = "<br>".join(textwrap.wrap(note, 84))
        words += f"<br><span style='font-size:13px;color:#9a3412'>{wrapped}</span>"
    figure.update_layout(
        template="none",
        title={"text": words, "x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 12},
               "y": 0.96, "yanchor": "top", "font": {"size": 18, "color": INK}},
        font={"family": FONT, "size": 14, "color": INK},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        height=height,
        margin={"l": 12, "r": 20, "t": 124 if note else 76, "b": 72},
        dragmode=False,
    )  # fmt: skip
    figure.update_xaxes(gridcolor=RULE, zeroline=False, automargin=True, fixedrange=True)
    figure.update_yaxes(automargin=True, ticks="", fixedrange=True, ticklabelstandoff=8)


def to_html(figure: go.Figure, name: str) -> str:
    """The figure as an HTML fragment that needs Plotly's script once on the page."""
    return str(
        figure.to_html(
            include_plotlyjs=False, full_html=False, div_id=f"figure-{name}",
            config={"displayModeBar": False, "responsive": True},
        )
    )  # fmt: skip
