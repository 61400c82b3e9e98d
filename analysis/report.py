"""Self-contained HTML: the report, and a page for each table and figure; nothing is fetched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis import drawing
from analysis import table_files as tabling
from analysis.differences import Differences
from analysis.drawing import Drawing
from analysis.page_one import (
    agreement_sentences,
    blinding_sentences,
    deviation_sentence,
    harm_sentences,
)
from analysis.results import Results
from analysis.table import Table
from analysis.wording import finding

PLACED = {"forest", "paired", "margin_curve", "leave_one_out", "ratings", "kappa", "blinding"}
"""Figures that the report's template names; another would follow at the end."""
TEMPLATES = Path(__file__).parent / "templates"


def report_html(results: Results, tables: tuple[Table, ...], figures: Mapping[str, Drawing]) -> str:
    """The whole report as one HTML text, Plotly's script included once."""
    from markupsafe import Markup

    return _render(
        "report.html.j2",
        plotly=True,
        tables={table.name: Markup(tabling.to_html(table)) for table in tables},
        figures={name: Markup(drawing.to_html(figure)) for name, figure in figures.items()},
        other_figures=[
            Markup(drawing.to_html(figure))
            for name, figure in figures.items()
            if name not in PLACED
        ],
        **_words(results),
    )


def table_html(table: Table) -> str:
    """One table as a page of its own."""
    from markupsafe import Markup

    body = Markup(tabling.to_html(table))
    return _render("page.html.j2", plotly=False, title=table.title, body=body)


def figure_html(figure: Drawing) -> str:
    """One figure as a page of its own."""
    from markupsafe import Markup

    body = Markup(drawing.to_html(figure))
    return _render("page.html.j2", plotly=True, title=figure.title, body=body)


def _render(template: str, *, plotly: bool, **words: Any) -> str:
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    # Everything is escaped but what this package rendered itself.
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, keep_trailing_newline=True
    )
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    script = Markup(get_plotlyjs()) if plotly else ""
    return environment.get_template(template).render(style=Markup(style), plotly_js=script, **words)


def _words(results: Results) -> dict[str, Any]:
    dataset = results.dataset
    manifest, protocol = dataset.manifest, dataset.protocol
    return {
        "title": manifest["title"],
        "kind": _kind(manifest, protocol),
        "simulated_note": dataset.simulated_note,
        "compared": [_compared(results), *_conditions(protocol)],
        "flow": results.flow,
        "analysed": _analysed(results),
        "excluded": _excluded(results),
        "findings": [finding(dataset, result) for result in results.dimensions],
        "margin_words": _margin(results),
        "harm": harm_sentences(results),
        "blinding": blinding_sentences(results),
        "agreement": agreement_sentences(results),
        "deviations": deviation_sentence(results),
        "unblinding_note": dataset.unblinding_note,
        "unblindings": manifest["unblindings"],
        "estimand": _estimand(protocol["estimand"]),
        "rules": _rules(protocol),
        "provenance": _provenance(manifest),
    }


def _margin(results: Results) -> str:
    margin = results.dataset.margin
    words = (
        "The estimand is the difference over the population of vignettes, for this panel of "
        "residents; it does not generalise to residents at large. "
    )
    if margin is None:
        return words + (
            'A large p is never read as "matches": that would need a margin declared beforehand, '
            "and this protocol declares none."
        )
    return words + (
        f"Similarity is a claim against the declared margin of {margin.points:g} points "
        f"({margin.reason}), never a large p."
    )


def _kind(manifest: Mapping[str, Any], protocol: Mapping[str, Any]) -> str:
    if manifest["simulated"]:
        return "Simulated study."
    if manifest["audit_head"] is None and "public" not in manifest:
        return "Ratings from elsewhere: no registration, custody or lock is recorded."
    stated = protocol.get("identifiers", {})
    source = " (from its de-identified public bundle)" if "public" in manifest else ""
    return (
        f"Registered study{source}; registry: {stated.get('registry', 'not stated')}; "
        f"ethics: {stated.get('ethics', 'not stated')}."
    )


def _compared(results: Results) -> str:
    dataset = results.dataset
    first, second = dataset.first, dataset.second
    flows = {f.arm: f for f in results.flow}
    n_raters, n_dimensions = len(dataset.tables["raters"]), len(dataset.dimensions)
    arms = " against ".join(
        f"{arm.label} ({_counted(flows[arm.id].n_respondents, 'respondent')})"
        for arm in (first, second)
    )
    words = (
        f"{arms} on {_counted(len(dataset.vignettes), 'vignette')}, rated blind by "
        f"{_counted(n_raters, 'rater')} on {_counted(n_dimensions, 'dimension')}."
    )
    if "jurisdiction" in dataset.protocol:
        words += f" Jurisdiction of the guidelines: {dataset.protocol['jurisdiction']}."
    return words


