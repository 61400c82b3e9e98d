"""Every role against every route, screen and file of every other, over the served process.

The tables are written by hand: who may. What they do not name is refused, and a refusal is logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from app import services
from app.routes.table import routes
from study.adjudication import AdjudicationService
from study.answering import AnsweringService
from study.conduct import NAMES
from study.marking import MarkingService
from study.rating import RatingService
from study.reviewing import ReviewService
from study.store import Store, create_store
from study.tables import AuditEventRow, InvitationRow, PersonRow, RaterAssignmentRow
from tests.campaign.client import Answered, Shown, Tab, ask
from tests.campaign.everybody import (
    CANARIES,
    COMMENT,
    MODEL,
    NOBODY,
    SAYS,
    TITLE,
    Everybody,
    everybody,
)
from tests.campaign.who_may import EVERYBODY, MAY, OPEN_DOORS, OTHERS_PAGES, SCREENS, STAGE
from tests.whole.serving import Served, served


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("roles")


@pytest.fixture(scope="module")
def store(place: Path) -> Iterator[Store]:
    opened = create_store(place / "study.db")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def people(store: Store, place: Path) -> Everybody:
    return everybody(store, place)


@pytest.fixture(scope="module")
def server(people: Everybody, place: Path) -> Iterator[Served]:
    with served(str(place / "study.db"), place) as running:
        yield running


def secrets_of(store: Store, people: Everybody, role: str) -> list[bytes]:
    """What that role must receive nowhere before unblinding."""
    words = [*CANARIES.values(), MODEL]
    with store.read() as session:
        rows = list(session.scalars(select(PersonRow)))
    words += [row.person_id for row in rows if row.role == "model"]
    if role in ("resident", "rater", "adjudicator", "auditor", NOBODY):
        own = {stage.people[role].person.person_id for stage in people.stages().values()
               if role != NOBODY}  # fmt: skip
        others = [row for row in rows if row.person_id not in own]
        words += [COMMENT, *(row.person_id for row in others)]
        words += [f">{row.pseudonym}<" for row in others]
    if role == NOBODY:
        words += [TITLE, *SAYS.values(), *(stage.study_id for stage in people.stages().values())]
    return [word.encode() for word in words]


def found(secrets: list[bytes], received: bytes) -> list[bytes]:
    return [secret for secret in secrets if secret in received]


def bodies(store: Store, people: Everybody) -> dict[str, dict[str, object]]:
    """For every draft's route, what its rightful owner would send."""
    resident = people.answering.people["resident"].person
    answer = AnsweringService(store).next_task(resident)
    rating = RatingService(store).next_task(people.rating.people["rater"].person)
    second = people.second_pass.people
    marking = MarkingService(store).next_task(second["rater"].person)
    dispute = AdjudicationService(store).next_task(second["adjudicator"].person)
    row = ReviewService(store).next_task(people.answering.people["auditor"].person)
    assert answer and rating and marking and dispute and row
    scores = {"scores": {"medication_safety": 2}, "comment": "", "revision": 0}
    return {
        "/api/draft": {"item": answer.item, "text": "A text", "confidence": 2, "revision": 0},
        "/api/conduct": {"item": answer.item, **dict.fromkeys(NAMES, 1)},
        "/api/rating-draft": {"code": rating.response.code, **scores},
        "/api/marking-draft": {"code": marking.code, "scores": {"omission:": 1}, "revision": 0},
        "/api/adjudication-draft": {"code": dispute.code, **scores},
        "/api/review-draft": {
            "code": row.item,
            "scores": {},
            "texts": {},
            "comment": "",
            "revision": 0,
        },
    }


FORMS = {
    "/enter": {"t": "MADEUP"}, "/return": {"code": "MADEUP-MADEUP-MADEUP"},
    "/account/end": {"handle": "none"}, "/switch": {"walk_as": "investigator"},
    "/account/leave": {"sure": "yes"}, "/sign-out": {}, "/institution/unlink": {},
}  # fmt: skip


def tried(
    server: Served, people: Everybody, role: str, method: str, path: str,
    given: Mapping[str, Mapping[str, object]],
) -> Answered:  # fmt: skip
    stage = STAGE.get(path, "answering")
    token = people.of(stage, role)
    if path in given:
        return ask(server.base, token, method, path, body=given[path])
    if path in FORMS and method == "POST":
        return ask(server.base, token, method, path, form=urlencode(FORMS[path]))
    where = path.format(study=people.stages()[stage].study_id, name="export.zip")
    return ask(server.base, token, method, where)


def test_every_role_sees_its_own_screens_and_no_other(
    store: Store, people: Everybody, server: Served
) -> None:
    wrong = []
    for name in people.stages():
        for role in EVERYBODY:
            may = {words for words, where in SCREENS.items() if role in where.get(name, ())}
            secrets = [] if name == "unblinded" else secrets_of(store, people, role)
            with Tab(server.base, people.of(name, role) or "none") as tab:
                for page in ("", *OTHERS_PAGES):
                    shown = tab.load(page)
                    seen = {words for words in SCREENS if words in shown.words}
                    wrong += [(name, role, page, words) for words in seen ^ may]
                    wrong += [(name, role, page, s) for s in found(secrets, shown.received)]
    assert wrong == []


