"""Studies set up for people at a browser: what `tests.studies` makes, with sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.audit import OPERATOR
from study.consent import consent_form, sign
from study.invitations import accept_invitation, invite
from study.lifecycle import take_step
from study.sign_in import Entry
from study.store import Store
from tests.studies import answer_as_model, answer_everything, example_protocol, join, to_answering


@dataclass(frozen=True, slots=True)
class Rating:
    """A study in rating and those who rate it, signed in."""

    study_id: str
    raters: tuple[Entry, ...]


def enter(store: Store, study_id: str, role: Any, *, arm: str | None = None) -> Entry:
    """Someone who has come in by a link."""
    token = invite(store, study_id, role, by=OPERATOR, arm=arm, scripted=store.seeded)
    return accept_invitation(store, token)


def to_rating(
    store: Store,
    work: Path,
    *,
    resident_says: str = "The resident would wait.",
    model_says: str = "The model would go on.",
    model: str = "test-model",
    practice: dict[str, Any] | None = None,
    **changes: Any,
) -> Rating:
    """A study in rating, everything answered; the arms' texts are given from outside."""
    study_id = to_answering(store, practice=practice, **changes)
    arms = {arm.kind: arm for arm in example_protocol(**changes).arms}
    for _ in range(arms["clinicians"].n_respondents):
        resident = join(store, study_id, "resident", arm=arms["clinicians"].id)
        if consent_form(store, resident) is not None:
            sign(store, resident, "A Resident")
        answer_everything(store, resident, resident_says)
    answer_as_model(store, study_id, work, arm=arms["model"].id, text=model_says, model=model)
    take_step(store, study_id, "close", by=OPERATOR)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    n_raters = example_protocol(**changes).rating.n_raters
    raters = tuple(enter(store, study_id, "rater") for _ in range(n_raters))
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR)
    return Rating(study_id, raters)
