"""Requests that wait together are generated together, by the one thread that owns the model."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from model.serve.engine import Engine, Generated, Heard
from model.serve.requests import RequestError
from model.serve.settings import Settings


@dataclass(frozen=True, slots=True)
class _Waiting:
    tokens: Sequence[int]
    settings: Settings
    heard: Heard | None = None
    answer: Future[list[Generated]] = field(default_factory=Future)


class Batcher:
    """A queue in front of an engine.

    A request with a seed is generated alone, so that its answer does not depend on who else
    happened to ask at that moment; without a seed, requests with equal settings share a batch.
    """

    def __init__(
        self, engine: Engine, *, largest_batch: int = 64, most_waiting: int = 1024,
        gather_s: float = 0.01, began: Callable[[int], object] = lambda n: None,
    ) -> None:  # fmt: skip
        """Start the thread.

        Args:
            engine: Called from this thread alone.
            largest_batch: Texts written together at most: requests times the `n` of each.
            most_waiting: Requests that may wait; more are refused at once.
            gather_s: How long a request waits for company, in seconds.
            began: Is told the number of texts of every batch.
        """
        self._engine = engine
        self._largest_batch = largest_batch
        self._gather_s = gather_s
        self._began = began
        self._queue: queue.Queue[_Waiting] = queue.Queue(maxsize=most_waiting)
        self._kept: _Waiting | None = None
        threading.Thread(target=self._work, name="generate", daemon=True).start()

    @property
    def n_waiting(self) -> int:
        """Requests nobody has begun to answer."""
        return self._queue.qsize() + (self._kept is not None)

    def submit(
        self, tokens: Sequence[int], settings: Settings, heard: Heard | None = None
    ) -> Future[list[Generated]]:
        """Queue a prompt.

        Args:
            tokens: The prompt.
            settings: How to write.
            heard: Is told the text while it is written, from the engine's thread.

        Raises:
            RequestError: If too many are waiting.
        """
        waiting = _Waiting(tokens, settings, heard)
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise RequestError(
                "too many requests are waiting; ask again later", code="overloaded", status=503
            ) from None
        return waiting.answer

    def _work(self) -> None:
        while True:
            batch = [w for w in self._gather() if w.answer.set_running_or_notify_cancel()]
            if not batch:
                continue
            settings = batch[0].settings
            self._began(len(batch) * settings.n)
            try:
                answers = self._engine.generate(
                    [w.tokens for w in batch], settings, [w.heard for w in batch]
                )
            except Exception as error:  # whoever asked is told; the thread has to live on
                for waiting in batch:
                    waiting.answer.set_exception(error)
                continue
            for waiting, answer in zip(batch, answers, strict=True):
                waiting.answer.set_result(answer)

    def _gather(self) -> list[_Waiting]:
        first, self._kept = self._kept or self._queue.get(), None
        batch = [first]
        fits = self._largest_batch // first.settings.n
        while first.settings.seed is None and len(batch) < fits:
            try:
                following = self._queue.get(timeout=self._gather_s)
            except queue.Empty:
                break
            if following.settings != first.settings:
                self._kept = following
                break
            batch.append(following)
        return batch
