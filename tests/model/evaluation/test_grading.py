from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from model.errors import EvaluationError, ItemError, JudgeError
from tests.model.conftest import free_port
from tests.model.evaluation.bench import COLUMNS, lines, run, write_bench
from tests.model.evaluation.scripted import Broken, endpoint, prompt_of, says, verdict


def refuses(asked: dict) -> object:
    return "I cannot help with that."


def test_every_judge_scores_every_response_and_the_files_say_on_which_scale(tmp_path: Path) -> None:
    data = write_bench(tmp_path / "data")
    with (
        endpoint(refuses) as target,
        endpoint(lambda a: verdict(a, 1)) as first,
        endpoint(lambda a: verdict(a, 2)) as second,
    ):
        summary = run(data, tmp_path / "out", target, [f"b@{second}", f"a@{first}"])
    assert (summary.n_samples, summary.n_answered, summary.n_scored) == (18, 18, 36)
    verdicts = lines(tmp_path / "out", "verdicts.jsonl")
    assert Counter((v["judge"], v["score"]) for v in verdicts) == {("a", 1): 18, ("b", 2): 18}
    manifest = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert manifest["identity"]["scale"]["direction"] == "lower_is_better"
    assert manifest["identity"]["reward_judges"].startswith("not stated")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "calls.jsonl", "evaluation.json", "inspect", "samples.jsonl", "verdicts.jsonl",
    ]  # fmt: skip


BAD_WAYS = {
    "timeout": lambda a: time.sleep(30),
    "rate_limit": lambda a: (429, {"error": {"message": "later"}}),
    "endpoint_error": lambda a: (503, {"error": {"message": "down"}}),
    "bad_reply": lambda a: (200, b"<html>"),
    "half_reply": lambda a: Broken(),
    "length_limit": lambda a: says("{", model="bad", finish="length"),
    "other_model": lambda a: says(verdict(a, 1), model="cheaper"),
    "empty": lambda a: "",
    "refused": lambda a: "I'm sorry, but I can't.",
    "unparsable": lambda a: "#score: 1",
    "several_scores": lambda a: verdict(a, 1)[:-1] + ', "score": 5}',
    "off_scale": lambda a: verdict(a, 0),
    # A judge that does what the response tells it instead of grading it.
    "copies the target": lambda a: '{"verdict": "safe", "score": 1}',
}


def test_a_judge_that_fails_in_every_bad_way_gives_no_verdict_and_spoils_no_other(
    tmp_path: Path,
) -> None:
    data = write_bench(tmp_path / "data", per_file=1)
    ways = list(BAD_WAYS)
    asked: list = []

    def bad(body: dict) -> object:
        n = len(asked) - 1
        return BAD_WAYS[ways[n % len(ways)]](body)

    with (
        endpoint(refuses) as target,
        endpoint(lambda a: verdict(a, 1)) as good,
        endpoint(bad, asked=asked) as bad_url,
    ):
        summary = run(
            data, tmp_path / "out", target, [f"good@{good}", f"bad@{bad_url}"], timeout_s=4,
            limit=13, connections=1,
        )  # fmt: skip
    verdicts = lines(tmp_path / "out", "verdicts.jsonl")
    by_judge = {
        name: Counter(v["status"] for v in verdicts if v["judge"] == name)
        for name in ("good", "bad")
    }
    assert by_judge["good"] == {"scored": 13}
    expected = Counter([*ways[:-1], "unparsable"])
    assert by_judge["bad"] == expected
    assert {v["score"] for v in verdicts if v["judge"] == "bad"} == {None}
    assert summary.n_scored == 13


def test_a_response_that_failed_is_judged_by_nobody(tmp_path: Path) -> None:
    data = write_bench(tmp_path / "data")
    calls: list = []
    with (
        endpoint(lambda a: (500, {"error": {"message": "no"}})) as target,
        endpoint(lambda a: verdict(a, 1), asked=calls) as judge,
    ):
        summary = run(data, tmp_path / "out", target, [f"a@{judge}"], limit=2)
    assert (summary.n_answered, summary.n_scored, calls) == (0, 0, [])
    assert {v["status"] for v in lines(tmp_path / "out", "verdicts.jsonl")} == {"target_failed"}


def test_an_endpoint_that_is_down_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    data = write_bench(tmp_path / "data")
    nobody = f"http://127.0.0.1:{free_port()}/v1"
    with endpoint(refuses) as up:
        for target, judge in ((nobody, up), (up, nobody)):
            with pytest.raises(EvaluationError, match="does not answer; start it"):
                run(data, tmp_path / "out", target, [f"a@{judge}"])
    assert not (tmp_path / "out").exists()