def _counted(n: int, one: str) -> str:
    return f"{n} {one}" if n == 1 else f"{n} {one}s"


def _conditions(protocol: Mapping[str, Any]) -> list[str]:
    conditions = protocol.get("conditions")
    if conditions is None:
        return []
    words = [
        "references allowed" if conditions["references_allowed"] else "no references",
        "AI assistance allowed" if conditions["ai_assistance_allowed"] else "no AI assistance",
    ]
    if conditions["max_words"]:
        words.append(f"at most {conditions['max_words']} words an answer")
    if conditions["time_limit_minutes"]:
        words.append(f"{conditions['time_limit_minutes']} minutes a vignette")
    return [f"Conditions, the same for both arms: {', '.join(words)}."]


def _analysed(results: Results) -> str:
    n_vignettes = len(results.dataset.vignettes)
    counts = {
        len(result.differences.vignettes) if isinstance(result.differences, Differences) else 0
        for result in results.dimensions
    }
    shown = " to ".join(str(n) for n in sorted({min(counts), max(counts)}))
    left_out = ", by the reason:" if min(counts) < n_vignettes else "."
    return (
        f"Analysed: {shown} of {_counted(n_vignettes, 'vignette')}, those scored in both arms; "
        f"{n_vignettes - min(counts)} left out{left_out}"
    )


def _excluded(results: Results) -> list[str]:
    """Vignettes left out, those with one reason together; the dimension where it is not all."""
    dimensions: dict[tuple[str, str], list[str]] = defaultdict(list)
    for result in results.dimensions:
        if isinstance(result.differences, Differences):
            for gone in result.differences.excluded:
                dimensions[gone.vignette, gone.reason].append(result.dimension.label)
    together: dict[str, list[str]] = defaultdict(list)
    for (vignette, reason), labels in dimensions.items():
        where = "" if len(labels) == len(results.dimensions) else f" in {', '.join(labels)}"
        together[f"{reason}{where}"].append(vignette)
    return [f"{', '.join(vignettes)}: {reason}" for reason, vignettes in together.items()]


def _estimand(estimand: Mapping[str, Any]) -> list[tuple[str, str]]:
    plain = [(name.capitalize(), str(estimand[name])) for name in
             ("population", "contrast", "endpoint", "summary")]  # fmt: skip
    events = [
        (name.replace("_", " ").capitalize(), str(rule))
        for name, rule in estimand["intercurrent_events"].items()
    ]
    return plain + events


def _rules(protocol: Mapping[str, Any]) -> list[tuple[str, str]]:
    settings, primary = protocol["analysis"], protocol["primary"]
    labels = {d["id"]: d["label"] for d in protocol["rating"]["dimensions"]}
    family = ", ".join(labels[name] for name in primary["family"])
    return [
        ("Unit", "the vignette; raters within respondents, respondents within arms (plan, 1)"),
        ("Test", f"signed-rank, zeros by {settings['zeros']}, exact up to 500 pairs (plan, 2)"),
        ("Family", f"{family}; {primary['correction'].capitalize()} (plan, 3)"),
        ("Effect sizes", "for every dimension, significant or not (plan, 4)"),
        ("Claims of similarity", "against the declared margin only (plan, 5)"),
        ("Beyond this panel", "two-way table and crossed mixed model (plan, 6 and 7)"),
        (
            "Bootstrap",
            f"{settings['n_resamples']} resamples of whole vignettes, seed {settings['seed']} "
            "(plan, 8)",
        ),
        ("Agreement", "overall and by arm; by missing ratings no item is dropped (plan, 10)"),
        ("Level", f"alpha {settings['alpha']:g}, confidence {settings['confidence']:g}"),
    ]


def _provenance(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    tables = manifest["tables"]
    return [
        ("Study", str(manifest["study_id"])),
        ("Protocol", str(manifest["protocol_sha256"])),
        ("Code version", str(manifest["code_version"])),
        ("Audit head", f"{manifest['audit_head'] or 'none'} ({manifest['n_audit_events']} events)"),
        ("Locked", str(manifest["locked_at"] or "not known")),
        *(
            (f"Table {name}", f"{entry['sha256']} ({entry['rows']} rows)")
            for name, entry in tables.items()
        ),
    ]
