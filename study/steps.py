"""The step that masks the responses and gives each a blinding code."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.allocation import CODE_PURPOSE, blinding_codes
from study.canonical import sha256_hex
from study.leak_queue import scan
from study.masking import mask_text
from study.registration import load_study
from study.seeds import sealed_seed
from study.store import Store
from study.tables import (
    MaskedResponseRow,
    MaskingChangeRow,
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
