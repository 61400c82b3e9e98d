from __future__ import annotations

import threading

import pytest

from model.serve.batching import Batcher
from model.serve.engine import Generated
from model.serve.requests import RequestError
from model.serve.settings import Settings


class HeldEngine:
    """Waits to be released, then answers each prompt by its first token; remembers its batches."""

    def __init__(self):
        self.batches = []
        self.released = threading.Event()

    def generate(self, prompts, settings, heard):
        self.released.wait(10)
        self.batches.append(len(prompts))
        if any(prompt == [13] for prompt in prompts):
            raise RuntimeError("no answer to 13")
        return [[Generated(str(prompt[0]), "stop", 1)] for prompt in prompts]


def answers(futures):
    return [future.result(10)[0].text for future in futures]


def test_requests_with_equal_settings_share_a_batch():
    engine = HeldEngine()
    batcher = Batcher(engine, gather_s=0.5, largest_batch=3)
    futures = [batcher.submit([i], Settings()) for i in range(3)]
    engine.released.set()
    assert answers(futures) == ["0", "1", "2"]
    assert engine.batches == [3]


def test_requests_with_a_seed_are_never_batched():
    engine = HeldEngine()
    batcher = Batcher(engine, gather_s=0.2)
    futures = [batcher.submit([i], Settings(temperature=1.0, seed=1)) for i in range(3)]
    engine.released.set()
    assert answers(futures) == ["0", "1", "2"]
    assert engine.batches == [1, 1, 1]


def test_a_request_with_other_settings_waits_for_the_next_batch():
    engine = HeldEngine()
    batcher = Batcher(engine, gather_s=0.2)
    settings = [Settings(), Settings(), Settings(max_tokens=3), Settings(max_tokens=3)]
    futures = [batcher.submit([i], chosen) for i, chosen in enumerate(settings)]
    engine.released.set()
    assert answers(futures) == ["0", "1", "2", "3"]
    assert engine.batches == [2, 2]


def test_a_batch_that_breaks_is_told_to_its_askers_and_the_next_is_answered():
    engine = HeldEngine()
    engine.released.set()
    batcher = Batcher(engine)
    with pytest.raises(RuntimeError, match="no answer to 13"):
        batcher.submit([13], Settings()).result(10)
    assert answers([batcher.submit([1], Settings())]) == ["1"]


def test_more_requests_than_may_wait_are_refused_at_once():
    engine = HeldEngine()
    batcher = Batcher(engine, most_waiting=1, gather_s=0.0)
    futures = []
    with pytest.raises(RequestError, match="too many requests are waiting") as caught:
        for i in range(4):
            futures.append(batcher.submit([i], Settings(seed=1)))
    assert caught.value.status == 503
    engine.released.set()
    assert answers(futures) == [str(i) for i in range(len(futures))]