def test_what_other_roles_press_does_nothing_for_anyone_else(
    store: Store, people: Everybody, server: Served
) -> None:
    """The very ids that the console's buttons have, sent from every other role's tab."""
    wrong = []
    for name in people.stages():
        tabs = {role: Tab(server.base, people.of(name, role) or "none") for role in EVERYBODY}
        shown = {role: tab.load() for role, tab in tabs.items()}
        before = _records(store)
        for role, tab in tabs.items():
            _press_what_is_not_yours(tab, shown[role], [shown[r] for r in EVERYBODY])
            if _records(store) != before:
                wrong.append((name, role))
                before = _records(store)
            tab.close()
    assert wrong == []
    with Tab(server.base, people.of("rating", "coordinator") or "") as tab:
        own = tab.load()
        tab.push([own.buttons["New link"]], {})
    assert _records(store) > before  # what is one's own does act when it is sent this way


def _press_what_is_not_yours(tab: Tab, own: Shown, everyones: list[Shown]) -> None:
    mine = set(own.buttons.values())
    pressed = {i for shown in everyones for i in shown.buttons.values()} - mine
    fields = {i: "A reason" for shown in everyones for i in shown.fields.values()}
    assert pressed
    tab.push(sorted(pressed), fields)
    for shown in everyones:
        if shown.form is not None and (own.form is None or shown.form.element != own.form.element):
            tab.submit(shown.form, {"text": "Forged", "confidence": 1, "scores": {"omission:": 1}})


def _records(store: Store) -> tuple[int, ...]:
    """How many events and invitations there are: every act of anybody leaves one."""
    with store.read() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (AuditEventRow, InvitationRow)
        )


def test_a_rater_can_neither_save_nor_submit_what_is_allocated_to_another(
    store: Store, people: Everybody, server: Served
) -> None:
    rater = people.rating.people["rater"]
    with store.read() as session:
        [theirs, *_] = session.scalars(
            select(RaterAssignmentRow.code).where(
                RaterAssignmentRow.rater_id == people.rating.peer.person.person_id
            )
        )
    body = {"code": theirs, "scores": {}, "comment": "", "revision": 0}
    for path in ("/api/rating-draft", "/api/marking-draft"):
        answer = ask(server.base, rater.session_token, "POST", path, body=body)
        assert answer.status in (422, 423)
        assert found(secrets_of(store, people, "rater"), answer.body) == []
    before = _records(store)
    with Tab(server.base, rater.session_token) as tab:
        form = tab.load().form
        assert form is not None
        after = tab.submit(form, {"item": theirs, "scores": {"medical_correctness": 5,
                                  "medication_safety": 5}, "comment": ""})  # fmt: skip
    assert _records(store) == before
    assert after.form is not None and "not one of yours" in after.form.data["problem"]["words"]
    assert found(secrets_of(store, people, "rater"), after.received) == []


@pytest.mark.parametrize("path", OPEN_DOORS)
def test_nothing_is_served_without_sign_in_that_tells_of_a_study(
    store: Store, people: Everybody, server: Served, path: str
) -> None:
    """Scores and login data served without sign-in."""
    answer = ask(server.base, None, "GET", path)
    received = b"\n".join([answer.body, repr(answer.headers).encode()])
    assert found(secrets_of(store, people, NOBODY), received) == []
    assert b"SQLite format" not in received


def test_every_role_is_answered_by_every_route_as_the_table_says(
    store: Store, people: Everybody, server: Served, place: Path
) -> None:
    """Others' ratings are visible to a rater; scores and login data served without sign-in."""
    services.use(services.Services(store, str(place / "study.db"), place))
    listed = {(m, r.path) for r in routes() for m in (r.methods or ()) if m != "HEAD"}
    services.use(None)
    assert listed == set(MAY), "a route was added: say in MAY who may"
    given, wrong = bodies(store, people), []
    n_before = len(server.log_lines())
    n_refused = 0
    for (method, path), row in MAY.items():
        for role in reversed(EVERYBODY):
            answer = tried(server, people, role, method, path, given)
            if answer.status != row[role]:
                wrong.append((method, path, role, answer.status))
            received = b"\n".join([answer.body, repr(answer.headers).encode()])
            wrong += [(path, role, s) for s in found(secrets_of(store, people, role), received)]
            n_refused += answer.status in (401, 403) or (answer.status == 404 and "files" in path)
    assert wrong == []
    refused = [line for line in server.log_lines()[n_before:] if line.startswith("refused: ")]
    assert len(refused) == n_refused > 50
    assert "refused: rater, POST /api/draft, 403" in refused
    assert "refused: nobody, GET /files, 404" in refused
    assert found(secrets_of(store, people, NOBODY), server.log.read_bytes()) == []
