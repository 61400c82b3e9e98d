"""The text of a masked response as raters see it, and which response a code stands for."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from study.tables import MaskedResponseRow, MaskingChangeRow
from study.tables_rating import HiddenRepeatRow

CUSTODIAN = "custodian"
"""Rule under which the custodian's own changes are recorded."""


def masked_of_code(session: Session, study_id: str, code: str) -> MaskedResponseRow:
    """The masked response behind a code, be it its own or that of a hidden repeat."""
    found = session.scalars(_OF_CODE, {"study": study_id, "code": code}).first()
    if found is not None:
        return found
    repeat = session.get_one(HiddenRepeatRow, (study_id, code))
    return session.get_one(MaskedResponseRow, repeat.response_id)


def shown_text(session: Session, masked: MaskedResponseRow) -> str:
    """The masked text with the custodian's changes, which the row itself never takes up."""
    return _changed(masked.text, session.scalars(_RULED, {"response": masked.response_id}))


_OF_CODE = select(MaskedResponseRow).where(
    MaskedResponseRow.study_id == bindparam("study"), MaskedResponseRow.code == bindparam("code")
)
_RULED = (
    select(MaskingChangeRow)
    .where(
        MaskingChangeRow.response_id == bindparam("response"), MaskingChangeRow.rule == CUSTODIAN
    )
    .order_by(MaskingChangeRow.number)
)


def shown_texts(session: Session, study_id: str) -> dict[str, str]:
    """Every masked text of a study as raters see it, by response."""
    query = (
        select(MaskingChangeRow)
        .join(MaskedResponseRow, MaskedResponseRow.response_id == MaskingChangeRow.response_id)
        .where(MaskedResponseRow.study_id == study_id, MaskingChangeRow.rule == CUSTODIAN)
        .order_by(MaskingChangeRow.number)
    )
    changes: dict[str, list[MaskingChangeRow]] = {}
    for change in session.scalars(query):
        changes.setdefault(change.response_id, []).append(change)
    masked = session.scalars(
        select(MaskedResponseRow).where(MaskedResponseRow.study_id == study_id)
    )
    return {m.response_id: _changed(m.text, changes.get(m.response_id, ())) for m in masked}


def _changed(text: str, changes: Iterable[MaskingChangeRow]) -> str:
    for change in changes:
        text = text[: change.start] + change.after + text[change.start + len(change.before) :]
    return text
