"""What the data would have supported at every margin."""

from __future__ import annotations

from analysis.dataset import Dataset
from analysis.drawing import ACCENT, INK, MARK, QUIET, Drawing, safe, style
from analysis.primary import DimensionResult
from analysis.results import Results
from analysis.wording import p_cell

PANEL = 190
LEAST_P = 1e-4
"""Smaller p values are drawn here: the axis is logarithmic."""


def margin_curve(results: Results) -> Drawing | None:
    """P of non-inferiority and equivalence over margins, for the main contrast."""
    from plotly.subplots import make_subplots

    dataset = results.dataset
    rows = [r for r in results.dimensions if r.contrast == dataset.contrasts[0] and r.curve]
    if not rows:
        return None
    gap = 0.36 / len(rows) if len(rows) > 1 else 0.0
    figure = make_subplots(rows=len(rows), cols=1, shared_xaxes=True, vertical_spacing=gap)
    for place, result in enumerate(rows, start=1):
        _panel(figure, result, place, dataset)
    style(figure, dataset, height=PANEL * len(rows) + 150)
    figure.update_layout(
        margin={"t": 34, "l": 54},
        legend={"orientation": "h", "y": 0, "yref": "paper", "yanchor": "top", "x": 0,
                "font": {"size": 13}},
    )  # fmt: skip
    figure.update_layout(legend_y=-0.08)
    figure.update_yaxes(
        type="log", range=[-4.1, 0.1], tickvals=[1, 0.05, 0.01, 0.001, 0.0001],
        ticktext=["1", ".05", ".01", ".001", ".0001"], showgrid=True, gridcolor="#eef1f1",
    )  # fmt: skip
    figure.update_xaxes(showticklabels=True, dtick=0.1)
    alpha = float(dataset.protocol["analysis"]["alpha"])
    title = (
        "p of each claim by the margin, rubric points; dashed: the levels "
        f"{alpha:g} and {alpha / 2:g}"
    )
    described = "; ".join(_in_words(result) for result in rows)
    return Drawing("margin_curve", title, f"{title}. {described}.", figure, dataset.simulated_note)


def _panel(figure: object, result: DimensionResult, place: int, dataset: Dataset) -> None:
    import plotly.graph_objects as go

    assert isinstance(figure, go.Figure)
    alpha = float(dataset.protocol["analysis"]["alpha"])
    margins = [point.margin for point in result.curve]
    for name, values, dash, symbol, colour in (
        ("not worse by the margin", [p.p_noninferiority for p in result.curve], "solid", "circle",
         ACCENT),
        ("equivalent within the margin", [p.p_equivalence for p in result.curve], "dot",
         "diamond-open", INK),
    ):  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=margins, y=[None if v is None else max(v, LEAST_P) for v in values], name=name,
                mode="lines+markers", line={"color": colour, "dash": dash, "width": 2},
                marker={"symbol": symbol, "size": 7}, showlegend=place == 1, hoverinfo="skip",
            ), row=place, col=1,
        )  # fmt: skip
    for level in (alpha, alpha / 2):
        figure.add_hline(
            y=level, line={"color": QUIET, "width": 1, "dash": "dash"}, row=place, col=1
        )
    if dataset.margin is not None:
        figure.add_vline(x=dataset.margin.points, line={"color": MARK, "dash": "dash"},
                         row=place, col=1)  # fmt: skip
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=1, yref=f"y{place if place > 1 else ''} domain",
        yanchor="bottom", yshift=4, text=f"<b>{safe(result.dimension.label)}</b>", showarrow=False,
        font={"size": 14, "color": INK},
    )  # fmt: skip


def _in_words(result: DimensionResult) -> str:
    points = ", ".join(
        f"{p.margin:g}: {_p(p.p_noninferiority)} and {_p(p.p_equivalence)}" for p in result.curve
    )
    return f"{result.dimension.label}, by margin non-inferiority and equivalence: {points}"


def _p(value: float | None) -> str:
    return "none" if value is None else p_cell(value)
