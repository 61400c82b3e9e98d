"""What raters guessed: Bang's index of each arm, all raters together and one by one."""

from __future__ import annotations

from analysis.attempts import NotComputed
from analysis.drawing import ACCENT, INK, Drawing, safe, style, write
from analysis.results import Results
from analysis.values import Interval
from analysis.wording import number

ROW = 40


def blinding(results: Results) -> Drawing | None:
    """Bang's index with its limits; left out where raters were not asked to guess."""
    import plotly.graph_objects as go

    blinded, dataset = results.blinded, results.dataset
    if isinstance(blinded.guesses, NotComputed):
        return None
    figure, described, y = go.Figure(), [], 0.0
    for arm, label in enumerate((dataset.first.label, dataset.second.label)):
        y += 1.1
        write(figure, f"<b>Guesses on {safe(label)}</b>", y)
        for place, row in enumerate(blinded.guesses):
            bounds = _bounds(results, place, arm)
            if bounds is None:
                continue
            y += 1
            value, low, high = bounds
            figure.add_trace(
                go.Scatter(x=[low, high], y=[y, y], mode="lines", showlegend=False,
                           line={"color": ACCENT, "width": 3 if place == 0 else 1.6},
                           hoverinfo="skip")
            )  # fmt: skip
            figure.add_trace(
                go.Scatter(x=[value], y=[y], mode="markers", showlegend=False, hoverinfo="skip",
                           marker={"size": 11, "symbol": "square" if place == 0 else "circle-open",
                                   "color": ACCENT, "line": {"width": 1.8, "color": ACCENT}})
            )  # fmt: skip
            words = f"{row.rater}: {number(value)} ({number(low)} to {number(high)})"
            write(figure, safe(words), y - 0.42, size=12)
            described.append(f"{label}, {words}")
    style(figure, dataset, height=round(ROW * (y + 1.2)) + 90)
    figure.update_xaxes(range=[-1.05, 1.05], tickvals=[-1, -0.5, 0, 0.5, 1])
    figure.update_yaxes(visible=False, range=[y + 0.7, 0.5])
    figure.add_vline(x=0, line={"color": INK, "width": 1.2}, layer="below")
    title = "Bang's index: 1 if all guess right, 0 as by chance, \u22121 if all guess wrong"
    words = f"{title}. {'; '.join(described)}."
    return Drawing("blinding", title, words, figure, dataset.simulated_note)


def _bounds(results: Results, place: int, arm: int) -> tuple[float, float, float] | None:
    """Of all raters by the bootstrap, of one rater by the limits of the index."""
    blinded = results.blinded
    if place == 0 and not isinstance(blinded.bang_intervals, NotComputed):
        pooled = blinded.bang_intervals[arm]
        if isinstance(pooled, Interval):
            return pooled.value, pooled.low, pooled.high
    if isinstance(blinded.guesses, NotComputed):
        return None
    bang = blinded.guesses[place].bang
    if isinstance(bang, NotComputed):
        return None
    index = bang.arms[arm]
    return index.value, index.low, index.high
