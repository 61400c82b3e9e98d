"""An endpoint that answers in every bad way: each has its name, and none becomes a text."""

from __future__ import annotations

import asyncio
import time

import pytest

from model.endpoint import Sampling
from model.errors import EvaluationError
from model.evaluation.answers import Answer
from model.evaluation.asking import Asking, ask, open_model
from tests.model.conftest import free_port
from tests.model.evaluation.scripted import Behaviour, Broken, endpoint, says


def asked(url: str, *, timeout_s: float = 20, retries: int = 0) -> Answer:
    async def once() -> Answer:
        async with open_model("m", url, Sampling(), Asking(timeout_s, 2, retries)) as model:
            return await ask(model, "m", "hello")

    return asyncio.run(once())


def test_a_reply_is_its_text_with_the_reasoning_apart() -> None:
    with endpoint(lambda body: "<think>t</think>Answer.") as url:
        answer = asked(url)
    assert (answer.text, answer.reasoning, answer.failure) == ("Answer.", "t", None)
    assert (answer.model_named, answer.prompt_tokens, answer.completion_tokens) == ("m", 11, 7)


@pytest.mark.parametrize(
    ("behave", "failure"),
    [
        (lambda body: (429, {"error": {"message": "slow down"}}), "rate_limit"),
        (lambda body: (500, {"error": {"message": "no"}}), "endpoint_error"),
        (lambda body: (401, {"error": {"message": "key"}}), "endpoint_error"),
        (lambda body: (200, b"<html>oops</html>"), "bad_reply"),
        (lambda body: (200, b"\xff\xfe\x00"), "bad_reply"),
        (lambda body: (200, b'"a text"'), "bad_reply"),
        (lambda body: (200, b'{"error": {"message": "overloaded"}}'), "bad_reply"),
        (lambda body: (200, b'{"model": "m", "choices": [{}]}'), "bad_reply"),
        (lambda body: (200, b""), "bad_reply"),
        (lambda body: says("\ud800", model="m"), "bad_reply"),
        (lambda body: Broken(), "half_reply"),
        (lambda body: says("half", model="m", finish="pumpkin"), "half_reply"),
        (lambda body: says("half", model="m", finish="length"), "length_limit"),
        (lambda body: says("text", model="another"), "other_model"),
        (lambda body: says("text", model="m-mini"), "other_model"),
        (lambda body: says("", model="m", finish="content_filter"), "refused"),
        (lambda body: "", "empty"),
        (lambda body: "<think>and then", "reasoning_not_closed"),
    ],
)
def test_what_goes_wrong_is_named_and_leaves_no_text(behave: Behaviour, failure: str) -> None:
    calls: list = []
    with endpoint(behave, asked=calls) as url:
        answer = asked(url)
    assert (answer.failure, answer.text) == (failure, None)
    assert len(calls) == 1


def test_a_server_s_date_behind_the_name_is_the_same_model() -> None:
    with endpoint(lambda body: says("text", model="org/m-2026-08-06")) as url:
        assert asked(url).text == "text"


def test_an_endpoint_that_does_not_answer_in_time_is_a_timeout() -> None:
    with endpoint(lambda body: "warm") as url:
        asked(url)  # what is loaded on the first call is not timed
    with endpoint(lambda body: time.sleep(3) or "late") as url:
        assert asked(url, timeout_s=1).failure == "timeout"


def test_an_endpoint_that_is_down_is_unreachable() -> None:
    assert asked(f"http://127.0.0.1:{free_port()}/v1").failure == "endpoint_unreachable"


def test_a_busy_endpoint_is_asked_again_as_often_as_declared() -> None:
    calls: list = []

    def busy_once(body: dict) -> object:
        return (429, {"error": {"message": "later"}}) if len(calls) == 1 else "Answer."

    with endpoint(busy_once, asked=calls) as url:
        assert asked(url, retries=1).text == "Answer."
    assert len(calls) == 2


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(EvaluationError, match="concurrency 0"):
        Asking(connections=0)