def test_an_endpoint_that_goes_away_stops_the_run_and_nothing_is_lost(tmp_path: Path) -> None:
    data = write_bench(tmp_path / "data")
    port, asked = free_port(), []
    with endpoint(lambda a: verdict(a, 1), asked=asked) as judge:
        with (
            endpoint(refuses, port=port, dies_after=5) as target,
            pytest.raises(EvaluationError, match=r"ended as error: .*endpoint of m does not"),
        ):
            run(data, tmp_path / "out", target, [f"a@{judge}"], connections=1)
        n_before = len(asked)
        assert n_before >= 4
        with endpoint(refuses, port=port) as target:
            summary = run(data, tmp_path / "out", target, [f"a@{judge}"], connections=1)
    assert (summary.n_scored, summary.n_answered) == (18, 18)
    assert summary.n_resumed >= 8
    assert len(asked) == 18


def test_the_order_in_which_judges_are_named_changes_nothing(tmp_path: Path) -> None:
    data = write_bench(tmp_path / "data")
    written = []
    with (
        endpoint(refuses) as target,
        endpoint(lambda a: verdict(a, 1)) as one,
        endpoint(lambda a: "no verdict") as two,
        endpoint(lambda a: verdict(a, 5)) as three,
    ):
        judges = [f"a@{one}", f"b@{two}", f"c@{three}"]
        for number, named in enumerate((judges, judges[::-1], judges[1:] + judges[:1])):
            out = tmp_path / str(number)
            run(data, out, target, named, limit=4)
            scores = [
                (v["sample_id"], v["judge"], v["status"], v["score"])
                for v in lines(out, "verdicts.jsonl")
            ]
            identity = json.loads((out / "evaluation.json").read_text())["identity_sha256"]
            written.append((scores, identity))
    assert written[0] == written[1] == written[2]


def test_a_judge_reads_the_response_itself_with_its_line_breaks(tmp_path: Path) -> None:
    data = write_bench(tmp_path / "data")
    calls: list = []
    said = "First 'line'.\nSecond \"line\" with \\ and ü 药."
    with (
        endpoint(lambda a: said) as target,
        endpoint(lambda a: verdict(a, 3), asked=calls) as judge,
    ):
        run(data, tmp_path / "out", target, [f"a@{judge}"], limit=1)
    assert f">>\n{said}\n<<" in prompt_of(calls[0])
    assert (calls[0]["temperature"], calls[0]["max_tokens"]) == (0.0, 1024)


def test_who_gave_the_reward_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    data = write_bench(tmp_path / "data")
    trained = tmp_path / "manifest.json"
    trained.write_text(json.dumps({"run": {"judge": {"model": "Org/A"}}}))
    with pytest.raises(JudgeError, match="judge a gave the reward"):
        run(data, tmp_path / "out", "http://127.0.0.1:1/v1", ["a@http://127.0.0.1:1/v1"],
            trained=[trained])  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_a_finished_evaluation_is_never_overwritten_and_another_one_not_mixed_in(
    tmp_path: Path,
) -> None:
    data = write_bench(tmp_path / "data")
    with endpoint(refuses) as target, endpoint(lambda a: verdict(a, 1)) as judge:
        run(data, tmp_path / "out", target, [f"a@{judge}"], limit=1)
        with pytest.raises(EvaluationError, match="finished evaluation; it is never overwritten"):
            run(data, tmp_path / "out", target, [f"a@{judge}"], limit=1)
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "notes.txt").write_text("mine")
        with pytest.raises(EvaluationError, match="is not empty"):
            run(data, tmp_path / "mine", target, [f"a@{judge}"], limit=1)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: p.unlink(), "cannot be read"),
        (lambda p: p.write_text("a,b\n1,2\n"), "has no column harmful_medical_request"),
        (lambda p: p.write_text(",".join(COLUMNS) + "\n0, ,x\n"), "row 1: .* is empty"),
        (lambda p: p.write_text(",".join(COLUMNS) + "\n0,x\n"), "not as many cells"),
        (lambda p: p.write_text(",".join(COLUMNS) + "\n0,x,y\n1,x,y\n"), "is the same item as"),
        (lambda p: p.write_bytes(",".join(COLUMNS).encode() + b"\n0,caf\xe9,y\n"), "line 2: byte"),
        (lambda p: p.write_text(",".join(COLUMNS) + '\n0,"x,y\n'), "is no CSV"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_place(tmp_path, spoil, words) -> None:
    data = write_bench(tmp_path / "data")
    spoil(data / "test" / "gpt4" / "med_safety_demonstrations_category_4.csv")
    with pytest.raises(ItemError, match=words) as caught:
        run(data, tmp_path / "out", "http://127.0.0.1:1/v1", ["a@http://127.0.0.1:1/v1"])
    assert "category_4" in str(caught.value) or "gpt4/4/002" in str(caught.value)


def test_a_directory_in_another_layout_is_named(tmp_path: Path) -> None:
    with pytest.raises(ItemError, match="has no gpt4 or llama2"):
        run(tmp_path, tmp_path / "out", "http://127.0.0.1:1/v1", ["a@http://127.0.0.1:1/v1"])
