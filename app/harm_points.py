"""Harm as two more scales of the rating form: its levels by number, as the browser sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app import services
from study.people import Person
from study.protocol_trial import Harm, HarmLevel, Likelihood
from study.rating_checks import NOT_SAID, HarmGiven
from study.registration import load_study

SEVERITY, LIKELIHOOD = "harm_severity", "harm_likelihood"


@dataclass(frozen=True, slots=True)
class Given:
    """What the form sent, taken apart."""

    scores: dict[str, int]
    harm: HarmGiven


def given_of(harm: Harm | None, points: Mapping[str, int]) -> Given:
    """Scores of dimensions, and harm by the ids of its levels; an unknown number is not said."""
    scores = {name: point for name, point in points.items() if name not in (SEVERITY, LIKELIHOOD)}
    if harm is None:
        return Given(scores, NOT_SAID)
    return Given(
        scores,
        HarmGiven(
            _id(harm.severities, points.get(SEVERITY)),
            _id(harm.likelihoods, points.get(LIKELIHOOD)),
        ),
    )


def as_points(harm: Harm | None, scores: Mapping[str, int], given: HarmGiven) -> dict[str, int]:
    """The other way round, for the form."""
    points = dict(scores)
    if harm is not None:
        for name, levels, said in (
            (SEVERITY, harm.severities, given.severity),
            (LIKELIHOOD, harm.likelihoods, given.likelihood),
        ):
            ids = [level.id for level in levels]
            if said in ids:
                points[name] = ids.index(str(said))
    return points


def _id(levels: Sequence[HarmLevel] | Sequence[Likelihood], point: int | None) -> str | None:
    return levels[point].id if point is not None and 0 <= point < len(levels) else None


def harm_asked(person: Person) -> Harm | None:
    """What the person's study asks about harm; None where nothing is."""
    with services.store().read() as session:
        return load_study(session, person.study_id).protocol.rating.harm
