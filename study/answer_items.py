"""Each clinician's own order of vignettes, derived from a sealed seed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from study.randomness import public_id, stream
from study.registration import load_study
from study.seeds import sealed_seed
from study.store import Store
from study.tables import AnswerItemRow, PersonRow

ORDER_PURPOSE = "vignette order"


def deal_vignettes(session: Session, store: Store, person: PersonRow) -> None:
    """Give a clinician every vignette once, in an own random order."""
    study = load_study(session, person.study_id)
    order = vignette_order(
        sealed_seed(session, store, person.study_id, ORDER_PURPOSE),
        person.person_id,
        study.protocol.vignettes,
    )
    for position, vignette_id in enumerate(order, start=1):
        session.add(
            AnswerItemRow(
                item=public_id(store.source, "a"),
                person_id=person.person_id,
                vignette_id=vignette_id,
                position=position,
                draft_text="",
                draft_revision=0,
            )
        )


def vignette_order(seed: bytes, respondent_id: str, vignettes: list[str]) -> list[str]:
    """One clinician's order; replayable from the revealed seed."""
    return stream(seed, ORDER_PURPOSE, respondent_id).sample(vignettes, k=len(vignettes))
