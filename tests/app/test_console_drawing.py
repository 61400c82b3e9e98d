from __future__ import annotations

import threading

import pytest

from app.screens import console_drawing
from app.screens.console_drawing import Drawings


def test_a_quick_picture_is_drawn_anew_at_every_change_and_only_then() -> None:
    drawings: Drawings[int] = Drawings()
    drawn: list[int] = []

    def draw(n: int) -> int:
        drawn.append(n)
        return n

    assert [drawings.of("study", key, lambda key=key: draw(key)) for key in (1, 1, 2, 2)] == [
        1, 1, 2, 2,
    ]  # fmt: skip
    assert drawn == [1, 2]


def test_a_slow_picture_is_shown_once_more_while_the_next_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(console_drawing, "SLOW_S", 0.0)
    drawings: Drawings[str] = Drawings()
    begun, finish, done = threading.Event(), threading.Event(), threading.Event()

    def draw() -> str:
        begun.set()
        assert finish.wait(10)
        done.set()
        return "second"

    def never() -> str:
        raise AssertionError("two are drawn at once")

    assert drawings.of("study", 1, lambda: "first") == "first"
    assert drawings.of("study", 2, draw) == "first"
    assert begun.wait(10)
    assert drawings.of("study", 3, never) == "first"  # one under way at a time
    finish.set()
    assert done.wait(10)
    drawings._beside.shutdown()
    assert drawings.of("study", 2, never) == "second"


def test_another_state_of_a_study_never_shows_the_picture_of_the_last() -> None:
    drawings: Drawings[str] = Drawings()
    assert drawings.of(("study", "rating"), 1, lambda: "rating") == "rating"
    assert drawings.of(("study", "locked"), 1, lambda: "locked") == "locked"


def test_a_fault_of_a_drawing_beside_is_told_at_the_next_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(console_drawing, "SLOW_S", 0.0)
    drawings: Drawings[str] = Drawings()

    def broken() -> str:
        raise ValueError("no ink")

    assert drawings.of("study", 1, lambda: "first") == "first"
    assert drawings.of("study", 2, broken) == "first"
    drawings._beside.submit(lambda: None).result(10)  # the one thread has come past it
    with pytest.raises(ValueError, match="no ink"):
        drawings.of("study", 2, lambda: "second")
