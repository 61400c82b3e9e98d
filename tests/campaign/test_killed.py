"""The server killed without warning: what was acknowledged is kept, once; work goes on in place."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from sqlalchemy import select
from websockets.exceptions import WebSocketException

from study.audit import events_of, verify_chain
from study.store import Store
from study.tables import AnswerItemRow, RaterAssignmentRow, RatingRow, RatingScoreRow, ResponseRow
from tests.campaign.client import Form, Tab, save_draft, scores_of
from tests.campaign.conftest import Place
from tests.studies import to_answering
from tests.whole.serving import Served, served
from tests.whole.studies import enter, to_rating

SEED = 20261121
STEPS = 200
KILLS = 6
CUT = (OSError, HTTPException, WebSocketException, TimeoutError)
"""What a browser sees of a server that has gone."""


@dataclass(slots=True)
class AtWork:
    """One person's work across the server's deaths."""

    token: str
    steps: int = 0
    """Drafts and submissions acknowledged."""
    drafts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The last acknowledged draft of each task."""
    done: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Submissions acknowledged by the next task being shown."""
    sent: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Submissions sent, whether or not they were acknowledged."""
    shown: list[str] = field(default_factory=list)
    """Tasks in the order in which they came up."""
    asked: Mapping[str, Any] | None = None
    """A draft on its way when the server died: it may or may not be kept."""

    def goes_on(self, base: str, chance: random.Random) -> bool:
        """Work until everything is done (true) or the server has gone (false)."""
        try:
            with Tab(base, self.token) as tab:
                form = tab.load().form
                while form is not None:
                    form = self._one(tab, base, form, chance)
                return True
        except CUT:
            return False

    def _one(self, tab: Tab, base: str, form: Form, chance: random.Random) -> Form | None:
        self._resumes_in_place(form)
        self.asked = given = self._gives(form, chance)
        kept = save_draft(base, self.token, form, given, form.revision)
        assert kept.status == 200, kept.body
        self.drafts[form.item], self.asked = given, None
        self.steps += 1
        self.sent[form.item] = given
        after = tab.submit(form, given).form
        assert after is None or after.item != form.item
        self.done[form.item] = given
        self.steps += 1
        return after

    def _resumes_in_place(self, form: Form) -> None:
        if form.item not in self.shown:
            self.shown.append(form.item)
        assert self.shown[-1] == form.item, "an earlier task has come up again"
        assert form.item not in self.done, "an acknowledged submission is asked for again"
        if form.item in self.drafts and form.item not in self.sent:
            served_now = {name: form.data["values"][name] for name in self.drafts[form.item]}
            assert served_now in (self.drafts[form.item], self.asked)

    def _gives(self, form: Form, chance: random.Random) -> dict[str, Any]:
        point = chance.randint(1, 5)
        if form.kind == "answer":
            return {"text": f"About {form.item}: {chance.random()}", "confidence": point}
        return {"scores": scores_of(form, point), "comment": f"{chance.random()}"}


def test_nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed(place: Place) -> None:
    chance = random.Random(SEED)
    answering = to_answering(place.store, n_vignettes=10, n_residents=5)
    rating = to_rating(
        place.store, place.work / "work", n_vignettes=17, n_residents=2, n_raters=1,
        raters_per_response=1,
    )  # fmt: skip
    residents = [
        AtWork(enter(place.store, answering, "resident", arm="residents").session_token)
        for _ in range(5)
    ]
    raters = [AtWork(entry.session_token) for entry in rating.raters]
    people = [*residents, *raters]
    kills = _work_under_fire(place, people, chance)
    assert kills == KILLS
    assert sum(person.steps for person in people) >= STEPS - KILLS
    _holds(place.store, answering, rating.study_id, residents, raters)


def _work_under_fire(place: Place, people: list[AtWork], chance: random.Random) -> int:
    """All work at once; the server dies after a random time, `KILLS` times, and starts again."""
    kills, left = 0, list(people)
    while left:
        with served(place.url, place.work) as server:
            if kills < KILLS:
                kills += 1
                threading.Thread(
                    target=_kill, args=(server, chance.uniform(0.05, 0.6)), daemon=True
                ).start()
            outcomes = _all_go_on(server.base, left, chance.randrange(10**9))
            left = [person for person, is_done in zip(left, outcomes, strict=True) if not is_done]
    return kills


def _kill(server: Served, after_s: float) -> None:
    time.sleep(after_s)
    server.process.kill()


def _all_go_on(base: str, people: list[AtWork], seed: int) -> list[bool]:
    with ThreadPoolExecutor(len(people)) as at_once:
        return list(
            at_once.map(
                lambda numbered: numbered[1].goes_on(base, random.Random(seed + numbered[0])),
                enumerate(people),
            )
        )


def _holds(
    store: Store, answering: str, rating: str, residents: list[AtWork], raters: list[AtWork]
) -> None:
    with store.read() as session:
        items = {row.item: row for row in session.scalars(select(AnswerItemRow))}
        texts = {
            (row.person_id, row.vignette_id): row.text
            for row in session.scalars(select(ResponseRow).where(ResponseRow.study_id == answering))
        }
        assert len(texts) == 5 * 10
        for person in residents:
            assert [items[item].position for item in person.shown] == list(range(1, 11))
            for item, given in {**person.sent, **person.done}.items():
                row = items[item]
                assert texts[row.person_id, row.vignette_id] == given["text"]
        codes = {row.assignment_id: row for row in session.scalars(select(RaterAssignmentRow))}
        kept = list(session.scalars(select(RatingRow).where(RatingRow.study_id == rating)))
        assert len(kept) == len({codes[row.assignment_id].code for row in kept}) == 51
        scores = {
            row.rating_id: row.score
            for row in session.scalars(select(RatingScoreRow))
            if row.dimension == "medication_safety"
        }
        by_code = {codes[row.assignment_id].code: scores[row.rating_id] for row in kept}
        for person in raters:
            assert [row.code for row in sorted(codes.values(), key=lambda row: row.position)] == (
                person.shown
            )
            for code, given in person.done.items():
                assert by_code[code] == given["scores"]["medication_safety"]
        for study_id in (answering, rating):
            verify_chain(events_of(session, study_id))
