from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.command import main
from tests.model.conftest import nano_endpoint
from tests.model.evaluation.bench import write_bench
from tests.model.evaluation.scripted import endpoint, prompt_of, verdict
from tests.model.exams import layouts

__all__ = ["nano_endpoint"]


@dataclass(frozen=True)
class Run:
    returncode: int
    stdout: str
    stderr: str


class Safemed:
    """The command in this process: Inspect AI takes seconds to load and is loaded once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: object) -> Run:
        self._monkeypatch.setattr(sys, "argv", ["safemed", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        return Run(int(ended.value.code or 0), out, err)


@pytest.fixture
def safemed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Safemed:
    return Safemed(monkeypatch, capsys)


QUICK = ("--retries", "0", "--timeout-s", "30")


def put_bench(
    safemed: Safemed, tmp_path: Path, out: str, target: str, judges: list[str], *more: object
) -> dict:
    named = [word for judge in judges for word in ("--judge", judge)]
    run = safemed(
        "eval", "medsafetybench", tmp_path / "data", "--out", tmp_path / out, "--endpoint", target,
        "--model", "m", *named, *QUICK, *more, "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_safety_benchmark_goes_from_requests_to_a_report_and_a_comparison(
    safemed: Safemed, tmp_path: Path
) -> None:
    write_bench(tmp_path / "data", per_file=1)
    with (
        endpoint(lambda a: "I will not.") as refuser,
        endpoint(lambda a: "Sure, here is how.") as complier,
        endpoint(lambda a: verdict(a, 5 if "Sure, here" in prompt_of(a) else 1)) as strict,
        endpoint(lambda a: verdict(a, 4 if "Sure, here" in prompt_of(a) else 1)) as mild,
    ):
        judges = [f"strict@{strict}", f"mild@{mild}"]
        done = put_bench(safemed, tmp_path, "safe", refuser, judges)
        put_bench(safemed, tmp_path, "unsafe", complier, judges)
    assert (done["n_samples"], done["n_scored"], done["n_calls"]) == (18, 36, 54)
    results = tmp_path / "results.json"
    run = safemed("eval", "report", tmp_path / "safe", tmp_path / "unsafe", "--out", results)
    assert run.returncode == 0, run.stderr
    assert "scale Med-Safety-Bench 1 to 5, lower is better" in run.stdout
    assert "18 of 18 scored (100.0 %)" in run.stdout
    assert "needless refusal" in run.stdout
    safe, unsafe = (
        e["safety"]["judges"][-1] for e in json.loads(results.read_text())["evaluations"]
    )
    assert (safe["macro"], unsafe["macro"]) == (1.0, 4.5)
    assert safe["micro"]["value"] == {
        "not_computed": "no interval: every score is 1", "value": 1.0,
    }  # fmt: skip
    run = safemed("eval", "compare", "--first", tmp_path / "unsafe", "--second", tmp_path / "safe")
    assert run.returncode == 0, run.stderr
    assert "m minus m, mean over all judges, lower is better" in run.stdout
    assert "3.50 (no interval: every score is 3.5) on 18 samples" in run.stdout


def test_people_s_scores_stand_beside_the_judges(safemed: Safemed, tmp_path: Path) -> None:
    write_bench(tmp_path / "data")
    with (
        endpoint(lambda a: "Text.") as target,
        endpoint(lambda a: verdict(a, 2 if "principle 1," in prompt_of(a) else 1)) as judge,
    ):
        put_bench(safemed, tmp_path, "out", target, [f"j@{judge}"], "--limit", "4")
    people = tmp_path / "people.csv"
    rows = [f"test/gpt4/{n}/001,p,{score}" for n, score in ((1, 2), (2, 1), (3, 3))]
    people.write_text("sample_id,rater,score\n" + "\n".join(rows) + "\n")
    run = safemed("eval", "report", tmp_path / "out", "--people", people)
    assert run.returncode == 0, run.stderr
    # Judge 2 1 1 against people 2 1 3: mean absolute error 2/3, judge minus people -2/3.
    assert "mean absolute error 0.67, judge minus people \u22120.67" in run.stdout
    assert "ONLY THE FIRST 4 ITEMS" in run.stdout


def test_an_exam_goes_from_items_to_a_report_is_scored_again_and_compared(
    safemed: Safemed, tmp_path: Path
) -> None:
    items = layouts.cmexam(tmp_path / "val.csv")
    runs = [
        ("good", "CMExam-val", "good", "答案：AB"), ("poor", "CMExam-val", "poor", "答案：A"),
        ("test", "CMExam-test", "good", "答案：AB"),
    ]  # fmt: skip
    for out, name, model, said in runs:
        with endpoint(lambda a, said=said: said) as url:
            run = safemed(
                "eval", "exams", items, "--layout", "cmexam", "--name", name, "--out",
                tmp_path / out, "--endpoint", url, "--model", model, "--orders", "2", *QUICK,
            )  # fmt: skip
        assert run.returncode == 0, run.stderr
    run = safemed("eval", "report", tmp_path / "good")
    # "AB" where one option is asked for is no choice; right where two are.
    assert "accuracy 50.0 % (9.5 % to 90.5 %), 1 of 2" in run.stdout
    assert "without a choice: several_choices 1" in run.stdout
    both = safemed("eval", "report", tmp_path / "good", tmp_path / "test")
    assert "2 exams, good: plain mean 50.0 %; all items together 50.0 %" in both.stdout
    twice = safemed("eval", "report", tmp_path / "good", tmp_path / "good")
    assert "plain mean" not in twice.stdout
    again = safemed("eval", "exams", tmp_path / "good", "--rescore", "--out", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    for name in ("samples.jsonl", "verdicts.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "good" / name).read_bytes()
    run = safemed("eval", "compare", "--first", tmp_path / "good", "--second", tmp_path / "poor")
    assert run.returncode == 0, run.stderr
    assert "CMExam-val: good minus poor" in run.stdout
    assert "Holm over these exams 1.0000" in run.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("exams", "{items}", "--out", "{out}"), "--model and --endpoint"),
        (("exams", "{items}", "--layout", "cmexam", "--out", "{out}"), "has no column Question"),
        (("report", "{out}"), "is no finished evaluation"),
        (("compare", "--first", "{out}", "--second", "{out}", "--second", "{out}"), "1 eval"),
        (("medsafetybench", "{items}", "--out", "{out}", "--judge", "x", "--model", "m",
          "--endpoint", "http://127.0.0.1:1/v1"), "is not MODEL@ENDPOINT"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_one_sentence(
    safemed: Safemed, tmp_path, words: tuple, message: str
) -> None:
    items = tmp_path / "mine.csv"
    items.write_text("a,b\n1,2\n")
    if "cmexam" not in words:
        items = layouts.plain(tmp_path / "mine.jsonl")
    filled = [word.format(items=items, out=tmp_path / "out") for word in words]
    run = safemed("eval", *filled)
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr


def test_nano_takes_a_safety_benchmark_by_the_rule_and_an_exam(
    safemed: Safemed, tmp_path: Path, nano_endpoint: str
) -> None:
    write_bench(tmp_path / "data")
    common = ("--endpoint", nano_endpoint, "--model", "safemed-nano", "--max-tokens", "96", *QUICK)
    run = safemed(
        "eval", "medsafetybench", tmp_path / "data", "--out", tmp_path / "safety", "--judge",
        "rule:nano-decision/1", "--limit", "4", *common, "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["n_verdicts"] == 4
    items = layouts.plain(tmp_path / "mine.jsonl")
    run = safemed("eval", "exams", items, "--out", tmp_path / "exam", *common, "--json")
    assert run.returncode == 0, run.stderr
    run = safemed("eval", "report", tmp_path / "safety", tmp_path / "exam", "--json")
    assert run.returncode == 0, run.stderr
    safety, exam = json.loads(run.stdout)["evaluations"]
    statuses = safety["safety"]["judges"][0]["statuses"]
    assert sum(statuses.values()) == 4
    assert len(safety["identity"]["weights_sha256"]) == 64
    assert sum(exam["exam"]["statuses"].values()) == exam["exam"]["of_all"]["n"] == 2
