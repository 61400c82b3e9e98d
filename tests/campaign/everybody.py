"""Studies in each stage with a person of every role signed in, and what none of them may learn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from study.disputes import put_to_adjudicators
from study.people import Role
from study.rating import RatingService
from study.sign_in import Entry
from study.store import Store
from tests.studies import DIMENSIONS, SECOND_PASS, lock_and_unblind, to_answering
from tests.study.desk import desk_row, put
from tests.whole.studies import enter, to_rating

ROLES: tuple[Role, ...] = tuple(role for role in get_args(Role) if role != "model")
NOBODY = "nobody"
CANARIES = {
    "resident_arm": "arm_qvx7human", "model_arm": "arm_qvx7machine",
    "resident_label": "Labelqvx7human", "model_label": "Labelqvx7machine",
}  # fmt: skip
MODEL = "weights-qvx7"
SAYS = {"resident_says": "Sayingqvx7 first.", "model_says": "Sayingqvx7 second."}
TITLE = "Titleqvx7 of a study"
COMMENT = "Commentqvx7 of the other rater"
"""Planted words that nothing else in the world contains."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One study, and somebody of every role in it."""

    study_id: str
    people: Mapping[str, Entry]
    """By role; the first to have joined, where there are several."""
    peer: Entry
    """A second rater, who has rated everything in the stages after the first."""


@dataclass(frozen=True, slots=True)
class Everybody:
    """The stages of a study's life that screens and routes differ in."""

    answering: Stage
    rating: Stage
    second_pass: Stage
    unblinded: Stage

    def stages(self) -> Mapping[str, Stage]:
        """By name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def of(self, stage: str, role: str) -> str | None:
        """The session token of that role, or None for nobody."""
        return None if role == NOBODY else self.stages()[stage].people[role].session_token


def everybody(store: Store, work: Path) -> Everybody:
    """Make the studies."""
    return Everybody(
        answering=_answering(store, work),
        rating=_rating(store, work / "rating"),
        second_pass=_second_pass(store, work / "second"),
        unblinded=_unblinded(store, work),
    )


def _people(
    store: Store, study_id: str, arm: str = CANARIES["resident_arm"], **there: Entry
) -> dict[str, Entry]:
    missing = [role for role in ROLES if role not in there]
    joined = {
        role: enter(store, study_id, role, arm=arm if role == "resident" else None)
        for role in missing
    }
    return {**there, **joined}


def _answering(store: Store, work: Path) -> Stage:
    """With one training row on the review desk."""
    study_id = to_answering(store, n_vignettes=1, more={"title": TITLE}, **CANARIES)
    put(store, study_id, work / "batch.jsonl", [desk_row(1)])
    return Stage(study_id, _people(store, study_id), enter(store, study_id, "rater"))


def _rating(store: Store, work: Path) -> Stage:
    """Each response has one rater; the peer has rated all of theirs."""
    study = to_rating(
        store, work, n_vignettes=2, raters_per_response=1, more={"title": TITLE}, model=MODEL,
        **SAYS, **CANARIES,
    )  # fmt: skip
    rater, peer = study.raters
    rate(store, peer, 5)
    return Stage(study.study_id, _people(store, study.study_id, rater=rater), peer)


def _second_pass(store: Store, work: Path) -> Stage:
    """Everything is rated twice and in dispute; key points are to be marked."""
    study = to_rating(
        store, work, n_vignettes=1, more={"title": TITLE}, model=MODEL,
        rating={
            "second_pass": SECOND_PASS, "adjudication": {"distance": 2, "n_adjudicators": 1},
        },
        **SAYS, **CANARIES,
    )  # fmt: skip
    rater, peer = study.raters
    people = _people(store, study.study_id, rater=rater)
    rate(store, rater, 1)
    rate(store, peer, 5)
    put_to_adjudicators(store, people["coordinator"].person)
    return Stage(study.study_id, people, peer)


def _unblinded(store: Store, work: Path) -> Stage:
    """With its files written; under names of its own, since here they may be read."""
    study = to_rating(store, work / "unblinded", n_vignettes=1)
    for number, entry in enumerate(study.raters):
        rate(store, entry, 2 + number)
    lock_and_unblind(store, study.study_id)
    people = _people(store, study.study_id, "residents", rater=study.raters[0])
    for name in ("export/manifest.json", "report/report.html"):
        path = work / "files" / study.study_id / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"study_id": study.study_id}))
    return Stage(study.study_id, people, study.raters[1])


def rate(store: Store, entry: Entry, score: int) -> None:
    """Rate everything with a comment that gives itself away."""
    service = RatingService(store)
    while (task := service.next_task(entry.person)) is not None:
        scores = dict.fromkeys(DIMENSIONS, score)
        service.record(entry.person, task.response.code, scores, COMMENT)
