"""How every figure looks, and what it is: drawn bare, with its title and note set by the page.

Labels stand above what they name instead of beside it, so that one figure serves a printed page and
a telephone. A figure that stands alone gets its title and the simulated note from `titled`.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.dataset import Dataset

if TYPE_CHECKING:
    import plotly.graph_objects as go

INK, QUIET, ACCENT, PAPER = "#1b2a30", "#566469", "#0f5c63", "#ffffff"
RULE, MARK = "#dfe4e4", "#9a3412"
FONT = "Georgia, 'Times New Roman', serif"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with the words that belong to it."""

    name: str
    title: str
    description: str
    """For those who cannot see it: what it shows, with the numbers."""
    figure: go.Figure
    simulated_note: str | None


def write(figure: go.Figure, words: str, y: float, *, colour: str = INK, size: int = 14) -> None:
    """Words at the left edge, their middle at the row coordinate `y`."""
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=y, yanchor="middle", align="left", text=words,
        showarrow=False, bgcolor=PAPER, borderpad=1, font={"size": size, "color": colour},
    )  # fmt: skip


def style(figure: go.Figure, dataset: Dataset, *, height: int) -> None:
    """Give a figure the house's look, and the word SIMULATED where it belongs."""
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


def safe(words: str) -> str:
    """Words of the protocol as Plotly text, in which tags are markup."""
    return html.escape(words, quote=False)


def titled(drawing: Drawing) -> go.Figure:
    """The figure with its title and the whole simulated note, to stand alone as an image."""
    import plotly.graph_objects as go

    figure = go.Figure(drawing.figure)
    lines = [f"<b>{safe(drawing.title)}</b>"]
    if drawing.simulated_note:
        lines += [
            f"<span style='font-size:13px;color:{MARK}'>{safe(line)}</span>"
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
