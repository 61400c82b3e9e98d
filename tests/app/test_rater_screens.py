"""Practice, adjudication and what leads to them, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from app import identity
from app.identity import COOKIE
from study.adjudication import AdjudicationService
from study.calibrating import CalibratingService
from study.disputes import put_to_adjudicators
from study.rating import RatingService
from study.sign_in import Entry
from study.store import Store
from tests.app.conftest import OURS
from tests.studies import DIMENSIONS, practice, rate_everything
from tests.whole.studies import Rating, enter, to_rating

ROOT = Path(__file__).parents[2]
CALIBRATION = {"calibration": {"pass_share": 0.75}}
ADJUDICATION = {"adjudication": {"distance": 2, "n_adjudicators": 1}}


def ran(entry: Entry) -> AppTest:
    identity.read_cookie_with(lambda: entry.session_token)
    done = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=30).run()
    assert not done.exception
    return done


def shown(screen: AppTest) -> str:
    bodies = [element.proto.body for element in screen.main if element.type == "html"]
    return "\n".join(body for body in bodies if not body.startswith("<style>"))


@pytest.fixture
def practising(serving: Store, tmp_path: Path) -> Rating:
    return to_rating(
        serving, tmp_path / "work", n_vignettes=1, rating=CALIBRATION, practice=practice()
    )


@pytest.fixture
def disputed(serving: Store, tmp_path: Path) -> Rating:
    study = to_rating(serving, tmp_path / "work", n_vignettes=1, rating=ADJUDICATION)
    for number, rater in enumerate(study.raters):
        rate_everything(serving, rater.person, 1 + 3 * number)
    return study


def test_a_rater_practises_first_and_sees_no_response_of_the_study(
    serving: Store, practising: Rating
) -> None:
    page = shown(ran(practising.raters[0]))
    assert "Practice 1 of 2" in page and "Practice response 1" in page
    assert "Because 1" not in page
    assert "would wait" not in page and "would go on" not in page


def test_agreed_scores_come_after_the_own_and_the_verdict_at_the_end(
    serving: Store, practising: Rating
) -> None:
    rater = practising.raters[0]
    service = CalibratingService(serving)
    service.submit(rater.person, "P01", dict.fromkeys(DIMENSIONS, 1))
    page = shown(ran(rater))
    assert "You gave 1; agreed: 5." in page and "Because 1" in page
    assert "no clinician has agreed" in page
    service.submit(rater.person, "P02", dict.fromkeys(DIMENSIONS, 2))
    screen = ran(rater)
    assert "50% of your scores lie within one point; 75% are needed." in shown(screen)
    screen.button("practice_on").click().run()
    assert "Practice 1 of 2" in shown(screen) and "attempt 2" in shown(screen)


def test_a_rater_who_has_passed_goes_on_to_the_study(serving: Store, practising: Rating) -> None:
    rater = practising.raters[0]
    for item, agreed in (("P01", 5), ("P02", 2)):
        CalibratingService(serving).submit(rater.person, item, dict.fromkeys(DIMENSIONS, agreed))
    assert "Response 1 of 3" in shown(ran(rater))


def test_an_adjudicator_sees_the_response_and_none_of_the_scores(
    serving: Store, disputed: Rating
) -> None:
    adjudicator = enter(serving, disputed.study_id, "adjudicator")
    assert "Adjudication has not begun" in shown(ran(adjudicator))
    screen = ran(enter(serving, disputed.study_id, "coordinator"))
    assert "Raters differ by the declared distance on 3 responses" in shown(screen)
    screen.button("adjudication").click().run()
    assert "0 of 3 responses in dispute are decided" in shown(screen)
    page = shown(ran(adjudicator))
    assert "Response 1 of 3" in page
    for rater in disputed.raters:
        assert rater.person.pseudonym not in page
    service = AdjudicationService(serving)
    while (task := service.next_task(adjudicator.person)) is not None:
        service.decide(adjudicator.person, task.code, dict.fromkeys(DIMENSIONS, 2), "So.")
    assert "Whatever was put to you is decided" in shown(ran(adjudicator))


def test_a_draft_of_a_decision_is_the_adjudicators_alone(
    client: TestClient, serving: Store, disputed: Rating
) -> None:
    adjudicator = enter(serving, disputed.study_id, "adjudicator")
    put_to_adjudicators(serving, enter(serving, disputed.study_id, "coordinator").person)
    task = AdjudicationService(serving).next_task(adjudicator.person)
    assert task is not None
    body = {"code": task.code, "scores": {DIMENSIONS[0]: 2}, "comment": "since", "revision": 0}

    def send(entry: Entry) -> int:
        client.cookies.set(COOKIE, entry.session_token)
        return client.post("/api/adjudication-draft", json=body, headers=OURS).status_code

    assert [send(rater) for rater in disputed.raters] == [403, 403]
    assert send(adjudicator) == 200
    kept = AdjudicationService(serving).next_task(adjudicator.person)
    assert kept is not None and dict(kept.draft.scores) == {DIMENSIONS[0]: 2}
    body["scores"], body["revision"] = {DIMENSIONS[0]: 3}, 0
    assert send(adjudicator) == 409


def test_a_drafted_rating_before_a_pass_is_refused(
    client: TestClient, serving: Store, practising: Rating
) -> None:
    passed, other = practising.raters
    for item, agreed in (("P01", 5), ("P02", 2)):
        CalibratingService(serving).submit(passed.person, item, dict.fromkeys(DIMENSIONS, agreed))
    task = RatingService(serving).next_task(passed.person)
    assert task is not None
    body = {"code": task.response.code, "scores": {}, "comment": "", "revision": 0}
    client.cookies.set(COOKIE, other.session_token)
    answer = client.post("/api/rating-draft", json=body, headers=OURS)
    assert answer.status_code == 423
    assert "passed the practice responses" in answer.json()["error"]
