"""The console's pictures: who has rated what, ratings a day, agreement, and the flow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape

from app.monitoring import DimensionAgreement, Forecast, RaterWatch
from study.monitor import FlowStep

DAYS_SHOWN = 28


def heat(
    vignettes: Sequence[str],
    due: Mapping[tuple[str, str], int],
    done: Mapping[tuple[str, str], int],
) -> str:
    """Raters by vignettes; every cell says how many of how many, and is shaded by the share."""
    raters = sorted({rater for rater, _ in due})
    if not raters:
        return ""
    head = "".join(f'<th scope="col">{escape(v)}</th>' for v in vignettes)
    rows = "".join(
        f'<tr><th scope="row">{escape(rater)}</th>'
        + "".join(_cell(done.get((rater, v), 0), due.get((rater, v), 0)) for v in vignettes)
        + "</tr>"
        for rater in raters
    )
    return (
        "<h2>Raters and vignettes</h2>"
        '<div class="sm-scroll" tabindex="0" role="region" aria-label="Ratings done by rater and '
        'vignette"><table class="sm-heat"><thead><tr><th scope="col">rater</th>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(done: int, due: int) -> str:
    if not due:
        return '<td class="sm-none" aria-label="none allocated"></td>'
    level = 0 if not done else 3 if done >= due else 1 if done * 2 < due else 2
    return f'<td class="sm-heat{level}">{done}/{due}</td>'


def days(per_day: Sequence[tuple[date, int]], ahead: Forecast | None) -> str:
    """Ratings on each of the last days as bars with their numbers, and the forecast in words."""
    if not per_day:
        return ""
    shown = per_day[-DAYS_SHOWN:]
    most = max(n for _, n in shown) or 1
    bars = "".join(
        f'<li><span class="sm-n">{n or ""}</span>'
        f'<span class="sm-rod" style="height: {72 * n / most:.0f}px"></span>'
        f'<span class="sm-day">{day:%d&nbsp;%b}</span></li>'
        for day, n in shown
    )
    words = (
        f"About {ahead.per_day:.0f} a day over the last week; at that pace rating ends on "
        f"{ahead.finished_on:%d %B %Y}."
        if ahead
        else ""
    )
    return (
        '<h2>Ratings a day</h2><div class="sm-scroll" tabindex="0" role="region" '
        f'aria-label="Ratings a day"><ol class="sm-days">{bars}</ol></div><p>{words}</p>'
    )


def agreement(found: Sequence[DimensionAgreement]) -> str:
    """Alpha so far on each dimension."""
    if not found:
        return ""
    rows = "".join(
        f"<tr><td>{escape(a.label)}</td><td>{_alpha(a)}</td><td>{a.n_responses}</td></tr>"
        for a in found
    )
    return (
        "<h2>Agreement so far</h2>"
        '<table class="sm-table"><thead><tr><th scope="col">dimension</th>'
        '<th scope="col">Krippendorff\u2019s alpha (95 % interval)</th>'
        f'<th scope="col">shared responses</th></tr></thead><tbody>{rows}</tbody></table>'
        '<p class="sm-quiet">Ordinal, over all arms together; intervals resample vignettes.</p>'
    )


def _alpha(a: DimensionAgreement) -> str:
    if a.alpha is None:
        return f'<span class="sm-quiet">{escape(a.note)}</span>'
    return f"{a.alpha:.2f} ({a.low:.2f} to {a.high:.2f})"


def raters(watched: Sequence[RaterWatch]) -> str:
    """Pace, drift and flags of each rater."""
    if not watched:
        return ""
    rows = "".join(
        f"<tr><td>{escape(w.rater)}</td><td>{w.n_ratings}</td><td>{_pace(w.pace_s)}</td>"
        f"<td>{'' if w.drift is None else f'{w.drift:+.2f}'}</td>"
        f"<td>{escape('; '.join(w.flags)) or 'none'}</td></tr>"
        for w in watched
    )
    return (
        '<h2>Raters\u2019 course</h2><table class="sm-table"><thead><tr><th scope="col">rater</th>'
        '<th scope="col">ratings</th><th scope="col">pace</th>'
        '<th scope="col">drift, points</th><th scope="col">to look at</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _pace(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def flow(steps: Sequence[FlowStep]) -> str:
    """The flow diagram, all arms together; before unblinding nobody splits it."""
    boxes = "".join(
        f"<li><strong>{escape(step.label)}</strong>"
        + "".join(f"<span>{escape(words)} <b>{n}</b></span>" for words, n in step.lines)
        + "</li>"
        for step in steps
    )
    return f'<h2>Flow</h2><ol class="sm-flow" aria-label="Flow of the study">{boxes}</ol>'


def done_by_cell(pairs: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
    """How many ratings each pair of rater and vignette has."""
    return Counter(pairs)
