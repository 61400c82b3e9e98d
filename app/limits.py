"""How often one address may try something: a sliding window in memory, bounded."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_ADDRESSES = 10_000
"""Beyond these the ones not seen for longest are forgotten."""


@dataclass(slots=True)
class Limit:
    """So many tries within so many seconds for each address."""

    tries: int
    within_s: float
    clock: Callable[[], float] = time.monotonic
    _seen: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_s(self, address: str) -> float:
        """Count a try; 0 if it may go on, else the seconds until the next one may."""
        now = self.clock()
        with self._lock:
            times = self._seen.setdefault(address, deque())
            self._seen.move_to_end(address)
            while len(self._seen) > MAX_ADDRESSES:
                self._seen.popitem(last=False)
            while times and times[0] <= now - self.within_s:
                times.popleft()
            if len(times) >= self.tries:
                return times[0] + self.within_s - now
            times.append(now)
            return 0.0
