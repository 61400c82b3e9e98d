"""Nothing planted reaches a rater or an adjudicator on any screen; swapped arms do not show.

`tests/browser/test_blinding.py` tries the rating page in a real browser; here it is every screen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from study.clock import SteppingClock
from study.queries import open_query
from study.randomness import SeededSource
from study.store import Store, create_store
from tests.browser.capture import plain, without_session
from tests.browser.test_blinding import arms_by_text, canaries, found
from tests.campaign.everybody import CANARIES, MODEL
from tests.campaign.walk import EVERYTHING, Received, walk
from tests.whole.serving import Served, served
from tests.whole.studies import enter, to_rating

SAYS = ("The plan is safe as it stands.", "Stop the plan and call the pharmacist.")
LABELS = [name.encode() for key, name in CANARIES.items() if key.endswith("label")]


def walked(store: Store, directory: Path, **says: str) -> tuple[Received, Served]:
    """A study in which everything is asked for, walked over a served process."""
    study = to_rating(
        store, directory / "work", model=MODEL, **CANARIES, **EVERYTHING, **says
    )  # fmt: skip
    coordinator = enter(store, study.study_id, "coordinator")
    adjudicator = enter(store, study.study_id, "adjudicator")
    for entry in study.raters:
        open_query(store, coordinator.person, to=entry.person.pseudonym, text="Is it so?")
    with served(str(directory / "study.db"), directory) as server:
        return walk(server.base, store, study.raters, coordinator, adjudicator), server


def test_no_screen_of_rater_or_adjudicator_carries_an_arm_model_respondent_or_seed(
    tmp_path: Path,
) -> None:
    store = create_store(tmp_path / "study.db")
    received, server = walked(store, tmp_path, resident_says=SAYS[0], model_says=SAYS[1])
    secrets = canaries(store, [*CANARIES.values(), MODEL])
    store.close()
    everything = received.everything(without="guess")
    assert SAYS[0].encode() in everything and SAYS[1].encode() in everything
    assert found(secrets, everything) == []
    assert found(secrets, server.log.read_bytes()) == []
    # The guess asks which arm it was, so it names them all; nothing beyond their labels.
    assert set(found(secrets, received.everything())) == set(LABELS)


@contextmanager
def seeded(directory: Path, began: datetime) -> Iterator[Store]:
    """A store whose secrets and times are the same each time."""
    directory.mkdir()
    clock = SteppingClock(began, timedelta(milliseconds=1))
    store = create_store(directory / "study.db", clock=clock, source=SeededSource(11))
    yield store
    store.close()


def test_with_the_arms_swapped_every_screen_sends_the_same_frames(tmp_path: Path) -> None:
    began, seen = datetime.now(UTC), []
    for place, (resident, model) in enumerate((SAYS, SAYS[::-1])):
        with seeded(tmp_path / str(place), began) as store:
            received, server = walked(
                store, tmp_path / str(place), resident_says=resident, model_says=model
            )
        seen.append(
            (
                [json.dumps(without_session(m), sort_keys=True) for m in received.messages()],
                [(a.status, plain(a.body.decode("latin-1"))) for a in received.http],
                server.log_lines(),
            )
        )
    assert arms_by_text(tmp_path / "0") != arms_by_text(tmp_path / "1")
    assert len(seen[0][0]) > 200
    assert seen[0] == seen[1]
