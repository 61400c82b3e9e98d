"""Scripted residents and raters do their parts through the services that people use."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np

from app.simulate.scores import draw_scores
from app.simulate.settings import SimulationError, SimulationSettings
from app.simulate.texts import compose_answer
from study.adjudication import AdjudicationService
from study.answering import AnsweringService
from study.audit import Actor
from study.calibrating import CalibratingService, practice_of_study
from study.custody import Origin, origins_for_simulation
from study.guessing import GuessingService
from study.invitations import accept_invitation, invite
from study.marking import MarkingService
from study.people import Person, Role
from study.protocol_trial import Harm
from study.rating import RatingService
from study.rating_checks import HarmGiven
from study.registration import RegisteredStudy, load_study
from study.store import Store

SIMULATOR = Actor("simulator", "host")
Progress = Callable[[str], None]


def join_residents(store: Store, study_id: str) -> tuple[Person, ...]:
    """Scripted residents come in by invitation, as many as the protocol plans for."""
    protocol = _study(store, study_id).protocol
    planned = [
        (arm.id, arm.strata[i % len(arm.strata)] if arm.strata else None)
        for arm in protocol.arms
        if arm.kind == "clinicians"
        for i in range(arm.n_respondents)
    ]
    tokens = [
        invite(store, study_id, "resident", by=SIMULATOR, arm=arm, stratum=stratum, scripted=True)
        for arm, stratum in planned
    ]
    return tuple(accept_invitation(store, token).person for token in tokens)


def join_as(store: Store, study_id: str, role: Role) -> Person:
    """One scripted person of that role comes in by invitation."""
    token = invite(store, study_id, role, by=SIMULATOR, scripted=True)
    return accept_invitation(store, token).person


def answer_all(
    store: Store, study_id: str, residents: tuple[Person, ...], *, seed: int, progress: Progress
) -> int:
    """Every scripted resident drafts and submits every answer, and returns how many there were."""
    service, study = AnsweringService(store), _study(store, study_id)
    by_text = {v.texts[study.protocol.language].text: v for v in study.vignettes.values()}
    n_answers = 0
    for number, resident in enumerate(residents, start=1):
        skill = random.Random(f"{seed} skill {number}").uniform(-0.15, 0.15)
        while (task := service.next_task(resident)) is not None:
            rng = random.Random(f"{seed} answer {number} {task.position}")
            text = compose_answer(by_text[task.text], skill=skill, rng=rng)
            sure = rng.choice((2, 3, 3, 4, 4, 5)) if task.asks_confidence else None
            service.save_draft(resident, task.item, text, sure, task.draft.revision)
            service.submit(resident, task.item, text, sure)
            n_answers += 1
        progress(f"scripted resident {number} of {len(residents)} has answered")
    return n_answers


def join_raters(store: Store, study_id: str, *, n_raters: int) -> tuple[Person, ...]:
    """Scripted raters come in by invitation."""
    tokens = [
        invite(store, study_id, "rater", by=SIMULATOR, scripted=True) for _ in range(n_raters)
    ]
    return tuple(accept_invitation(store, token).person for token in tokens)


def rate_all(
    store: Store,
    study_id: str,
    raters: tuple[Person, ...],
    settings: SimulationSettings,
    *,
    seed: int,
    progress: Progress,
) -> int:
    """Every scripted rater submits planted scores for every allocated response."""
    service, study = RatingService(store), _study(store, study_id)
    origins = origins_for_simulation(store, study_id, by=SIMULATOR)
    planted = plant_scores(study, origins, settings, n_raters=len(raters), seed=seed)
    n_ratings = 0
    for number, rater in enumerate(raters):
        practise_all(store, rater)
        while (task := service.next_task(rater)) is not None:
            scores = planted[task.response.code][number]
            service.record(
                rater, task.response.code, scores,
                "A scripted comment." if set(scores.values()) & set(task.comment_at) else "",
                harm=planted_harm(task.harm, scores),
            )  # fmt: skip
            n_ratings += 1
        mark_all(store, rater, seed=seed)
        progress(f"scripted rater {number + 1} of {len(raters)} has rated")
    return n_ratings


def plant_scores(
    study: RegisteredStudy,
    origins: Mapping[str, Origin],
    settings: SimulationSettings,
    *,
    n_raters: int,
    seed: int,
) -> dict[str, list[dict[str, int]]]:
    """Scores of every code for every rater: `planted[code][rater][dimension]`.

    Raises:
        SimulationError: If the settings lack a dimension of the protocol.
    """
    protocol = study.protocol
    dimensions = [d.id for d in protocol.rating.dimensions]
    missing = [d for d in dimensions if d not in settings.dimensions]
    if missing:
        raise SimulationError(f"the settings plant no scores for {', '.join(missing)}")
    kinds = {arm.id: arm.kind for arm in protocol.arms}
    models, residents = (
        sorted({o.respondent_id for o in origins.values() if kinds[o.arm] == kind})
        for kind in ("model", "clinicians")
    )
    row = {vignette: i for i, vignette in enumerate(protocol.vignettes)}
    column = {respondent: i for i, respondent in enumerate((*(models or [""]), *residents))}
    drawn = {
        name: draw_scores(
            settings.dimensions[name], settings.spreads, n_vignettes=len(row),
            n_residents=len(residents), n_models=max(1, len(models)), n_raters=n_raters,
            rng=np.random.default_rng([seed, number]),
        )[0]
        for number, name in enumerate(dimensions)
    }  # fmt: skip
    return {
        code: [
            {
                name: int(drawn[name][row[o.vignette_id], column[o.respondent_id], rater])
                for name in dimensions
            }
            for rater in range(n_raters)
        ]
        for code, o in origins.items()
    }


def planted_harm(asked: Harm | None, scores: Mapping[str, int]) -> HarmGiven:
    """The lower the lowest score, the worse the harm that a scripted rater sees."""
    if asked is None:
        return HarmGiven()
    place = max(0, min(len(asked.severities) - 1, len(asked.severities) - min(scores.values())))
    level = asked.severities[place if min(scores.values()) < 3 else 0]
    return HarmGiven(level.id, asked.likelihoods[0].id if level.is_harm else None)


def practise_all(store: Store, rater: Person) -> None:
    """A scripted rater gives the agreed scores, if the protocol asks for calibration."""
    service = CalibratingService(store)
    with store.read() as session:
        asked = load_study(session, rater.study_id).protocol.rating.calibration is not None
        practice = practice_of_study(session, rater.study_id) if asked else {}
    while (now := service.standing(rater)) is not None and now.task is not None:
        service.submit(rater, now.task.item, practice[now.task.item]["scores"])


def decide_all(store: Store, adjudicator: Person, *, seed: int) -> int:
    """A scripted adjudicator decides everything put to them, by chance."""
    service, n_decided = AdjudicationService(store), 0
    while (task := service.next_task(adjudicator)) is not None:
        rng = random.Random(f"{seed} decisions {task.code}")
        scores = {d.id: rng.randint(d.scale.minimum, d.scale.maximum) for d in task.dimensions}
        service.decide(adjudicator, task.code, scores, "A scripted decision.")
        n_decided += 1
    return n_decided


def mark_all(store: Store, rater: Person, *, seed: int) -> int:
    """A scripted rater does the whole second pass, by chance, if the protocol has one."""
    study = _study(store, rater.study_id)
    if study.protocol.rating.second_pass is None:
        return 0
    service, n_marked = MarkingService(store), 0
    while (task := service.next_task(rater)) is not None:
        rng = random.Random(f"{seed} marks {rater.person_id} {task.code}")
        marks = {
            item.name: int(rng.random() < _SHARES.get(item.name.partition(":")[0], 0.1))
            for item in task.items
        }
        service.submit(rater, task.code, marks)
        n_marked += 1
    _guess_all(store, rater, seed=seed)
    return n_marked


def _guess_all(store: Store, rater: Person, *, seed: int) -> None:
    service = GuessingService(store)
    while (task := service.next_task(rater)) is not None:
        rng = random.Random(f"{seed} guess {rater.person_id} {task.code}")
        given = {i.name: rng.choice([value for value, _ in i.options]) for i in task.items}
        service.submit(rater, task.code, given)


_SHARES = {"must_met": 0.7, "should_met": 0.5, "bonus_met": 0.2, "critical_error": 0.1}
"""How often a scripted rater says yes; planted, and nothing to do with the texts."""


def _study(store: Store, study_id: str) -> RegisteredStudy:
    with store.read() as session:
        return load_study(session, study_id)
