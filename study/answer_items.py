"""Each clinician's order of vignettes: drawn from a sealed seed, or declared."""

from __future__ import annotations

from sqlalchemy.orm import Session

from study.randomness import public_id, stream
from study.registration import load_study
from study.seeds import sealed_seed
from study.store import Store
from study.tables import AnswerItemRow, PersonRow
from study.vignette_order import Pair, cue_pairs, random_order

ORDER_PURPOSE = "vignette order"


def deal_vignettes(session: Session, store: Store, person: PersonRow) -> None:
    """Give a clinician every vignette once, in the order that the protocol asks for."""
    study = load_study(session, person.study_id)
    order = study.protocol.vignettes
    if study.protocol.answering.order == "random":
        seed = sealed_seed(session, store, person.study_id, ORDER_PURPOSE)
        pairs = cue_pairs(study.vignettes.values())
        order = vignette_order(seed, person.person_id, order, pairs)
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


def vignette_order(
    seed: bytes, respondent_id: str, vignettes: list[str], pairs: frozenset[Pair] = frozenset()
) -> list[str]:
    """One clinician's own random order; replayable from the revealed seed.

    Args:
        seed: Sealed seed of the vignette orders.
        respondent_id: Whose order.
        vignettes: Those of the protocol, in its order.
        pairs: Vignettes that cue one another; they never stand side by side.
    """
    return random_order(stream(seed, ORDER_PURPOSE, respondent_id), vignettes, pairs)
