"""Leaving one thing out at a time: does any one rater, respondent or vignette carry the result?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.drawing import ACCENT, INK, MARK, QUIET, Drawing, safe, style, write
from analysis.paired import HodgesLehmann
from analysis.results import Results
from analysis.robustness import RobustRow
from analysis.wording import number

if TYPE_CHECKING:
    import plotly.graph_objects as go

KINDS = (
    ("leave one rater out", "rater", "diamond"),
    ("leave one respondent out", "respondent", "square-open"),
    ("leave one vignette out", "vignette", "circle-open"),
)
ROW = 34


def leave_one_out(results: Results) -> Drawing | None:
    """A dot for every variation, the full estimate as a line, dimension by dimension."""
    import plotly.graph_objects as go

    dataset = results.dataset
    main = [r for r in results.dimensions if r.contrast == dataset.contrasts[0]]
    figure, described, y = go.Figure(), [], 0.0
    ends = [1.0]
    for result in main:
        rows = [r for r in results.robustness if r.dimension == result.dimension.label]
        if not any(r.kind == kind and r.value is not None for r in rows for kind, _, _ in KINDS):
            continue
        y += 1.2
        write(figure, f"<b>{safe(result.dimension.label)}</b>", y)
        begun = y + 0.5
        for kind, word, symbol in KINDS:
            values = [r.value for r in rows if r.kind == kind and r.value is not None]
            if not values:
                continue
            y += 1
            _dots(figure, rows, kind, symbol, y)
            _label(figure, f"without one {word}", y)
            ends += [abs(value) for value in values]
            described.append(f"{result.dimension.label}, {_spread(word, values)}")
        if isinstance(result.hodges_lehmann, HodgesLehmann):
            _line(figure, result.hodges_lehmann.value, begun, y + 0.5)
    if not described:
        return None
    style(figure, dataset, height=round(ROW * (y + 1.4)) + 90)
    reach = max(ends) * 1.1
    figure.update_xaxes(range=[-reach, reach], nticks=7)
    figure.update_yaxes(visible=False, range=[y + 0.8, 0.4])
    figure.add_vline(x=0, line={"color": INK, "width": 1.2}, layer="below")
    title = "The difference with one thing left out; the line is the full estimate"
    words = f"{title}. {'; '.join(described)}."
    return Drawing("leave_one_out", title, words, figure, dataset.simulated_note)


def _dots(figure: go.Figure, rows: Sequence[RobustRow], kind: str, symbol: str, y: float) -> None:
    import plotly.graph_objects as go

    used = [r for r in rows if r.kind == kind and r.value is not None]
    figure.add_trace(
        go.Scatter(
            x=[r.value for r in used], y=[y] * len(used), mode="markers", showlegend=False,
            text=[r.name for r in used], hovertemplate="without %{text}: %{x:.2f}<extra></extra>",
            marker={"symbol": symbol, "size": 9, "color": ACCENT, "opacity": 0.75,
                    "line": {"width": 1.5, "color": ACCENT}},
        )
    )  # fmt: skip


def _line(figure: go.Figure, value: float, begun: float, ended: float) -> None:
    import plotly.graph_objects as go

    figure.add_trace(
        go.Scatter(x=[value, value], y=[begun, ended], mode="lines", showlegend=False,
                   hoverinfo="skip", line={"color": MARK, "width": 1.6, "dash": "dash"})
    )  # fmt: skip


def _label(figure: go.Figure, words: str, y: float) -> None:
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=y, yanchor="middle", text=safe(words),
        showarrow=False, font={"size": 12, "color": QUIET},
    )  # fmt: skip


def _spread(word: str, values: Sequence[float]) -> str:
    return f"without one {word} {number(min(values))} to {number(max(values))}"
