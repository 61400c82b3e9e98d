from __future__ import annotations

import pytest

from model.reply import failed, judge_completion, split_reasoning
from tests.model.files import completion


def test_reasoning_between_tags_is_kept_apart_from_the_text():
    reply = judge_completion(completion("<think>\nINR rises.\n</think>\n\nUse another agent."))
    assert (reply.text, reply.reasoning) == ("Use another agent.", "INR rises.")
    assert reply.failure is None


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_that_comes_apart_is_kept_apart(name):
    reply = judge_completion(completion("Use another agent.", **{name: "INR rises."}))
    assert (reply.text, reply.reasoning) == ("Use another agent.", "INR rises.")


def test_reasoning_opened_by_the_template_ends_at_its_close():
    assert split_reasoning("INR rises.</think>Stop.") == ("Stop.", "INR rises.", True)


def test_reasoning_that_is_empty_is_none():
    assert split_reasoning("<think>\n\n</think>\n\nStop.") == ("Stop.", None, True)


def test_reasoning_never_closed_is_a_failure_without_text():
    reply = judge_completion(completion("<think>\nINR rises, so", finish="length"))
    assert (reply.failure, reply.text) == ("reasoning_not_closed", None)


def test_a_second_reasoning_never_closed_is_a_failure():
    reply = judge_completion(completion("<think>a</think>Stop.<think>b"))
    assert reply.failure == "reasoning_not_closed"


def test_reasoning_apart_that_used_up_the_limit_was_never_closed():
    reply = judge_completion(completion(None, finish="length", reasoning_content="INR rises"))
    assert reply.failure == "reasoning_not_closed"


def test_an_answer_cut_at_the_limit_is_a_failure_without_text():
    reply = judge_completion(completion("Use another", finish="length"))
    assert (reply.failure, reply.text) == ("length_limit", None)


@pytest.mark.parametrize("content", ["", "  \n", None, "<think>only this</think>\n"])
def test_an_answer_without_text_is_an_empty_failure(content):
    assert judge_completion(completion(content)).failure == "empty"


@pytest.mark.parametrize(
    "body",
    [
        None, [], "text", {}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": None}]},
        {"choices": {"0": 1}}, completion("x", finish="content_filter"),
        {"choices": [{"message": {"content": 5}, "finish_reason": "stop"}]},
        completion("half a character \ud800"),
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_a_bad_reply(body):
    reply = judge_completion(body)
    assert (reply.failure, reply.text) == ("bad_reply", None)


def test_tokens_are_counted_only_where_they_are_stated_as_integers():
    body = {**completion("Stop."), "usage": {"prompt_tokens": 11, "completion_tokens": "7"}}
    reply = judge_completion(body)
    assert (reply.prompt_tokens, reply.completion_tokens) == (11, None)


def test_the_detail_of_a_failure_is_one_short_line():
    detail = failed("endpoint_error", "HTTP 500:\n" + "x " * 1000).detail
    assert "\n" not in detail
    assert len(detail) == 300
