"""One self-contained HTML report; it opens from disk and asks nothing of the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis import figures as drawing
from analysis.differences import Differences
from analysis.results import Results
from analysis.tables import Table, to_html
from analysis.wording import finding

if TYPE_CHECKING:
    import plotly.graph_objects as go

TEMPLATES = Path(__file__).parent / "templates"


def report_html(
    results: Results, tables: tuple[Table, ...], figures: Mapping[str, go.Figure]
) -> str:
    """The whole report as one HTML text, Plotly's script included once."""
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    # Everything is escaped but what this package rendered itself.
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return environment.get_template("report.html.j2").render(
        plotly_js=Markup(get_plotlyjs()),
        tables={table.name: Markup(to_html(table)) for table in tables},
        figures={n: Markup(drawing.to_html(figure, n)) for n, figure in figures.items()},
        **_words(results),
    )


def figure_html(figure: go.Figure, name: str, title: str) -> str:
    """One figure as a page of its own."""
    from plotly.offline import get_plotlyjs

    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<script>{get_plotlyjs()}</script></head><body>{drawing.to_html(figure, name)}"
        "</body></html>"
    )


def _words(results: Results) -> dict[str, Any]:
    dataset = results.dataset
    manifest, protocol = dataset.manifest, dataset.protocol
    identifiers = protocol["identifiers"]
    return {
        "title": manifest["title"],
        "kind": "Simulated study."
        if manifest["simulated"]
        else f"Registered study; registry: {identifiers['registry']}; ethics: "
        f"{identifiers['ethics']}.",
        "simulated_note": dataset.simulated_note,
        "compared": _compared(results),
        "conditions": _conditions(protocol),
        "flow": results.flow,
        "excluded": ", ".join(_excluded(results)),
        "findings": [finding(dataset, result) for result in results.dimensions],
        "unblindings": manifest["unblindings"],
        "estimand": _estimand(protocol["estimand"]),
        "rules": _rules(protocol),
        "provenance": _provenance(manifest),
    }


def _compared(results: Results) -> str:
    dataset = results.dataset
    first, second = dataset.first, dataset.second
    flows = {f.arm: f for f in results.flow}
    n_raters = len(dataset.tables["raters"])
    n_vignettes = len(dataset.protocol["vignettes"])
    return (
        f"{first.label} ({flows[first.id].n_respondents}) against {second.label} "
        f"({flows[second.id].n_respondents}) on {n_vignettes} vignettes, rated blind by {n_raters} "
        f"rater{'' if n_raters == 1 else 's'} on {len(dataset.dimensions)} dimensions. "
        f"Jurisdiction of the guidelines: {dataset.protocol['jurisdiction']}."
    )


def _conditions(protocol: Mapping[str, Any]) -> str:
    conditions = protocol["conditions"]
    words = [
        "references allowed" if conditions["references_allowed"] else "no references",
        "AI assistance allowed" if conditions["ai_assistance_allowed"] else "no AI assistance",
    ]
    if conditions["max_words"]:
        words.append(f"at most {conditions['max_words']} words an answer")
    if conditions["time_limit_minutes"]:
        words.append(f"{conditions['time_limit_minutes']} minutes a vignette")
    return f"Conditions, the same for both arms: {', '.join(words)}."


def _excluded(results: Results) -> list[str]:
    left_out = {
        vignette
        for result in results.dimensions
        if isinstance(result.differences, Differences)
        for vignette in result.differences.excluded
    }
    return sorted(left_out)


def _estimand(estimand: Mapping[str, Any]) -> list[tuple[str, str]]:
    plain = [(name.capitalize(), str(estimand[name])) for name in
             ("population", "contrast", "endpoint", "summary")]  # fmt: skip
    events = [
        (name.replace("_", " ").capitalize(), str(rule))
        for name, rule in estimand["intercurrent_events"].items()
    ]
    return plain + events


def _rules(protocol: Mapping[str, Any]) -> list[tuple[str, str]]:
    settings = protocol["analysis"]
    return [
        ("Unit", "the vignette; raters within respondents, respondents within arms (plan, 1)"),
        ("Test", f"signed-rank, zeros by {settings['zeros']}, exact up to 500 pairs (plan, 2)"),
        ("Family", f"{', '.join(protocol['primary']['family'])}; Holm (plan, 3)"),
        ("Effect sizes", "for every dimension, significant or not (plan, 4)"),
        ("Bootstrap", f"{settings['n_resamples']} resamples of vignettes, seed {settings['seed']}"),
        ("Level", f"alpha {settings['alpha']:g}, confidence {settings['confidence']:g}"),
    ]


def _provenance(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("Study", str(manifest["study_id"])),
        ("Protocol", str(manifest["protocol_sha256"])),
        ("Code version", str(manifest["code_version"])),
        ("Audit head", f"{manifest['audit_head']} ({manifest['n_audit_events']} events)"),
        ("Locked", str(manifest["locked_at"])),
    ]
    tables = manifest["tables"]
    return rows + [
        (f"Table {name}", f"{tables[name]['sha256']} ({tables[name]['rows']} rows)")
        for name in tables
    ]
