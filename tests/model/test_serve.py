from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from model.canonical import file_sha256
from model.errors import CheckpointError, EndpointError
from model.respond import Sampling, respond
from model.serve.checkpoint import open_checkpoint
from model.serve.listening import take_port
from model.serve.ready import wait_until_ready
from model.serve.server import serve
from tests.model.conftest import free_port
from tests.model.files import NANO, three_tasks

QUESTION = "May simvastatin be taken with clarithromycin?"


def post(url, **changes):
    body = {
        "model": "safemed-nano",
        "messages": [{"role": "user", "content": QUESTION}],
        "temperature": 0.0,
        "max_tokens": 60,
        **changes,
    }
    return httpx.post(f"{url}/chat/completions", json=body, timeout=60)


def content(reply):
    return reply.json()["choices"][0]["message"]["content"]


def refusal(reply, status=400):
    assert reply.status_code == status
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def test_the_endpoint_names_the_model_its_weights_and_that_it_is_a_stand_in(nano_endpoint):
    (entry,) = httpx.get(f"{nano_endpoint}/models").json()["data"]
    weights = file_sha256(NANO / "checkpoint" / "model.safetensors")
    assert (entry["id"], entry["weights_sha256"]) == ("safemed-nano", weights)
    assert entry["stand_in"] is True


def test_the_same_seed_gives_the_same_bytes_twice(nano_endpoint):
    first, second = (post(nano_endpoint, temperature=1.0, seed=5) for _ in range(2))
    assert content(first).encode() == content(second).encode()


def test_another_seed_gives_other_words(nano_endpoint):
    texts = {content(post(nano_endpoint, temperature=1.5, seed=s)) for s in range(4)}
    assert len(texts) > 1


def test_a_seeded_answer_does_not_depend_on_who_else_asks(nano_endpoint):
    alone = content(post(nano_endpoint, temperature=1.0, seed=5))
    with ThreadPoolExecutor(6) as pool:
        crowd = [pool.submit(post, nano_endpoint, temperature=1.0) for _ in range(5)]
        among = pool.submit(post, nano_endpoint, temperature=1.0, seed=5)
        assert content(among.result()) == alone
        assert all(future.result().status_code == 200 for future in crowd)


def test_requests_that_wait_together_are_each_answered(nano_endpoint):
    questions = [f"May {drug} be taken with warfarin?" for drug in ("ibuprofen", "fluconazole")] * 4
    alone = {q: content(post(nano_endpoint, messages=[{"role": "user", "content": q}]))
             for q in set(questions)}  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        together = list(
            pool.map(
                lambda q: content(post(nano_endpoint, messages=[{"role": "user", "content": q}])),
                questions,
            )
        )
    assert together == [alone[q] for q in questions]


def test_the_reasoning_stays_in_the_content_for_the_client_to_separate(nano_endpoint):
    assert content(post(nano_endpoint)).startswith("<think>")


def test_tokens_are_counted_and_an_answer_cut_at_the_limit_says_so(nano_endpoint):
    reply = post(nano_endpoint, max_tokens=4).json()
    assert reply["usage"]["completion_tokens"] == 4
    assert reply["usage"]["total_tokens"] == reply["usage"]["prompt_tokens"] + 4
    assert reply["choices"][0]["finish_reason"] == "length"


def test_several_answers_can_be_asked_for_at_once(nano_endpoint):
    reply = post(nano_endpoint, n=3, temperature=1.0, seed=1).json()
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2]


def test_a_stop_text_ends_the_answer_before_it(nano_endpoint):
    reply = post(nano_endpoint, stop=["</think>"], max_tokens=200).json()
    (choice,) = reply["choices"]
    assert choice["finish_reason"] == "stop"
    assert "<think>" in choice["message"]["content"]
    assert "</think>" not in choice["message"]["content"]


def test_a_prompt_longer_than_the_context_is_refused_in_the_shape_of_openai(nano_endpoint):
    long = [{"role": "user", "content": "warfarin " * 6000}]
    error = refusal(post(nano_endpoint, messages=long))
    assert error["code"] == "context_length_exceeded"
    assert "context is 4096 tokens" in error["message"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stream_options": {"include_usage": True}}, "stream_options is stated and stream is not"),
        ({"stream": "yes"}, "'stream' is 'yes'"),
        ({"presence_penalty": 0.5}, "unknown key 'presence_penalty'"),
        ({"temperature": -1}, "temperature is -1"),
        ({"temperature": "hot"}, "'temperature' is 'hot'"),
        ({"top_p": 0}, "top_p is 0"),
        ({"max_tokens": 0}, "max_tokens is"),
        ({"messages": []}, "messages is empty"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role is 'tool'"),
        ({"n": 2}, "n above 1 needs a temperature"),
        ({"seed": -1}, "seed is -1"),
        ({"stop": [""]}, "stop is"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(nano_endpoint, changes, words):
    assert words in refusal(post(nano_endpoint, **changes))["message"]


def test_a_model_not_served_here_is_refused_with_the_name_of_the_one_that_is(nano_endpoint):
    error = refusal(post(nano_endpoint, model="large"), status=404)
    assert "'safemed-nano'" in error["message"]


def test_a_body_that_is_not_json_is_refused(nano_endpoint):
    reply = httpx.post(f"{nano_endpoint}/chat/completions", content=b"{", timeout=10)
    assert "not JSON" in refusal(reply)["message"]


def test_nano_answers_tasks_the_same_way_twice(nano_endpoint, tmp_path):
    tasks = three_tasks(tmp_path / "tasks")
    texts = []
    for name in ("one", "two"):
        respond(
            tasks, tmp_path / name, endpoint=nano_endpoint, model="safemed-nano",
            sampling=Sampling(temperature=0.8, max_tokens=300, seed=11), concurrency=3,
        )  # fmt: skip
        lines = (tmp_path / name / "responses.jsonl").read_text().splitlines()
        texts.append(
            [{k: v for k, v in json.loads(line).items() if k not in ("asked_at", "elapsed_s")}
             for line in lines]
        )  # fmt: skip
    assert texts[0] == texts[1]
    run = json.loads((tmp_path / "one" / "run.json").read_text())
    assert run["engine"].startswith("safemed embedded (transformers ")


def test_a_busy_port_is_named_with_the_remedy_before_anything_is_loaded():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(EndpointError, match=rf"port {port} .* is in use; choose another"):
            serve(NANO / "checkpoint", port=port)
        assert time.monotonic() - began < 2


def test_a_port_that_cannot_exist_is_refused_by_name():
    with pytest.raises(EndpointError, match="port 70000 of"):
        take_port("127.0.0.1", 70000)


def test_a_directory_without_a_model_is_refused_by_name(tmp_path):
    with pytest.raises(CheckpointError, match=r"holds no config\.json"):
        serve(tmp_path, port=free_port())


def test_weights_that_are_missing_are_named(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"holds no \*\.safetensors"):
        open_checkpoint(tmp_path)


def test_a_server_that_ended_is_not_waited_for():
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(EndpointError, match="ended with status 3"):
        wait_until_ready(f"http://127.0.0.1:{free_port()}", timeout_s=30, process=process)
    process.wait()


def test_a_server_that_never_comes_up_is_waited_for_no_longer_than_said():
    with pytest.raises(EndpointError, match=r"not ready within 0\.3 s"):
        wait_until_ready(f"http://127.0.0.1:{free_port()}", timeout_s=0.3)
