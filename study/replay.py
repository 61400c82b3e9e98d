"""Dealing again from the revealed seeds, to compare with what a bundle says was dealt."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from study.allocation import CODE_PURPOSE, RATER_PURPOSE, Coded, blinding_codes
from study.errors import StudyError
from study.rater_orders import Deal, RaterAssignment, assign_raters
from study.vignette_order import ORDER_PURPOSE, VignettePlan

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]


def rater_faults(tables: Tables, seeds: Mapping[str, bytes]) -> Iterator[str]:
    """Whether assignments and hidden repeats are those that the sealed seeds give."""
    deals = [Deal.from_json(json.loads(e["details"])) for e in tables["audit"]
             if e["action"] == "deal responses"]  # fmt: skip
    purposes = [purpose for purpose in seeds if purpose.startswith(RATER_PURPOSE)]
    if sorted(deal.purpose for deal in deals) != sorted(purposes):
        yield "the audit does not say what each allocation was dealt from"
        return
    try:
        wanted = _dealt(tables, deals, seeds)
    except (StudyError, KeyError, TypeError) as error:
        yield f"the allocation cannot be dealt again: {error}"
        return
    given = {(a.rater, a.position, a.code) for a in wanted if a.repeat_of is None}
    found = {(r["rater_id"], r["position"], r["blinding_code"]) for r in tables["assignments"]}
    if given != found:
        yield "the allocation is not the one that the sealed seed gives"
    again = {(a.rater, a.position, a.code, a.repeat_of) for a in wanted if a.repeat_of is not None}
    rated = {
        (r["rater_id"], r["position"], r["repeat_code"], r["blinding_code"])
        for r in tables.get("repeat_ratings", ())
    }
    if not rated <= again:
        yield "a hidden repeat is not one that the sealed seed gives"


def _dealt(
    tables: Tables, deals: Sequence[Deal], seeds: Mapping[str, bytes]
) -> tuple[RaterAssignment, ...]:
    """Every deal in turn, each on top of those before."""
    responses = tuple(
        Coded(r["blinding_code"], r["vignette_id"], r["respondent_id"], r["arm"] or "")
        for r in sorted(tables["responses"], key=lambda row: str(row["blinding_code"]))
        if r["blinding_code"] is not None
    )
    n_codes, standing = len(responses), tuple[RaterAssignment, ...]()
    for deal in deals:
        codes = blinding_codes(n_codes + deal.n_repeats, seed=seeds[CODE_PURPOSE])[n_codes:]
        standing += assign_raters(
            responses, deal, seed=seeds[deal.purpose], repeat_codes=codes, standing=standing
        )
    return standing


def order_faults(
    protocol: Mapping[str, Any], tables: Tables, seeds: Mapping[str, bytes]
) -> Iterator[str]:
    """Whether each clinician's vignettes and their order are those that the sealed seed gives.

    Those of somebody whom an import enrolled were dealt elsewhere: the file said in which order.
    """
    answering = protocol.get("answering")
    if answering is None:
        yield "the protocol does not say in which order vignettes are answered"
        return
    plan = VignettePlan(
        tuple(protocol["vignettes"]), answering["order"], answering.get("vignettes_each"),
        frozenset(
            frozenset((r["first_vignette"], r["second_vignette"]))
            for r in tables.get("cue_pairs", ())
        ),
    )  # fmt: skip
    elsewhere = {e["subject"] for e in tables["audit"] if e["action"] == "enrol by import"}
    positions: dict[str, dict[int, str]] = {}
    for row in tables["responses"]:
        if row["position"] is not None and row["respondent_id"] not in elsewhere:
            positions.setdefault(row["respondent_id"], {})[row["position"]] = row["vignette_id"]
    if plan.is_drawn and positions and ORDER_PURPOSE not in seeds:
        yield "the seed of the vignette orders is not revealed"
        return
    numbers = {
        e["subject"]: json.loads(e["details"])["number"]
        for e in tables["audit"]
        if e["action"] == "deal vignettes"
    }
    for person, placed in sorted(positions.items()):
        if plan.is_drawn and person not in numbers:
            yield f"the audit does not say as which of the arm {person} was dealt vignettes"
            continue
        wanted = plan.order(person, numbers.get(person, 0), seeds.get(ORDER_PURPOSE, b""))
        if [placed[place] for place in sorted(placed)] != wanted:
            yield f"the order of vignettes of {person} is not the one that the sealed seed gives"
