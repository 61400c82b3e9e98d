from __future__ import annotations

import json
import threading

import pytest

from model.canonical import sha256_hex
from model.errors import RespondError
from model.respond import Sampling, respond
from tests.model.conftest import free_port
from tests.model.files import completion, endpoint, raw, says, sleeps, three_tasks

GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=64, seed=3)
MODELS = {"data": [{"id": "m", "weights_sha256": "ab" * 32, "owned_by": "an engine"}]}


def ask(tmp_path, url, **changes):
    tasks = tmp_path / "tasks"
    if not tasks.exists():
        three_tasks(tasks)
    settings = {"model": "m", "sampling": GREEDY, "concurrency": 2, "timeout_s": 5.0, **changes}
    return respond(tasks, tmp_path / "out", endpoint=url, **settings)


def lines_of(tmp_path):
    content = (tmp_path / "out" / "responses.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in content.splitlines()]


def failures_of(tmp_path):
    return [(line["status"], line["failure"], line["text"]) for line in lines_of(tmp_path)]


def run_of(tmp_path):
    return json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))


def test_answers_are_written_in_the_order_of_the_tasks(tmp_path):
    slow_first = threading.Event()

    def behave(asked):
        if "Case 1" in asked["messages"][0]["content"]:
            slow_first.wait(5)
        else:
            slow_first.set()
        return 200, json.dumps(completion("<think>t</think>Answer.")).encode()

    with endpoint(behave) as url:
        summary = ask(tmp_path, url)
    lines = lines_of(tmp_path)
    assert [line["vignette_id"] for line in lines] == ["V01", "V02", "V03"]
    assert {(line["text"], line["reasoning"]) for line in lines} == {("Answer.", "t")}
    assert (summary.n_completed, summary.n_failed) == (3, 0)


def test_the_endpoint_is_asked_the_prompt_and_the_sampling_and_nothing_else(tmp_path):
    asked = []
    with endpoint(says(completion("Answer.")), asked=asked) as url:
        ask(tmp_path, url, concurrency=1)
    assert asked[0] == {
        "model": "m",
        "messages": [
            {"role": "user", "content": "Read the case and answer.\n\nCase 1\n\nWhat now?"}
        ],
        "temperature": 0.0, "top_p": 1.0, "max_tokens": 64, "seed": 3,
    }  # fmt: skip


def test_the_run_states_weights_engine_and_the_digest_of_its_lines(tmp_path):
    with endpoint(says(completion("Answer.")), models=MODELS) as url:
        ask(tmp_path, url)
    run = run_of(tmp_path)
    content = (tmp_path / "out" / "responses.jsonl").read_bytes()
    assert run["responses_sha256"] == sha256_hex(content)
    assert (run["weights_sha256"], run["engine"]) == ("ab" * 32, "an engine")
    assert run["sampling"] == {
        "temperature": 0.0, "top_p": 1.0, "max_tokens": 64, "seed": 3,
        "n_samples": 1, "pick": "first",
    }  # fmt: skip
    assert (run["n_completed"], run["n_failed"]) == (3, 0)


def test_weights_that_the_endpoint_does_not_state_are_said_to_be_so(tmp_path):
    with endpoint(says(completion("Answer."))) as url:
        ask(tmp_path, url)
    assert run_of(tmp_path)["weights_sha256"] == "not stated by the endpoint"


@pytest.mark.parametrize(
    ("behave", "failure"),
    [
        (says({"error": {"message": "no"}}, status=500), "endpoint_error"),
        (raw(b"<html>oops</html>"), "bad_reply"),
        (raw(b"\xff\xfe\x00garbage"), "bad_reply"),
        (says({"choices": []}), "bad_reply"),
        (says(completion("")), "empty"),
        (says(completion("<think>and then", finish="length")), "reasoning_not_closed"),
        (says(completion("Stop the", finish="length")), "length_limit"),
    ],
)
def test_a_failed_generation_is_recorded_by_name_and_without_text(tmp_path, behave, failure):
    with endpoint(behave) as url:
        summary = ask(tmp_path, url)
    assert failures_of(tmp_path) == [("failed", failure, None)] * 3
    assert (summary.n_completed, summary.n_failed) == (0, 3)


def test_an_endpoint_that_is_slow_is_a_timeout(tmp_path):
    with endpoint(sleeps(2.0)) as url:
        ask(tmp_path, url, timeout_s=0.3, concurrency=3)
    assert failures_of(tmp_path) == [("failed", "timeout", None)] * 3


def test_an_endpoint_that_is_down_is_unreachable(tmp_path):
    ask(tmp_path, f"http://127.0.0.1:{free_port()}/v1", concurrency=3)
    assert failures_of(tmp_path) == [("failed", "endpoint_unreachable", None)] * 3


def test_only_the_tasks_that_failed_are_failures(tmp_path):
    def behave(asked):
        good = "Case 2" not in asked["messages"][0]["content"]
        return (200, json.dumps(completion("Answer.")).encode()) if good else (503, b"busy")

    with endpoint(behave) as url:
        ask(tmp_path, url)
    assert [f for _, f, _ in failures_of(tmp_path)] == [None, "endpoint_error", None]
    assert lines_of(tmp_path)[1]["detail"] == "HTTP 503: busy"


def test_a_reply_that_arrived_is_never_asked_for_again(tmp_path):
    asked = []
    with endpoint(says({}, status=500), asked=asked) as url:
        ask(tmp_path, url)
    assert len(asked) == 3


