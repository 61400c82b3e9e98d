"""Reporting checklists prefilled from the record, each gap named.

CHART's items are named as its published abstract names them; the words of its subitems, and the
items of TRIPOD-LLM, are not repeated here, and none is invented: the guideline itself has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.attempts import NotComputed
from analysis.results import Results

CHART = "CHART Collaborative 2025, BMC Med. 23, 447, doi 10.1186/s12916-025-04274-w (abstract)"
TRIPOD_LLM = "Gallifant et al. 2025, Nat. Med. 31, 60, doi 10.1038/s41591-024-03425-5 (abstract)"
GAP = "GAP: "


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a checklist, with what the record says."""

    number: str
    name: str
    said: str

    @property
    def is_gap(self) -> bool:
        """Whether the record has nothing for it."""
        return self.said.startswith(GAP)


def checklists_md(results: Results) -> str:
    """Both checklists as Markdown."""
    chart, tripod = chart_items(results), tripod_facts(results)
    note = results.dataset.simulated_note
    lines = ["# Reporting checklists", ""]
    lines += [f"**{note}**", ""] if note else []
    lines += [
        "Prefilled from the record of this analysis. A gap is for the authors to fill.", "",
        f"## CHART ({len([i for i in chart if i.is_gap])} gaps)", "",
        f"Items as named in {CHART}. The words of the subitems stand in the guideline.", "",
        *_table(chart), "",
        f"## TRIPOD-LLM ({len([i for i in tripod if i.is_gap])} gaps)", "",
        f"{TRIPOD_LLM} has 19 main items and 50 subitems from title to discussion, completed on "
        "the guideline's own site. Its items are not reproduced here; these facts of the record "
        "answer what a reader of it asks.", "",
        *_table(tripod), "",
    ]  # fmt: skip
    return "\n".join(lines)


def _table(items: tuple[Item, ...]) -> list[str]:
    rows = [f"| {i.number} | {i.name} | {i.said.replace('|', '/')} |" for i in items]
    return ["| item | about | in this study |", "| --- | --- | --- |", *rows]


def chart_items(results: Results) -> tuple[Item, ...]:
    """CHART's items in order."""
    made: tuple[tuple[str, str, Callable[[Results], str]], ...] = (
        ("1a", "Title", lambda r: f"Working title: {r.dataset.manifest['title']}"),
        ("1b", "Abstract or summary", lambda r: _gap("written by the authors; page one helps")),
        ("2a, b", "Background", lambda r: _gap("written by the authors")),
        ("3a, b", "Model identifiers", _models),
        ("4a to c", "Model details", lambda r: _gap("from the model card of each checkpoint")),
        ("5a, b", "Prompt engineering", _instruction),
        ("6a to d", "Query strategy", _queries),
        ("7a, b", "Performance evaluation", _evaluation),
        ("8", "Sample size", lambda r: _gap("say how it was chosen; `safemed power` plans one")),
        ("9a", "Data analysis", lambda r: "methods.md, from this very run"),
        ("10a to c", "Results", lambda r: "report.html, tables/ and figures/"),
        ("11a to c", "Discussion", lambda r: _gap("written by the authors")),
        ("12a", "Disclosures", lambda r: _identifier(r, "conflicts_of_interest")),
        ("12b", "Funding", lambda r: _identifier(r, "sponsor")),
        ("12c", "Ethics", lambda r: _identifier(r, "ethics")),
        ("12d", "Protocol", _protocol),
        ("12e", "Data availability", _availability),
    )
    return tuple(Item(number, name, say(results)) for number, name, say in made)


def tripod_facts(results: Results) -> tuple[Item, ...]:
    """What the record holds for TRIPOD-LLM, by theme."""
    made: tuple[tuple[str, Callable[[Results], str]], ...] = (
        ("The model, version and digest of its weights", _models),
        ("The instruction it was given, the same as people's", _instruction),
        ("The data it was asked about, and their dates", _queries),
        ("Training data, alignment and compute", lambda r: _gap("from the training manifest")),
        ("Human oversight and participants", _participants),
        ("How outputs were judged, and by whom", _evaluation),
        ("Failures and missing outputs", _failures),
        (
            "Task-specific performance with uncertainty",
            lambda r: "tables/primary and tables/effects",
        ),
        ("Potential harm", _harm),
        ("Registration and protocol", _protocol),
        ("Data and code", _availability),
        ("Public involvement", lambda r: _gap("not in the record")),
    )
    return tuple(
        Item(str(place), name, say(results)) for place, (name, say) in enumerate(made, start=1)
    )


def _gap(words: str) -> str:
    return GAP + words


def _models(results: Results) -> str:
    models = [
        f"{row['model']} (weights {str(row['weights_sha256'])[:12]})"
        for row in results.dataset.tables["respondents"]
        if row.get("model")
    ]
    return "; ".join(models) or _gap("no model is named in the data")


def _instruction(results: Results) -> str:
    words = results.dataset.protocol.get("instruction")
    return f"One instruction for people and model: {words}" if words else _gap("not in the record")


def _queries(results: Results) -> str:
    dataset = results.dataset
    count = f"{len(dataset.vignettes)} vignettes, each asked once of every respondent"
    place = dataset.protocol.get("jurisdiction")
    return (
        f"{count}; jurisdiction and date: {place}" if place else f"{count}; no date in the record"
    )


def _evaluation(results: Results) -> str:
    dataset = results.dataset
    names = ", ".join(d.label for d in dataset.dimensions)
    raters = len(dataset.tables["raters"])
    asked = not isinstance(results.blinded.guesses, NotComputed)
    held = "guesses of the source reported" if asked else "guesses of the source not asked for"
    return f"{raters} raters under opaque codes on {names}; {held}"


def _participants(results: Results) -> str:
    return "; ".join(f"{f.label}: {f.n_respondents} respondents" for f in results.flow)


def _failures(results: Results) -> str:
    return "; ".join(
        f"{f.label}: {f.n_failed} failed, {f.n_missing} unanswered of {f.n_planned}"
        for f in results.flow
    )


def _harm(results: Results) -> str:
    if isinstance(results.harm.rows, NotComputed):
        return _gap("raters were not asked about harm")
    return "tables/harm, every severe mark listed on page one"


def _identifier(results: Results, name: str) -> str:
    words = str(results.dataset.protocol.get("identifiers", {}).get(name, ""))
    return words or _gap("not in the record")


def _protocol(results: Results) -> str:
    manifest = results.dataset.manifest
    if manifest["audit_head"] is None and "public" not in manifest:
        return _gap("a table from elsewhere; no registration is recorded")
    return (
        f"registered, SHA-256 {manifest['protocol_sha256']}; registry: "
        f"{_identifier(results, 'registry')}"
    )


def _availability(results: Results) -> str:
    manifest = results.dataset.manifest
    return (
        f"frozen tables with digests in summary.json; code version {manifest['code_version']}; "
        "where they lie is for the authors to say"
    )
