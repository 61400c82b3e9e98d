"""Nothing that reaches a rater, or a log, tells the arms apart."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from study.clock import SteppingClock
from study.randomness import SeededSource
from study.sign_in import Entry
from study.store import Store, create_store
from study.tables import AuditEventRow, PersonRow, ResponseRow, SealedSeedRow
from tests.browser.capture import Capture, plain, without_session
from tests.browser.conftest import open_study, settle, wait_saved
from tests.whole.serving import Served, served
from tests.whole.studies import Rating, enter, to_rating


def rate_all(page: Page, server: Served, n_responses: int) -> None:
    """Walk a whole rating, drafts and comment included, to the last page."""
    open_study(page, server)
    for number in range(1, n_responses + 1):
        expect(page.locator(".sm-place")).to_have_text(f"Response {number} of {n_responses}")
        settle(page)
        expect(page.locator(".sm-form")).to_have_count(1)
        page.locator(".sm-form textarea").fill("A comment")
        wait_saved(page)
        for group in page.locator("fieldset").all():
            group.locator("input[value='3']").check()
        wait_saved(page)
        page.get_by_role("button", name="Save rating").click(delay=80)
        page.wait_for_function(
            "n => document.querySelector('.sm-place')?.innerText !== `Response ${n} of "
            f"{n_responses}`",
            arg=number,
        )
    settle(page)


def walk_into_errors(page: Page, server: Served, study: Rating) -> None:
    """Everything a rater can ask for that is refused, and the pages beside the study."""
    get, post = page.request.get, page.request.post
    for path in (
        "/enter?t=WRONG", "/return", "/pause", "/health", "/no/such/page",
        f"/files/{study.study_id}/export.zip", f"/files/{study.study_id}/report.html",
        "/media/none.csv", "/component/none/x.js", "/_stcore/metrics", "/_stcore/host-config",
        "/_stcore/agent/openapi.json", "/console", "/study", "/answer",
    ):  # fmt: skip
        page.goto(f"{server.base}{path}")
        get(f"{server.base}{path}")
    ours = {"origin": server.base, "sec-fetch-site": "same-origin"}
    code = "AAA-BBB"
    for data in (
        {"code": code, "scores": {"medication_safety": 6}, "comment": "", "revision": 0},
        {"code": code, "scores": {"no_such": 1}, "comment": "", "revision": 9},
        {"item": code, "text": "", "confidence": None, "revision": 0},
    ):
        post(f"{server.base}/api/rating-draft", data=data, headers=ours)
        post(f"{server.base}/api/draft", data=data, headers=ours)
    post(f"{server.base}/switch", form={"walk_as": "investigator"}, headers=ours)


class Answers:
    """What the browser's own request interface received, which no page event reports."""

    def __init__(self, page: Page) -> None:
        self.kept: list[bytes] = []
        self.page = page
        for name in ("get", "post"):
            setattr(page.request, name, self._keeping(getattr(page.request, name)))

    def _keeping(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*args: Any, **more: Any) -> Any:
            answer = ask(*args, **more)
            self.kept += [json.dumps(answer.headers_array).encode(), answer.body()]
            return answer

        return asked


def canaries(store: Store, named: Iterable[str]) -> dict[str, set[bytes]]:
    """Every secret of the study in each form it could take; seeds apart under `seed`."""
    with store.read() as session:
        people = [p.person_id for p in session.query(PersonRow) if p.role in ("resident", "model")]
        responses = [r.response_id for r in session.query(ResponseRow)]
        seeds = [row.seed for row in session.query(SealedSeedRow)]
    words = [*named, *people, *responses]
    forms = {w.encode() for w in words}
    forms |= {digest for w in words for digest in digests(w.encode())}
    of_seeds: set[bytes] = set()
    for seed in seeds:
        of_seeds |= {seed, seed.hex().encode(), base64.b64encode(seed), *digests(seed)}
        of_seeds |= set(digests(seed.hex().encode()))
    assert len(people) >= 2 and len(seeds) >= 2
    return {"names": forms, "seeds": of_seeds}


def digests(value: bytes) -> tuple[bytes, bytes]:
    """SHA-256 as it is written in an audit, and as bytes."""
    digest = hashlib.sha256(value)
    return digest.hexdigest().encode(), digest.digest()


def found(secret_forms: dict[str, set[bytes]], text: bytes) -> list[bytes]:
    """Those of the forms that stand in the text, letters' case apart."""
    lower = text.lower()
    everything = secret_forms["names"] | secret_forms["seeds"]
    return [form for form in everything if form in text or form.lower() in lower]


