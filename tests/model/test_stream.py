from __future__ import annotations

import httpx
import openai
import pytest

from model.serve.tail import Tail
from tests.model.test_serve import QUESTION, content, post

WORDS = {1: "Stop", 2: " the", 3: " tablet", 4: ". E", 5: "ND", 7: " now"}


def words(tokens):
    return "".join(WORDS[token] for token in tokens)


def fed(tail, tokens):
    return [tail.add(token) for token in tokens]


def test_a_piece_is_shown_as_soon_as_it_is_certain() -> None:
    assert fed(Tail(words, [0], []), [1, 2, 3, 0]) == ["Stop", " the", " tablet", ""]


def test_what_may_begin_a_stop_text_waits_until_it_is_clear() -> None:
    tail = Tail(words, [0], [" END"])
    # ". E" may be the beginning of " END": the full stop goes out, " E" waits.
    assert fed(tail, [1, 4]) == ["Stop", "."]
    assert tail.add(7) == " E now"
    assert fed(Tail(words, [0], [" END"]), [1, 4, 5, 3]) == ["Stop", ".", "", ""]


def test_half_a_character_waits_for_its_other_half() -> None:
    halves = ["", "caf\ufffd", "café"]
    tail = Tail(lambda tokens: halves[len(tokens)], [0], [])
    assert fed(tail, [1, 2]) == ["caf", "é"]


def test_what_was_held_back_is_shown_at_the_end() -> None:
    tail = Tail(words, [0], [" END"])
    assert fed(tail, [1, 4]) == ["Stop", "."]
    assert tail.finish("Stop. E") == " E"


@pytest.fixture
def client(nano_endpoint):
    # No proxy of the environment: the server is on this machine.
    with httpx.Client(trust_env=False) as http:
        yield openai.OpenAI(base_url=nano_endpoint, api_key="none", http_client=http)


def asked(client, **more):
    return client.chat.completions.create(
        model="safemed-nano", messages=[{"role": "user", "content": QUESTION}], **more
    )


def test_openai_s_own_client_reads_models_answers_and_streams(client) -> None:
    assert [model.id for model in client.models.list()] == ["safemed-nano"]
    more = {"temperature": 1.0, "seed": 4, "max_tokens": 60, "n": 2}
    whole = asked(client, **more)
    pieces = ["", ""]
    ends, counted = {}, None
    for chunk in asked(client, stream=True, stream_options={"include_usage": True}, **more):
        counted = chunk.usage or counted
        for choice in chunk.choices:
            pieces[choice.index] += choice.delta.content or ""
            if choice.finish_reason:
                ends[choice.index] = choice.finish_reason
    assert pieces == [choice.message.content for choice in whole.choices]
    assert ends == {choice.index: choice.finish_reason for choice in whole.choices}
    assert counted == whole.usage


def test_a_stream_comes_in_pieces_and_leaves_a_stop_text_out(nano_endpoint) -> None:
    whole = content(post(nano_endpoint, max_tokens=200, stop=["</think>"]))
    body = {
        "model": "safemed-nano", "messages": [{"role": "user", "content": QUESTION}],
        "temperature": 0.0, "max_tokens": 200, "stop": ["</think>"], "stream": True,
    }  # fmt: skip
    with httpx.stream("POST", f"{nano_endpoint}/chat/completions", json=body, timeout=60) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        events = [line for line in reply.iter_lines() if line]
    assert events[-1] == "data: [DONE]"
    texts = [httpx.Response(200, content=e[6:].encode()).json() for e in events[:-1]]
    said = [t["choices"][0]["delta"].get("content", "") for t in texts]
    assert len([piece for piece in said if piece]) > 5
    assert "".join(said) == whole and "</think>" not in whole


def test_a_prompt_that_does_not_fit_is_refused_before_a_stream_begins(client) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model="safemed-nano", stream=True, max_tokens=10,
            messages=[{"role": "user", "content": "warfarin " * 6000}],
        )  # fmt: skip
    assert refused.value.code == "context_length_exceeded"
