"""The text of a masked response as raters see it, and which response a code stands for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.tables import MaskedResponseRow, MaskingChangeRow
from study.tables_rating import HiddenRepeatRow

CUSTODIAN = "custodian"
"""Rule under which the custodian's own changes are recorded."""


def masked_of_code(session: Session, study_id: str, code: str) -> MaskedResponseRow:
    """The masked response behind a code, be it its own or that of a hidden repeat."""
    found = session.scalars(
        select(MaskedResponseRow).where(
            MaskedResponseRow.study_id == study_id, MaskedResponseRow.code == code
        )
    ).first()
    if found is not None:
        return found
    repeat = session.get_one(HiddenRepeatRow, (study_id, code))
    return session.get_one(MaskedResponseRow, repeat.response_id)


def shown_text(session: Session, masked: MaskedResponseRow) -> str:
    """The masked text with the custodian's changes, which the row itself never takes up."""
    query = (
        select(MaskingChangeRow)
        .where(
            MaskingChangeRow.response_id == masked.response_id, MaskingChangeRow.rule == CUSTODIAN
        )
        .order_by(MaskingChangeRow.number)
    )
    text = masked.text
    for change in session.scalars(query):
        text = text[: change.start] + change.after + text[change.start + len(change.before) :]
    return text
