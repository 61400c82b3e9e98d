"""What a set of vignettes covers, as Markdown tables for its documentation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from study.vignette import Vignette

DIFFICULTIES = ("low", "medium", "high")
CHECKS = ("source text read", "second-hand copy", "not checked")


def coverage(vignettes: Sequence[Vignette]) -> str:
    """All coverage tables: the matrix, the texts, the decoys, the sources.

    Args:
        vignettes: In the order in which they are to be listed.
    """
    parts = (
        ("Category, difficulty and GO", _matrix(vignettes)),
        ("Texts", _texts(vignettes)),
        ("Decoys", _decoys(vignettes)),
        ("Sources, and how each was checked", _sources(vignettes)),
    )
    return "\n".join(f"### {title}\n\n{body}" for title, body in parts)


def reading_ease(text: str) -> float:
    """Flesch's reading ease: about 30 is difficult, 60 plain.

    A line of a list counts as a sentence. Syllables are those at which the word may be hyphenated,
    one more than its breaks; numbers are left out, since nobody reads them as words.

    References:
        Flesch 1948, doi 10.1037/h0057532.
    """
    from pyphen import Pyphen

    hyphenation = Pyphen(lang="en_US", left=1, right=1)
    sentences = [s for s in re.split(r"[.;:!?](?:\s|$)|\n", text) if re.search(r"[A-Za-z]", s)]
    words = re.findall(r"[A-Za-z]+(?:'[a-z]+)?", text)
    syllables = sum(len(hyphenation.positions(word)) + 1 for word in words)
    return 206.835 - 1.015 * len(words) / len(sentences) - 84.6 * syllables / len(words)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)


def how_checked(vignette: Vignette) -> Counter[str]:
    """How many references of the key were checked in which way."""
    return Counter(
        source.checked.partition(" (")[0]
        for point in vignette.hidden.key_points
        for source in point.provenance
    )


def _matrix(vignettes: Sequence[Vignette]) -> str:
    cells: dict[tuple[str, str], list[str]] = {}
    for vignette in vignettes:
        place = (vignette.hidden.category, vignette.hidden.difficulty)
        cells.setdefault(place, []).append(_name(vignette))
    categories = list(dict.fromkeys(category for category, _ in cells))
    rows = [
        [category, *(" ".join(cells.get((category, d), [])) for d in DIFFICULTIES)]
        for category in categories
    ]
    counts = [
        str(sum(v.hidden.difficulty == difficulty for v in vignettes))
        for difficulty in DIFFICULTIES
    ]
    n_go = sum(v.hidden.plan_appropriate for v in vignettes)
    note = (
        f"\n{len(vignettes)} vignettes; in bold the {n_go} in which the plan is appropriate (GO).\n"
    )
    return table(["category", *DIFFICULTIES], [*rows, ["all", *counts]]) + note


def _name(vignette: Vignette) -> str:
    name = vignette.vignette_id
    return f"**{name}**" if vignette.hidden.plan_appropriate else name


def _texts(vignettes: Sequence[Vignette]) -> str:
    rows = []
    for vignette in vignettes:
        text = vignette.texts["en"].text
        kinds = Counter(point.kind for point in vignette.hidden.key_points)
        rows.append(
            [
                _name(vignette), vignette.title, vignette.hidden.high_alert_class or "",
                vignette.hidden.ncc_merp_harm_if_missed, len(text.split()),
                f"{reading_ease(text):.0f}",
                *(kinds[k] for k in ("must", "should", "bonus", "critical_error")),
                " ".join(sorted(vignette.texts)), " ".join(vignette.declared_cues),
            ]
        )  # fmt: skip
    header = (
        "id", "title", "high-alert class", "harm if missed", "words", "reading ease", "must",
        "should", "bonus", "critical", "languages", "cues",
    )  # fmt: skip
    return table(header, rows)


def _decoys(vignettes: Sequence[Vignette]) -> str:
    return table(
        ["id", "abnormal or odd, and harmless here"],
        ([_name(v), "; ".join(v.hidden.decoys)] for v in vignettes),
    )


def _sources(vignettes: Sequence[Vignette]) -> str:
    rows = []
    total: Counter[str] = Counter()
    for vignette in vignettes:
        counts = how_checked(vignette)
        total += counts
        rows.append([_name(vignette), *(counts[c] for c in CHECKS), _documents(vignette)])
    return table(["id", *CHECKS, "documents"], [*rows, ["all", *(total[c] for c in CHECKS), ""]])


def _documents(vignette: Vignette) -> str:
    """Each document once, the unchecked ones marked."""
    documents: Mapping[str, bool] = {
        source.document: source.checked != "not checked"
        for point in vignette.hidden.key_points
        for source in point.provenance
    }
    return "; ".join(
        name if checked else f"{name} (not checked)" for name, checked in documents.items()
    )
