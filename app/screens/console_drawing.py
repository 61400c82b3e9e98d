"""The last picture of each study; one that takes long is drawn anew beside the looks at it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 8
"""Pictures that are kept."""
SLOW_S = 0.5
"""A picture that took longer is shown once more while the next one is drawn."""


@dataclass(frozen=True, slots=True)
class _Drawn(Generic[T]):
    key: Hashable
    picture: T
    took_s: float


@dataclass(slots=True)
class Drawings(Generic[T]):
    """Pictures by what they show."""

    _last: dict[Hashable, _Drawn[T]] = field(default_factory=dict)
    _under_way: Future[_Drawn[T]] | None = None
    _lock: Lock = field(default_factory=Lock)
    _beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "drawing"))

    def of(self, what: Hashable, key: Hashable, draw: Callable[[], T]) -> T:
        """The picture at that key, or the one before it while a slow one is drawn.

        Args:
            what: What is drawn.
            key: Changes when the picture is out of date.
            draw: Draws it; may run in a thread of its own.
        """
        last = self._last.get(what)
        if last is not None and last.key == key:
            return last.picture
        if last is None or last.took_s < SLOW_S:
            return self._draw(what, key, draw).picture
        with self._lock:
            pending = self._under_way
            if pending is None or pending.done():
                self._under_way = self._beside.submit(self._draw, what, key, draw)
                if pending is not None:
                    pending.result()  # what went wrong beside is not kept quiet
        return last.picture

    def _draw(self, what: Hashable, key: Hashable, draw: Callable[[], T]) -> _Drawn[T]:
        began = time.perf_counter()
        picture = draw()
        drawn = self._last[what] = _Drawn(key, picture, time.perf_counter() - began)
        for oldest in list(self._last)[:-MOST]:
            self._last.pop(oldest, None)
        return drawn
