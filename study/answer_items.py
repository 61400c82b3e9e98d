"""Each clinician's vignettes and their order: drawn from a sealed seed, or declared."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from study.audit import record
from study.protocol import Protocol
from study.randomness import public_id
from study.registration import load_study
from study.seeds import SEALER, sealed_seed
from study.store import Store
from study.tables import AnswerItemRow, PersonRow
from study.vignette_order import ORDER_PURPOSE, plan_of

DEALT = "deal vignettes"
"""The audit's event that says as which of the arm a clinician was dealt their vignettes."""


def deal_vignettes(session: Session, store: Store, person: PersonRow) -> None:
    """Give a clinician all vignettes, or the declared number of them, in the declared manner."""
    study = load_study(session, person.study_id)
    plan = plan_of(study.protocol, study.vignettes)
    number, seed = _n_dealt(session, person), b""
    if plan.is_drawn:
        seed = sealed_seed(session, store, person.study_id, ORDER_PURPOSE)
        record(
            session, store.clock, person.study_id, SEALER, DEALT, person.person_id,
            {"number": number},
        )  # fmt: skip
    order = plan.order(person.person_id, number, seed)
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


def n_vignettes_each(protocol: Protocol) -> int:
    """How many vignettes each clinician answers."""
    return protocol.answering.vignettes_each or len(protocol.vignettes)


def _n_dealt(session: Session, person: PersonRow) -> int:
    """People of the same arm who have their vignettes."""
    query = (
        select(func.count(AnswerItemRow.person_id.distinct()))
        .join(PersonRow, PersonRow.person_id == AnswerItemRow.person_id)
        .where(PersonRow.study_id == person.study_id, PersonRow.arm == person.arm)
    )
    return session.scalar(query) or 0
