"""The README of a public bundle: what was done, what it does to this study, what risk remains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from study.exports.frozen import Frozen
from study.exports.small_cells import SMALLEST_CELL, Merge


@dataclass(frozen=True, slots=True)
class Choices:
    """What whoever publishes decides."""

    comments: bool = False
    """Whether free text of raters and adjudicators stays."""
    texts: bool = True
    """Whether the responses stay, as the raters saw them."""


def readme(frozen: Frozen, public: Frozen, choices: Choices, merges: Sequence[Merge]) -> str:
    """The page, in Markdown.

    Args:
        frozen: What the bundle was made of.
        public: The bundle.
        choices: What was decided.
        merges: The strata that became one.
    """
    parts = [
        f"# De-identified bundle: {frozen.manifest['title']}",
        *([f"**{frozen.note}**"] if frozen.note else []),
        "Made of the frozen dataset of this study, which stays with the study team. `codebook.html`"
        " says what every column holds, `protocol.json` is the registered protocol, word for word.",
        "## What was done",
        _list(_done(frozen, public, choices, merges)),
        "## What that does to this study",
        _list(_effects(public, choices, merges)),
        "## What risk remains",
        _list(_risks(public, choices)),
        "Whether it may be published is for the consent and the ethics board to say.",
        "## How to check and use it",
        "`safemed verify DIR` compares the tables with their digests, and the signature if there is"
        " one. `safemed analyze DIR --out RESULTS` computes the study's tables from it. A missing "
        "value is `NA` in CSV and null in Parquet.",
    ]
    return "\n\n".join(parts) + "\n"


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _done(frozen: Frozen, public: Frozen, choices: Choices, merges: Sequence[Merge]) -> list[str]:
    texts = "are here as the raters saw them" if choices.texts else "were left out, all of them"
    comments = (
        "are here, because whoever made this bundle chose so; old names in them were replaced"
        if choices.comments
        else "were left out"
    )
    gone = public.manifest["public"]["tables_left_out"]
    n_left = sum(row["disposition"] == "leave analysis" for row in frozen.rows("withdrawals"))
    return [
        "Respondents, raters, adjudicators, responses, ratings and blinding codes have new random "
        "names, and rows are in the order of these. The table that joined old and new names was "
        "thrown away.",
        *_merged(merges),
        "Sites, names and addresses are in no frozen dataset, and so not here.",
        "Times at which people answered and rated were left out. The times of lock and unblinding, "
        "which every table of results carries, stayed.",
        f"Responses {texts}. As they were submitted, and what masking took out of them, they are "
        "not here.",
        f"Comments of raters and adjudicators {comments}.",
        "The audit and the seeds were left out: who did what when, and the old names, could be "
        "computed from them.",
        *([f"Tables left out altogether: {', '.join(gone)}."] if gone else []),
        *([f"{n_left} people left the study and its analysis; nothing of theirs is here."]
          if n_left else []),
    ]  # fmt: skip


def _merged(merges: Sequence[Merge]) -> list[str]:
    """One line a merge; how many people each stratum had is told nowhere."""
    if not merges:
        return [f"No stratum has fewer than {SMALLEST_CELL} people, so none was merged."]
    return [
        f"Arm {m.arm}: {', '.join(m.strata)} became one stratum, {m.into!r}, of {m.n_people} "
        f"people: a stratum of fewer than {SMALLEST_CELL} is not published."
        if m.into
        else f"Arm {m.arm}: the stratum was left out, because all of {', '.join(m.strata)} "
        f"together are fewer than {SMALLEST_CELL} people."
        for m in merges
    ]


def _effects(public: Frozen, choices: Choices, merges: Sequence[Merge]) -> list[str]:
    counts = Counter(str(r["arm"]) for r in public.rows("respondents") if r["kind"] == "clinician")
    lines = [
        f"Arm {m.arm} has {counts[m.arm]} people. "
        + (
            "All of them are one stratum now: "
            if m.into and m.n_people == counts[m.arm]
            else "Those strata are one now: "
            if m.into
            else "No stratum of theirs is told: "
        )
        + f"what differed between {', '.join(m.strata)} can neither be computed from this bundle "
        "nor checked with it."
        for m in merges
    ]
    lines.append(
        "Tests, effect sizes, agreement, harm and key points use no stratum, time or name, and come"
        " out as from the frozen dataset; only limits of bootstrap intervals can move a little, "
        "because the rows stand in another order."
    )
    if not choices.texts:
        lines.append("How well the texts betray the arm, and the length of texts, have no value.")
    lines.append(
        "The audit chain cannot be walked, the allocation cannot be dealt again, pace and drift "
        "cannot be seen. For that, ask the study team for the frozen dataset."
    )
    return lines


def _risks(public: Frozen, choices: Choices) -> list[str]:
    counts = Counter(str(r["arm"]) for r in public.rows("respondents") if r["kind"] == "clinician")
    small = [f"{arm} has {n}" for arm, n in counts.items() if n < SMALLEST_CELL]
    n_raters = len(public.rows("raters"))
    lines = []
    if choices.texts:
        lines.append(
            "**The texts that residents wrote are themselves quasi-identifying.** All texts of one "
            "respondent stand under one name; wording, habits and errors can be recognised by "
            "colleagues, by the writer, and by anybody with other texts of the same hand. Masking "
            "took out salutations and self-identification, not style. No merging of strata changes "
            "that; only leaving the texts out does (`--without-texts`)."
        )
    lines.append(
        "Whoever holds the frozen dataset, or saw responses as a rater or writer, can find them "
        "here again by their text or their scores."
    )
    if small:
        lines.append(
            f"An arm cannot be merged, it is what the study compares: {'; '.join(small)}. Whoever "
            "knows that somebody took part knows them to be one of so few."
        )
    if n_raters < SMALLEST_CELL:
        lines.append(
            f"There are {n_raters} raters, too few to hide among: who knows how one of them judged "
            "a single response knows all scores of that rater."
        )
    if choices.comments:
        lines.append(
            "Comments can name people, places and, where no database was at hand, pseudonyms. Read "
            "them before you publish them."
        )
    lines.append(
        "The protocol names sponsor, registry and, where it lists them, sites; with these anybody "
        "can tell where the study took place."
    )
    return lines