def test_a_finished_run_is_never_overwritten(tmp_path):
    with endpoint(says(completion("Answer."))) as url:
        ask(tmp_path, url)
        before = (tmp_path / "out" / "run.json").read_bytes()
        with pytest.raises(RespondError, match="holds a finished run"):
            ask(tmp_path, url)
    assert (tmp_path / "out" / "run.json").read_bytes() == before


def test_a_directory_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with (
        endpoint(says(completion("Answer."))) as url,
        pytest.raises(RespondError, match="is not empty"),
    ):
        ask(tmp_path, url)


class Killed(BaseException):
    """Stands for the end of the process."""


def killed_after(n_lines):
    told = []

    def progress(line):
        told.append(line)
        if sum(" of 3: " in line for line in told) == n_lines:
            raise Killed

    return progress


def test_a_killed_run_goes_on_without_asking_again_what_was_answered(tmp_path):
    asked = []
    with endpoint(says(completion("Answer.")), asked=asked) as url:
        with pytest.raises(Killed):
            ask(tmp_path, url, concurrency=1, progress=killed_after(1))
        assert not (tmp_path / "out" / "run.json").exists()
        kept = (tmp_path / "out" / "unfinished.jsonl").read_text().splitlines()
        asked.clear()
        summary = ask(tmp_path, url, concurrency=1)
    assert summary.n_resumed == len(kept) >= 1
    assert len(asked) == 3 - len(kept)
    first = json.loads(kept[0])
    assert first.pop("sample") == 1 and first in lines_of(tmp_path)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["responses.jsonl", "run.json"]


def test_a_line_torn_by_the_kill_is_asked_again(tmp_path):
    with endpoint(says(completion("Answer."))) as url:
        with pytest.raises(Killed):
            ask(tmp_path, url, concurrency=1, progress=killed_after(1))
        path = tmp_path / "out" / "unfinished.jsonl"
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + b'{"vignette_id": "V0')
        summary = ask(tmp_path, url, concurrency=1)
    assert (summary.n_resumed, summary.n_completed) == (1, 3)


def test_an_unfinished_run_with_another_sampling_is_refused(tmp_path):
    with endpoint(says(completion("Answer."))) as url:
        with pytest.raises(Killed):
            ask(tmp_path, url, progress=killed_after(1))
        with pytest.raises(RespondError, match="unfinished run with sampling"):
            ask(tmp_path, url, sampling=Sampling(temperature=0.7, seed=3))


def test_a_model_that_the_endpoint_does_not_serve_is_refused_before_anything_is_asked(tmp_path):
    asked = []
    with (
        endpoint(says(completion("Answer.")), models=MODELS, asked=asked) as url,
        pytest.raises(RespondError, match="serves m, and no other"),
    ):
        ask(tmp_path, url, model="other")
    assert asked == []
    assert not (tmp_path / "out").exists()


def test_a_line_break_of_unicode_does_not_split_a_line_of_the_file(tmp_path):
    with endpoint(says(completion("one\u2028two"))) as url:
        ask(tmp_path, url)
    assert len(lines_of(tmp_path)) == 3
    assert lines_of(tmp_path)[0]["text"] == "one\u2028two"


def test_samples_that_could_not_differ_or_be_picked_are_refused():
    with pytest.raises(ValueError, match="4 samples at temperature 0 would all be the same"):
        Sampling(n_samples=4)
    with pytest.raises(ValueError, match="n_samples is 0"):
        Sampling(n_samples=0)
    with pytest.raises(ValueError, match="pick 'seeded' draws from the seed"):
        Sampling(temperature=1.0, n_samples=4, pick="seeded")


def numbered(asked):
    """An endpoint whose answer tells task and seed."""
    case = asked["messages"][0]["content"].split("Case ")[1].split()[0]
    return 200, json.dumps(completion(f"Case {case} by {asked['seed']}")).encode()


@pytest.mark.parametrize("pick", ["first", "seeded"])
def test_of_several_samples_the_one_declared_beforehand_is_the_response(tmp_path, pick):
    sampling = Sampling(temperature=1.0, seed=10, n_samples=5, pick=pick)
    with endpoint(numbered) as url:
        summary = ask(tmp_path, url, sampling=sampling)
    picked = [sampling.picked(name) for name in ("V01", "V02", "V03")]
    assert picked == [1, 1, 1] if pick == "first" else len(set(picked)) > 1
    seeds = [9 + number for number in picked]
    assert [line["text"] for line in lines_of(tmp_path)] == [
        f"Case {case} by {seed}" for case, seed in zip((1, 2, 3), seeds, strict=True)
    ]
    assert all("sample" not in line for line in lines_of(tmp_path))
    content = (tmp_path / "out" / "samples.jsonl").read_bytes()
    samples = [json.loads(line) for line in content.splitlines()]
    assert [(s["vignette_id"], s["sample"], s["seed"]) for s in samples] == [
        (f"V0{case}", number, 9 + number) for case in (1, 2, 3) for number in range(1, 6)
    ]
    assert run_of(tmp_path)["samples_sha256"] == sha256_hex(content)
    assert (summary.n_completed, summary.n_failed) == (3, 0)


def test_a_picked_sample_that_failed_is_a_failure_and_no_other_takes_its_place(tmp_path):
    def behave(asked):
        return (500, b"no") if asked["seed"] == 10 else numbered(asked)

    sampling = Sampling(temperature=1.0, seed=10, n_samples=3)
    with endpoint(behave) as url:
        summary = ask(tmp_path, url, sampling=sampling)
    assert (summary.n_completed, summary.n_failed) == (0, 3)
    assert failures_of(tmp_path) == [("failed", "endpoint_error", None)] * 3
