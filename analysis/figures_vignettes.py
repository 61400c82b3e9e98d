"""The vignettes one by one: each difference, sorted, dimension by dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.differences import Differences
from analysis.drawing import ACCENT, INK, QUIET, Drawing, safe, style
from analysis.results import Results
from analysis.wording import number

if TYPE_CHECKING:
    import plotly.graph_objects as go

PANEL = 210
"""Pixels of one dimension."""
MOST_NAMED = 5


def paired(results: Results) -> Drawing | None:
    """Every vignette's difference of the main contrast, sorted; wins right of 0, losses left."""
    from plotly.subplots import make_subplots

    dataset = results.dataset
    main = dataset.contrasts[0]
    rows = [
        (result.dimension.label, result.differences)
        for result in results.dimensions
        if result.contrast == main and isinstance(result.differences, Differences)
    ]
    if not rows:
        return None
    titles = [_counted(label, found) for label, found in rows]
    gap = 0.32 / len(rows) if len(rows) > 1 else 0.0
    figure = make_subplots(rows=len(rows), cols=1, shared_xaxes=True, vertical_spacing=gap)
    reach = max(1.0, *(float(np.abs(found.values).max()) for _, found in rows)) * 1.08
    for place, (_, found) in enumerate(rows, start=1):
        _caterpillar(figure, found, place)
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=1, yref=f"y{place if place > 1 else ''} domain",
            yanchor="bottom", yshift=4, text=f"<b>{safe(titles[place - 1])}</b>", showarrow=False,
            font={"size": 14, "color": INK},
        )  # fmt: skip
    style(figure, dataset, height=PANEL * len(rows) + 110)
    figure.update_layout(margin={"t": 34})
    figure.update_xaxes(range=[-reach, reach], showticklabels=True, nticks=7)
    figure.update_yaxes(visible=False)
    title = f"Each vignette's difference, {main.first.label} minus {main.second.label}"
    described = "; ".join(f"{name}; {_ends(found)}" for name, (_, found) in
                          zip(titles, rows, strict=True))  # fmt: skip
    return Drawing("paired", title, f"{title}. {described}.", figure, dataset.simulated_note)


def _caterpillar(figure: go.Figure, found: Differences, row: int) -> None:
    import plotly.graph_objects as go

    order = np.argsort(found.values, kind="stable")
    values = found.values[order]
    names = [found.vignettes[place] for place in order]
    levels = np.arange(values.size)
    lines_x = [x for value in values for x in (0.0, float(value), None)]
    lines_y = [y for level in levels for y in (int(level), int(level), None)]
    figure.add_trace(
        go.Scatter(x=lines_x, y=lines_y, mode="lines", line={"color": QUIET, "width": 1},
                   hoverinfo="skip", showlegend=False), row=row, col=1,
    )  # fmt: skip
    symbols = ["circle" if v > 0 else "circle-open" if v < 0 else "line-ns-open" for v in values]
    figure.add_trace(
        go.Scatter(
            x=values, y=levels, mode="markers", showlegend=False, text=names,
            hovertemplate="%{text}: %{x:.2f}<extra></extra>",
            marker={"symbol": symbols, "size": 8, "color": ACCENT,
                    "line": {"width": 1.6, "color": ACCENT}},
        ), row=row, col=1,
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": INK, "width": 1.2}, row=row, col=1)


def _counted(label: str, found: Differences) -> str:
    wins, losses = int((found.values > 0).sum()), int((found.values < 0).sum())
    ties = found.values.size - wins - losses
    return f"{label}: {wins} higher, {ties} equal, {losses} lower"


def _ends(found: Differences) -> str:
    """The vignettes at both ends, for those who cannot see the figure."""
    order = np.argsort(found.values, kind="stable")

    def named(places: np.ndarray) -> str:
        return ", ".join(f"{found.vignettes[p]} {number(found.values[p])}" for p in places)

    if found.values.size <= 2 * MOST_NAMED:
        return named(order)
    return f"lowest {named(order[:MOST_NAMED])}; highest {named(order[-MOST_NAMED:])}"
