"""Power curves for planning a study."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.drawing import FONT, INK, PAPER, QUIET, RULE, Drawing
from analysis.power import Power

CLAIMS = (
    ("superiority", "superior on one dimension, at the level of Holm's first step"),
    ("noninferiority", "not worse by the margin"),
    ("equivalence", "equivalent within the margin"),
)
COLOURS = ("#0f5c63", "#b4552d", "#566469", "#1b2a30", "#8a6d1c", "#6b4a86")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square-open", "diamond", "triangle-up-open", "x", "star-open")
PANEL = 250


def power_curves(cells: Sequence[Power]) -> Drawing:
    """Power against vignettes, one line for each number of residents and raters.

    Args:
        cells: Of `analysis.power.simulate`.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.1)
    sizes = list(dict.fromkeys((c.n_residents, c.n_raters) for c in cells))
    for row, (claim, words) in enumerate(CLAIMS, start=1):
        for place, (residents, raters) in enumerate(sizes):
            line = [c for c in cells if (c.n_residents, c.n_raters) == (residents, raters)]
            line.sort(key=lambda c: c.n_vignettes)
            look = place % len(COLOURS)
            figure.add_trace(
                go.Scatter(
                    x=[c.n_vignettes for c in line], y=[getattr(c, claim) for c in line],
                    mode="lines+markers", name=f"{residents} residents, {raters} raters",
                    showlegend=row == 1, hoverinfo="skip",
                    line={"color": COLOURS[look], "dash": DASHES[look], "width": 2},
                    marker={"symbol": SYMBOLS[look], "size": 8},
                ), row=row, col=1,
            )  # fmt: skip
        figure.add_hline(y=0.8, line={"color": QUIET, "width": 1, "dash": "dash"}, row=row, col=1)
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=1, yref=f"y{row if row > 1 else ''} domain",
            yanchor="bottom", yshift=4, text=f"<b>{words}</b>", showarrow=False,
            font={"size": 14, "color": INK},
        )  # fmt: skip
    figure.update_layout(
        template="none", font={"family": FONT, "size": 14, "color": INK}, paper_bgcolor=PAPER,
        plot_bgcolor=PAPER, height=3 * PANEL + 120, dragmode=False,
        margin={"l": 54, "r": 14, "t": 34, "b": 110},
        legend={"orientation": "h", "y": -0.1, "yanchor": "top", "x": 0, "font": {"size": 13}},
    )  # fmt: skip
    figure.update_xaxes(gridcolor=RULE, showticklabels=True, fixedrange=True, zeroline=False)
    figure.update_yaxes(
        gridcolor=RULE, range=[0, 1.03], tickformat=".0%", fixedrange=True, zeroline=False
    )
    title = f"Power by the number of vignettes, true difference {cells[0].effect:g} points"
    described = "; ".join(
        f"{c.n_vignettes} vignettes, {c.n_residents} residents, {c.n_raters} raters: "
        + ", ".join(f"{claim} {100 * getattr(c, claim):.0f} %" for claim, _ in CLAIMS)
        for c in cells
    )
    return Drawing("power", title, f"{title}. {described}.", figure, None)
