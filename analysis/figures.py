"""Figures in Plotly: the forest plot of the differences, and the distribution of ratings.

Labels stand above what they name instead of beside it, so that one figure serves a printed page and
a telephone. A figure is drawn bare; its title and the simulated note are set above it by the page,
or by `titled` where the figure stands alone.
"""

from __future__ import annotations

import html
import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.attempts import NotComputed
from analysis.dataset import Arm, Dataset, Dimension
from analysis.paired import HodgesLehmann
from analysis.primary import DimensionResult
from analysis.results import Results
from analysis.wording import number, p_in_words

if TYPE_CHECKING:
    import plotly.graph_objects as go

INK, QUIET, ACCENT, PAPER = "#1b2a30", "#566469", "#0f5c63", "#ffffff"
RULE, MARK = "#dfe4e4", "#9a3412"
FONT = "Georgia, 'Times New Roman', serif"
SHADES = ("#b4552d", "#dfa58a", "#e6e6de", "#8fbfbd", "#0f5c63")
"""Worst to best; told apart by order and by the number in each segment, not by colour alone."""
LETTERING = (PAPER, INK, INK, INK, PAPER)
LEAST_WRITTEN = 0.08
"""Smaller segments have no room for their share."""
ROW = 84
"""Pixels of one dimension in the forest plot."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with the words that belong to it."""

    name: str
    title: str
    description: str
    """For those who cannot see it: what it shows, with the numbers."""
    figure: go.Figure
    simulated_note: str | None


def all_figures(results: Results) -> dict[str, Drawing]:
    """Every figure by name."""
    return {drawing.name: drawing for drawing in (forest(results), ratings(results))}


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
    for place, (result, words) in enumerate(zip(results.dimensions, labels, strict=True)):
        _draw_difference(figure, result, place)
        _write(figure, f"<b>{_safe(result.dimension.label)}</b><br>{_safe(words)}", place - 0.4)
        if place:
            figure.add_hline(y=place - 0.78, line={"color": RULE, "width": 1}, layer="below")
    for x, words, anchor in (
        (0.0, f"\u2190 favours {dataset.second.label}", "left"),
        (1.0, f"favours {dataset.first.label} \u2192", "right"),
    ):
        figure.add_annotation(
            x=x, xref="paper", y=0, yref="paper", yshift=-28, yanchor="top", xanchor=anchor,
            text=_safe(words), showarrow=False, font={"size": 13, "color": QUIET},
        )  # fmt: skip
    _style(figure, dataset, height=ROW * n_rows + 84)
    figure.update_xaxes(range=[-reach, reach], nticks=7)
    figure.update_yaxes(visible=False, range=rows)
    title = f"Difference in rubric points, {dataset.first.label} minus {dataset.second.label}"
    described = "; ".join(
        f"{result.dimension.label}: {words}"
        for result, words in zip(results.dimensions, labels, strict=True)
    )
    return Drawing("forest", title, f"{title}. {described}.", figure, dataset.simulated_note)


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
    for result in dimensions:
        bounds = result.hodges_lehmann
        if isinstance(bounds, HodgesLehmann):
            ends += [abs(bounds.low), abs(bounds.high)]
        elif bounds.value is not None:
            ends.append(abs(bounds.value))
    return max(ends) * 1.1


