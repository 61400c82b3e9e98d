"""The two steps that make rows: masking the responses, and allocating them to raters."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.allocation import CODE_PURPOSE, RATER_PURPOSE, assign_raters, blinding_codes
from study.canonical import sha256_hex
from study.leak_queue import scan
from study.masking import mask_text
from study.people import expected_people
from study.randomness import public_id
from study.registration import load_study
from study.seeds import sealed_seed
from study.store import Store
from study.tables import (
    MaskedResponseRow,
    MaskingChangeRow,
    RaterAssignmentRow,
    ResponseRow,
)


def mask_responses(session: Session, store: Store, study_id: str) -> None:
    """Mask every submitted response and give each a blinding code.

    Codes are dealt in the order of vignette and masked text, never of arm or arrival: swap the arms
    behind the same texts, and every text keeps its code.
    """
    rules = load_study(session, study_id).protocol.masking.rules
    submitted = session.scalars(
        select(ResponseRow).where(
            ResponseRow.study_id == study_id, ResponseRow.status == "submitted"
        )
    )
    masked = [(response, mask_text(response.text or "", rules)) for response in submitted]
    masked.sort(key=lambda pair: (pair[0].vignette_id, sha256_hex(pair[1].text.encode())))
    seed = sealed_seed(session, store, study_id, CODE_PURPOSE)
    for (response, result), code in zip(
        masked, blinding_codes(len(masked), seed=seed), strict=True
    ):
        session.add(
            MaskedResponseRow(
                response_id=response.response_id,
                study_id=study_id,
                code=code,
                vignette_id=response.vignette_id,
                text=result.text,
            )
        )
        session.flush()
        session.add_all(
            MaskingChangeRow(
                response_id=response.response_id,
                number=number,
                rule=change.rule,
                start=change.start,
                before=change.before,
                after=change.after,
            )
            for number, change in enumerate(result.changes, start=1)
        )
    session.flush()
    scan(session, study_id)


def allocate_raters(session: Session, store: Store, study_id: str) -> None:
    """Deal the masked responses to the raters who have joined or been invited.

    Raises:
        AllocationError: If too few have joined.
    """
    design = load_study(session, study_id).protocol.rating
    codes = session.scalars(
        select(MaskedResponseRow.code)
        .where(MaskedResponseRow.study_id == study_id)
        .order_by(MaskedResponseRow.code)
    ).all()
    expected = expected_people(session, study_id, "rater", store.clock.now())
    raters = sorted(person.person_id for person in expected)
    assignments = assign_raters(
        codes,
        raters,
        ratings_per_response=design.raters_per_response,
        seed=sealed_seed(session, store, study_id, RATER_PURPOSE),
    )
    session.add_all(
        RaterAssignmentRow(
            assignment_id=public_id(store.source, "t"),
            study_id=study_id,
            rater_id=assignment.rater,
            code=assignment.code,
            position=assignment.position,
        )
        for assignment in assignments
    )
