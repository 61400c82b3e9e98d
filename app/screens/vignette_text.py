"""Setting a vignette's text by its headings; every word stays as it is."""

from __future__ import annotations

from html import escape

from study.vignette import HEADINGS

Section = tuple[str | None, str]
"""A heading, or None for lines before the first one, and the lines under it."""


def sections(text: str) -> list[Section]:
    """The text by its headings, in order; joined again with `Heading: ` it is the same text."""
    found: list[tuple[str | None, list[str]]] = []
    for line in text.splitlines():
        heading = next((h for h in HEADINGS if line.startswith(f"{h}:")), None)
        if heading is not None:
            found.append((heading, [line.removeprefix(f"{heading}:").strip()]))
        elif found:
            found[-1][1].append(line)
        else:
            found.append((None, [line]))
    return [(heading, "\n".join(lines).strip()) for heading, lines in found]


def vignette_html(text: str) -> str:
    """The text as a list of headings and what stands under them."""
    plain = "".join(
        f'<p class="sm-plain">{escape(words)}</p>' for heading, words in sections(text)
        if heading is None and words
    )  # fmt: skip
    rows = "".join(
        f'<dt>{heading}<span class="sm-unseen">: </span></dt><dd>{_lines(words)}</dd>'
        for heading, words in sections(text)
        if heading is not None
    )
    return f"{plain}<dl>{rows}</dl>"


def _lines(words: str) -> str:
    """Each line by itself, so that an entry's second line is set in."""
    return "\n".join(
        f'<span class="sm-line{" sm-item" if line.startswith("- ") else ""}">{escape(line)}</span>'
        for line in words.splitlines()
    )