def ratings(results: Results) -> Drawing:
    """Share of each score by arm and dimension, as stacked bars with the shares written in."""
    dataset = results.dataset
    rows = [(d, arm) for d in dataset.dimensions for arm in (dataset.first, dataset.second)]
    counts = [_counts(dataset, dimension, arm) for dimension, arm in rows]
    # The two bars of a dimension stand together, with room above for its name.
    places = [1.25 * row + 0.75 * (row // 2) for row in range(len(rows))]
    figure = _bars(rows, counts, places)
    described = []
    for (dimension, arm), count, place in zip(rows, counts, places, strict=True):
        name = f"{arm.label}, {count.total()} ratings"
        _write(figure, _safe(name), place - 0.62, colour=QUIET, size=13)
        if arm is dataset.first:
            _write(figure, f"<b>{_safe(dimension.label)}</b>", place - 1.12)
        shares = ", ".join(f"{point:g}: {count[point]}" for point in dimension.points)
        described.append(f"{dimension.label}, {name} ({shares})")
    _style(figure, dataset, height=round(44 * (places[-1] + 2.2)) + 70)
    figure.update_layout(
        barmode="stack", bargap=0,
        legend={"orientation": "h", "y": 0, "yref": "paper", "yanchor": "top", "x": 0,
                "traceorder": "normal", "font": {"size": 13}, "itemwidth": 30},
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(visible=False, range=[places[-1] + 0.6, -1.6])
    title = "Share of each score, by dimension and arm"
    return Drawing(
        "ratings", title, f"{title}. {'; '.join(described)}.", figure, dataset.simulated_note
    )


def _counts(dataset: Dataset, dimension: Dimension, arm: Arm) -> Counter[float]:
    codes = {
        row["blinding_code"] for row in dataset.tables["responses"] if row["arm"] == arm.id
    } - {None}
    return Counter(
        row[dimension.id]
        for row in dataset.final_ratings()
        if row["blinding_code"] in codes and row[dimension.id] is not None
    )


def _bars(
    rows: list[tuple[Dimension, Arm]], counts: list[Counter[float]], places: list[float]
) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    for point in sorted({point for dimension, _ in rows for point in dimension.points}):
        shares = [count[point] / (count.total() or 1) for count in counts]
        tones = [_tone(dimension, point) for dimension, _ in rows]
        figure.add_trace(
            go.Bar(
                name=f"score {point:g}", orientation="h", x=shares, y=places, width=0.68,
                marker={"color": [SHADES[tone] for tone in tones],
                        "line": {"color": PAPER, "width": 1}},
                text=[f"{100 * s:.0f} %" if s >= LEAST_WRITTEN else "" for s in shares],
                textposition="inside", insidetextanchor="middle", textangle=0, hoverinfo="skip",
                textfont={"size": 12, "color": [LETTERING[tone] for tone in tones]},
                constraintext="none",
            )
        )  # fmt: skip
    return figure


def _tone(dimension: Dimension, point: float) -> int:
    """Place in `SHADES`: the best score is the last shade whichever way the scale runs."""
    share = (point - dimension.minimum) / (dimension.maximum - dimension.minimum)
    share = min(max(share, 0.0), 1.0)
    return round((share if dimension.higher_is_better else 1 - share) * (len(SHADES) - 1))


def _write(figure: go.Figure, words: str, y: float, *, colour: str = INK, size: int = 14) -> None:
    """Words at the left edge, their middle at the row coordinate `y`."""
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=y, yanchor="middle", align="left", text=words,
        showarrow=False, bgcolor=PAPER, borderpad=1, font={"size": size, "color": colour},
    )  # fmt: skip


def _style(figure: go.Figure, dataset: Dataset, *, height: int) -> None:
    figure.update_layout(
        template="none",
        font={"family": FONT, "size": 14, "color": INK},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        height=height,
        margin={"l": 14, "r": 14, "t": 8, "b": 76},
        dragmode=False,
    )
    figure.update_xaxes(gridcolor=RULE, zeroline=False, fixedrange=True)
    figure.update_yaxes(showgrid=False, zeroline=False, fixedrange=True)
    if dataset.simulated_note:
        # A picture cut out of its page still says so.
        figure.add_annotation(
            x=1, xref="paper", xanchor="right", y=0, yref="paper", yanchor="top", yshift=-50,
            text="SIMULATED", showarrow=False, font={"size": 12, "color": MARK},
        )  # fmt: skip


def _safe(words: str) -> str:
    """Words of the protocol as Plotly text, in which tags are markup."""
    return html.escape(words, quote=False)


def titled(drawing: Drawing) -> go.Figure:
    """The figure with its title and the whole simulated note, to stand alone as an image."""
    import plotly.graph_objects as go

    figure = go.Figure(drawing.figure)
    lines = [f"<b>{_safe(drawing.title)}</b>"]
    if drawing.simulated_note:
        lines += [
            f"<span style='font-size:13px;color:{MARK}'>{_safe(line)}</span>"
            for line in textwrap.wrap(drawing.simulated_note, 110)
        ]
    room = 34 + 22 * len(lines)
    height = figure.layout.height + room
    figure.update_layout(
        title={"text": "<br>".join(lines), "x": 0, "xref": "paper", "xanchor": "left",
               "y": 1 - 28 / height, "yref": "container", "yanchor": "top",
               "font": {"size": 18, "color": INK}},
        height=height,
        margin={"l": 28, "r": 28, "t": room, "b": 84},
    )  # fmt: skip
    return figure


def to_html(drawing: Drawing) -> str:
    """The figure as an HTML fragment that needs Plotly's script once on the page."""
    config: Mapping[str, Any] = {"displayModeBar": False, "responsive": True}
    drawn = drawing.figure.to_html(
        include_plotlyjs=False, full_html=False, div_id=f"figure-{drawing.name}", config=config
    )
    mark = (
        f'<p class="simulated">{html.escape(drawing.simulated_note)}</p>'
        if drawing.simulated_note
        else ""
    )
    return (
        f'<figure class="drawing"><figcaption>{html.escape(drawing.title)}</figcaption>{mark}'
        f'<div role="img" aria-label="{html.escape(drawing.description)}">{drawn}</div></figure>'
    )