def test_a_whole_rating_carries_no_arm_model_respondent_or_seed(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    named = {
        name: f"{name}_{secrets.token_hex(8)}"
        for name in ("resident_arm", "model_arm", "resident_label", "model_label")
    }
    model = f"weights-{secrets.token_hex(8)}"
    study = to_rating(store, tmp_path / "work", n_vignettes=2, model=model, **named)
    page = person_at(server, study.raters[0])
    capture, answers = Capture().listen(page), Answers(page)
    rate_all(page, server, n_responses=6)  # 2 vignettes by 2 residents and 1 model
    expect(page.get_by_role("heading", name="Every response is rated")).to_be_visible()
    walk_into_errors(page, server, study)
    secret_forms = canaries(store, [*named.values(), model])
    reached = b"\n".join([capture.everything(), *answers.kept])
    assert len(capture.frames) > 50
    assert b"would wait" in reached  # the capture does hold what the rater read
    assert b"vignette_id" not in reached
    assert found(secret_forms, reached) == []
    assert found(secret_forms, server.log.read_bytes()) == []
    with store.read() as session:
        before_unblinding = json.dumps(
            [[e.subject, e.details] for e in session.query(AuditEventRow)]
        ).encode()
    with store.read() as session:
        seeds = [row.seed for row in session.query(SealedSeedRow)]
    assert all(seed.hex().encode() not in before_unblinding for seed in seeds)
    assert all(digests(seed)[0] in before_unblinding for seed in seeds)


FAULT = """
from study import rating
def _break(self, person):
    from study.tables import PersonRow
    with self.store.read() as session:
        arms = [p.arm for p in session.query(PersonRow)]
    raise RuntimeError(f"the arms are {arms}")
rating.RatingService.next_task = _break
"""


def test_a_fault_of_a_screen_tells_neither_browser_nor_log_what_was_in_it(
    store: Store, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    canary = f"arm_{secrets.token_hex(8)}"
    study = to_rating(store, tmp_path / "work", n_vignettes=1, resident_arm=canary)
    with served(str(tmp_path / "study.db"), tmp_path, before=FAULT) as server:
        page = person_at(server, study.raters[0])
        capture = Capture().listen(page)
        open_study(page, server)
        heading = page.get_by_role("heading", name="Something went wrong on our side")
        expect(heading).to_be_visible()
        reached = capture.everything()
    assert canary.encode() not in reached
    assert b"Traceback" not in reached and b"RuntimeError" not in reached
    log = server.log.read_text()
    assert canary not in log
    assert "RuntimeError" in log and "app/screens/rate.py" in log


def test_the_pages_of_other_roles_are_neither_listed_nor_reachable(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    study = to_rating(store, tmp_path / "work", n_vignettes=1)
    page = person_at(server, study.raters[0])
    capture = Capture().listen(page)
    open_study(page, server)
    pages = [
        listed
        for message in capture.messages()
        for listed in message.get("navigation", {}).get("appPages", [])
    ]
    assert pages and {listed.get("pageName") for listed in pages} == {"SafeMed"}
    assert len({listed["pageScriptHash"] for listed in pages}) == 1
    for path in ("console", "answer", "investigator"):
        page.goto(f"{server.base}/{path}")
        settle(page)
        assert page.locator(".sm-console").count() == 0
        assert page.locator(".sm-form[data-kind=answer]").count() == 0


def run_script(
    server: Served, entry: Entry, old_session: str | None = None, **headers: str
) -> tuple[str, bytes]:
    """Run the page's script over a raw socket; gives the session's id and the frames."""
    with connect(
        server.base.replace("http", "ws") + "/_stcore/stream",
        additional_headers={"cookie": f"safemed_session={entry.session_token}", **headers},
        subprotocols=[Subprotocol(p) for p in ("streamlit", "none", old_session) if p],
        max_size=None,
    ) as socket:
        message = BackMsg()
        message.rerun_script.query_string = ""
        socket.send(message.SerializeToString())
        session_id, received = "", b""
        while True:
            frame = socket.recv(timeout=20)
            assert isinstance(frame, bytes)
            received += frame
            parsed = ForwardMsg()
            parsed.ParseFromString(frame)
            session_id = parsed.new_session.initialize.session_id or session_id
            if parsed.WhichOneof("type") == "script_finished":
                return session_id, received


def test_an_old_session_is_given_back_to_its_own_person_only(
    store: Store, server: Served, tmp_path: Path
) -> None:
    """Streamlit alone gives a known session id its memory back whoever asks."""
    first, second = to_rating(store, tmp_path / "work", n_vignettes=1).raters
    forged = {"x-study-user": first.person.person_id}
    session_id, shown_first = run_script(server, first)
    [key_of_first] = set(re.findall(rb"(?<![0-9a-f])f[0-9a-f]{16}(?![0-9a-f])", shown_first))
    for entry, headers in ((second, {}), (second, forged)):
        time.sleep(1)  # until the server has noticed that the last socket is gone
        other, shown = run_script(server, entry, session_id, **headers)
        assert other != session_id
        assert key_of_first not in shown
    same, shown_again = run_script(server, first, session_id)
    assert same == session_id and key_of_first in shown_again


@pytest.fixture
def swapped(tmp_path: Path) -> tuple[tuple[Path, Rating], tuple[Path, Rating]]:
    """Two studies with the same texts, seeds and clock, behind which the arms are swapped."""
    says = ("The plan is safe as it stands.", "Stop the plan and call the pharmacist.")
    made = []
    began = datetime.now(UTC)
    for place, (resident_says, model_says) in enumerate((says, says[::-1])):
        directory = tmp_path / str(place)
        directory.mkdir()
        store = create_store(
            directory / "study.db",
            clock=SteppingClock(began, timedelta(milliseconds=1)),
            source=SeededSource(11),
        )
        study = to_rating(
            store, directory / "work", n_vignettes=2, n_residents=1,
            resident_says=resident_says, model_says=model_says,
        )  # fmt: skip
        store.close()
        made.append((directory, study))
    return made[0], made[1]


def test_with_the_arms_swapped_everything_that_reaches_the_rater_is_the_same(
    swapped: tuple[tuple[Path, Rating], tuple[Path, Rating]], person_at: Callable[..., Page]
) -> None:
    seen = []
    for directory, study in swapped:
        with served(str(directory / "study.db"), directory) as server:
            page = person_at(server, study.raters[0])
            capture = Capture().listen(page)
            rate_all(page, server, n_responses=4)  # 2 vignettes by 1 resident and 1 model
            capture.settle()
            seen.append(
                {
                    "frames": [
                        json.dumps(without_session(message), sort_keys=True)
                        for message in capture.messages()
                    ],
                    "responses": sorted(
                        {_as_text(r, capture.bodies[r]) for r in capture.responses}
                    ),
                    "text": page.inner_text("body"),
                }
            )
    assert arms_by_text(swapped[0][0]) != arms_by_text(swapped[1][0])
    assert seen[0]["responses"] == seen[1]["responses"]
    assert seen[0]["frames"] == seen[1]["frames"]
    assert seen[0]["text"] == seen[1]["text"]


def _as_text(response: Any, received: bytes) -> str:
    headers = sorted(
        (h["name"].lower(), plain(h["value"]))
        for h in response.headers_array()
        if h["name"].lower() not in ("date", "set-cookie")
    )
    # Revisions of drafts count saves, and how many there are hangs on the typing.
    body = re.sub(r'"revision":\d+', '"revision":N', plain(received.decode("latin-1")))
    headers = [h for h in headers if h[0] != "content-length"]
    return json.dumps([plain(response.url), response.status, headers, body])


def arms_by_text(directory: Path) -> set[tuple[str, str]]:
    import sqlite3

    with sqlite3.connect(directory / "study.db") as connection:
        rows = connection.execute(
            "SELECT r.text, p.arm FROM response r JOIN person p ON p.person_id = r.person_id"
        ).fetchall()
    connection.close()
    return set(rows)


def test_the_investigators_page_has_no_arms_before_unblinding(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    named = {
        name: f"{name}_{secrets.token_hex(8)}"
        for name in ("resident_arm", "model_arm", "resident_label", "model_label")
    }
    study = to_rating(store, tmp_path / "work", n_vignettes=1, **named)
    page = person_at(server, enter(store, study.study_id, "investigator"))
    capture = Capture().listen(page)
    open_study(page, server)
    expect(
        page.locator(".sm-counts", has_text="3 of 3")
    ).to_be_visible()  # 1 vignette by 2 residents and 1 model
    expect(page.locator(".sm-counts", has_text="0 of 6")).to_be_visible()  # 3 responses by 2 raters
    assert found(canaries(store, named.values()), capture.everything()) == []
