"""The panel's docket: rows that five re-answers missed or on which reviews lie far apart.

Every member votes to keep or to drop, with a reason, before anything of the reviews is shown;
afterwards the member sees what the reviews said. Nobody votes on a row they have reviewed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from study.audit import record
from study.desk_queue import RowShown, count, in_order, open_rows, shown
from study.errors import NotAllowedError, ReviewError
from study.people import Person, actor_of
from study.registration import guard_injected, require_role
from study.store import Store
from study.tables_review import DeskRow, PanelVoteRow, ReviewRow

MAX_REASON = 1_000


@dataclass(frozen=True, slots=True)
class PanelTask(RowShown):
    """One row to vote on."""

    n_waiting: int


@dataclass(frozen=True, slots=True)
class PriorReview:
    """What one review of the row said; shown to who has voted."""

    scores: Mapping[str, int]
    comment: str


@dataclass(frozen=True, slots=True)
class PanelService:
    """What a clinician auditor's page may ask about the docket."""

    store: Store

    def next_task(self, person: Person) -> PanelTask | None:
        """The first row of the docket without this member's vote; None at the end.

        Raises:
            NotAllowedError: If the person is not a clinician auditor.
        """
        require_role(person.role, "auditor", what="the panel")
        with self.store.read() as session:
            docket = _docket(person)
            row = session.scalars(in_order(docket)).first()
            return None if row is None else PanelTask(*shown(row), count(session, docket))

    def vote(self, person: Person, item: str, *, keep: bool | None, reason: str) -> None:
        """Vote, once; the verdict is the majority of the panel.

        Raises:
            ReviewError: If the vote or its reason is missing, the row is not on the member's
                docket, or the panel has decided it. Nothing changes then.
        """
        require_role(person.role, "auditor", what="the panel")
        if keep is None:
            raise ReviewError("please choose: keep the row, or drop it")
        if not reason.strip() or len(reason) > MAX_REASON:
            raise ReviewError(f"please say why, in up to {MAX_REASON:,} characters")
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            row = session.get(DeskRow, item, with_for_update=True)
            mine = _docket(person).where(DeskRow.item == item)
            if row is None or session.scalar(mine) is None:
                raise ReviewError(
                    "this row is decided, or you have voted or reviewed it; reload the page"
                )
            session.add(
                PanelVoteRow(
                    item=item, person_id=person.person_id, keep=keep, reason=reason.strip(),
                    voted_at=self.store.clock.now(),
                )
            )  # fmt: skip
            row.n_left -= 1
            try:
                session.flush()
            except IntegrityError as error:
                raise ReviewError("you have voted on this row; reload the page") from error
            record(
                session, self.store.clock, person.study_id, actor_of(person), "vote on row", item,
                {"row_id": row.row_id},
            )  # fmt: skip

    def prior(self, person: Person, item: str) -> tuple[PriorReview, ...]:
        """What the desk's reviews of the row said.

        Raises:
            NotAllowedError: If the member has not voted on the row.
        """
        with self.store.read() as session:
            if session.get(PanelVoteRow, (item, person.person_id)) is None:
                raise NotAllowedError("earlier scores are shown after your vote, never before")
            return _prior(session, session.get_one(DeskRow, item))


def _prior(session: Session, row: DeskRow) -> tuple[PriorReview, ...]:
    query = (
        select(ReviewRow)
        .join(DeskRow, DeskRow.item == ReviewRow.item)
        .where(DeskRow.study_id == row.study_id, DeskRow.row_id == row.row_id)
        .order_by(ReviewRow.reviewed_at)
    )
    return tuple(PriorReview(dict(r.scores), r.comment) for r in session.scalars(query))


def _docket(person: Person) -> Select[DeskRow]:
    """Neither voted on nor reviewed by the member, and undecided."""
    voted = select(PanelVoteRow.item).where(PanelVoteRow.person_id == person.person_id)
    return open_rows(person, DeskRow.item.not_in(voted), docket=True)
