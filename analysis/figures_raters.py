"""The ratings themselves: diverging bars by arm, and how far pairs of raters agree."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analysis.attempts import NotComputed
from analysis.dataset import Arm, Dataset, Dimension
from analysis.drawing import INK, PAPER, QUIET, Drawing, safe, style, write
from analysis.results import Results
from analysis.wording import number

if TYPE_CHECKING:
    import plotly.graph_objects as go

SHADES = ("#b4552d", "#dfa58a", "#e6e6de", "#8fbfbd", "#0f5c63")
"""Worst to best; told apart by order and by the number in each segment, not by colour alone."""
LETTERING = (PAPER, INK, INK, INK, PAPER)
LEAST_WRITTEN = 0.1
"""Smaller segments have no room for their share."""


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
        write(figure, safe(name), place - 0.62, colour=QUIET, size=13)
        if arm is dataset.first:
            write(figure, f"<b>{safe(dimension.label)}</b>", place - 1.12)
        shares = ", ".join(f"{point:g}: {count[point]}" for point in dimension.points)
        described.append(f"{dimension.label}, {name} ({shares})")
    style(figure, dataset, height=round(44 * (places[-1] + 2.2)) + 70)
    figure.update_layout(
        barmode="overlay", bargap=0,
        legend={"orientation": "h", "y": 0, "yref": "paper", "yanchor": "top", "x": 0,
                "traceorder": "normal", "font": {"size": 13}, "itemwidth": 30},
    )  # fmt: skip
    reach = max(abs(end) for bar in figure.data for b, x in zip(bar.base, bar.x, strict=True)
                for end in (b, b + x)) * 1.02  # fmt: skip
    figure.update_xaxes(visible=False, range=[-reach, reach])
    figure.update_yaxes(visible=False, range=[places[-1] + 0.6, -1.6])
    title = "Share of each score, by dimension and arm: worse to the left, better to the right"
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
    """Bars that diverge from the middle of the scale: worse to the left, better to the right."""
    import plotly.graph_objects as go

    figure = go.Figure()
    points = sorted({point for dimension, _ in rows for point in dimension.points})
    for point in points:
        shares = [count[point] / (count.total() or 1) for count in counts]
        tones = [_tone(dimension, point) for dimension, _ in rows]
        figure.add_trace(
            go.Bar(
                name=f"score {point:g}", orientation="h", x=shares, y=places, width=0.68,
                base=[_begun(d, count, point) for (d, _), count in zip(rows, counts, strict=True)],
                marker={"color": [SHADES[tone] for tone in tones],
                        "line": {"color": PAPER, "width": 1}},
                text=[f"{100 * s:.0f} %" if s >= LEAST_WRITTEN else "" for s in shares],
                textposition="inside", insidetextanchor="middle", textangle=0, hoverinfo="skip",
                textfont={"size": 12, "color": [LETTERING[tone] for tone in tones]},
                constraintext="none",
            )
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": INK, "width": 1}, layer="below")
    return figure


def _begun(dimension: Dimension, count: Counter[float], point: float) -> float:
    """Where a score's bar begins: half of the middle score lies on either side of 0."""
    total = count.total() or 1
    middle = (dimension.minimum + dimension.maximum) / 2
    points = dimension.points if dimension.higher_is_better else dimension.points[::-1]
    left = sum(count[p] for p in points if _worse(dimension, p, middle)) / total
    left += sum(count[p] for p in points if p == middle) / total / 2
    before = sum(count[p] for p in points[: points.index(point)]) / total if point in points else 0
    return before - left


def _worse(dimension: Dimension, point: float, middle: float) -> bool:
    return point < middle if dimension.higher_is_better else point > middle


def _tone(dimension: Dimension, point: float) -> int:
    """Place in `SHADES`: the best score is the last shade whichever way the scale runs."""
    share = (point - dimension.minimum) / (dimension.maximum - dimension.minimum)
    share = min(max(share, 0.0), 1.0)
    return round((share if dimension.higher_is_better else 1 - share) * (len(SHADES) - 1))


def kappa(results: Results) -> Drawing | None:
    """Weighted kappa of each pair of raters, dimension by dimension, as a table of shades."""
    import plotly.graph_objects as go

    dataset = results.dataset
    rows = [r for r in results.agreement if r.scope == "all responses" and r.pairs]
    if not rows:
        return None
    pairs = [f"{pair.first} and {pair.second}" for pair in rows[0].pairs]
    values = [[None if isinstance(p.kappa, NotComputed) else p.kappa for p in row.pairs]
              for row in rows]  # fmt: skip
    figure = go.Figure(
        go.Heatmap(
            z=values, x=pairs, y=[row.dimension.label for row in rows], zmin=0, zmax=1, xgap=3,
            ygap=3, colorscale=[[0, "#f3efe6"], [1, "#0f5c63"]], showscale=False, hoverinfo="skip",
        )
    )  # fmt: skip
    for row, line in zip(rows, values, strict=True):
        for pair, value in zip(pairs, line, strict=True):
            dark = value is not None and value > 0.55
            figure.add_annotation(
                x=pair, y=row.dimension.label, showarrow=False,
                text="\u2013" if value is None else number(value),
                font={"size": 13, "color": PAPER if dark else INK},
            )  # fmt: skip
    style(figure, dataset, height=54 * len(rows) + 150)
    figure.update_layout(margin={"l": 14, "t": 10, "b": 70})
    figure.update_xaxes(showgrid=False, side="bottom")
    figure.update_yaxes(autorange="reversed", automargin=True)
    title = "Weighted kappa of each pair of raters"
    described = "; ".join(
        f"{row.dimension.label}: "
        + ", ".join(
            f"{name} {'undefined' if value is None else number(value)}"
            for name, value in zip(pairs, line, strict=True)
        )
        for row, line in zip(rows, values, strict=True)
    )
    return Drawing("kappa", title, f"{title}. {described}.", figure, dataset.simulated_note)
