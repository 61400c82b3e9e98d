from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.cts.ledger import Ledger, faults
from model.cts.reanswer import LOG, reanswer, same_by_judge, same_by_rule
from model.endpoint import Endpoint
from tests.model.cts.rows import ledger_of
from tests.model.files import completion, endpoint, says


def run(ledger: Ledger, url: str, **more):
    with Endpoint(url, timeout_s=5) as client:
        return reanswer(ledger, client, "strong", **more)


def tries_of(ledger: Ledger) -> dict[str, list[bool | None]]:
    tries: dict[str, list[bool | None]] = {}
    for line in ledger.read("reanswers").to_pylist():
        tries.setdefault(line["row_id"], []).append(line["agrees"])
    return tries


def test_a_row_is_asked_until_an_answer_agrees_and_at_most_five_times(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, 2)
    asked = {0: 0, 1: 0}

    def behave(request):
        number = int(request["messages"][0]["content"].split()[2])
        asked[number] += 1
        right = number == 0 and asked[0] == 3
        words = "Yes, patient 0 may." if right else "No, never."
        return 200, json.dumps(completion(words)).encode()

    with endpoint(behave) as url:
        done = run(ledger, url)
    assert asked == {0: 3, 1: 5}
    assert sorted(tries_of(ledger).values()) == [[False, False, False, False, False],
                                                 [False, False, True]]  # fmt: skip
    assert (done.n_calls, done.n_agreed, done.n_docketed) == (8, 1, 1)
    assert not (ledger.directory / LOG).exists()
    assert list(faults(ledger)) == []


def test_a_failed_call_is_neither_hit_nor_strike_and_is_tried_by_the_next_run(
    tmp_path: Path,
) -> None:
    ledger = ledger_of(tmp_path, 1)
    with endpoint(says({"error": "busy"}, status=503)) as url:
        run(ledger, url)
    assert list(tries_of(ledger).values()) == [[None]]
    assert ledger.read("reanswers").to_pylist()[0]["failure"] == "endpoint_error"
    with endpoint(says(completion("Yes, patient 0 may."))) as url:
        done = run(Ledger(ledger.directory), url)
    assert (done.n_calls, done.n_agreed) == (1, 1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("B", "The answer is B.", None),
        ("(B) warfarin", "B. Warfarin, since", True),
        ("B", "C", False),
        ("Stop  the drug", "stop the drug", True),
        ("Stop it", "Go on", False),
    ],
)
def test_options_and_words_are_compared(one: str, other: str, same: bool | None) -> None:
    found = same_by_rule("Q", one, other)
    assert found == (same if same is not None else found)


def test_a_judge_that_says_neither_yes_nor_no_decides_nothing(tmp_path: Path) -> None:
    for said, wanted in (("Yes.", True), ("no", False), ("Perhaps", None)):
        with endpoint(says(completion(said))) as url, Endpoint(url, timeout_s=5) as client:
            assert same_by_judge(client, "judge")("Q", "A", "B") is wanted


def test_killed_in_the_middle_it_goes_on_without_repeating_or_losing_a_reply(
    tmp_path: Path,
) -> None:
    ledger = ledger_of(tmp_path, 60)
    answered: list[str] = []

    def behave(request):
        time.sleep(0.02)
        answered.append(f"{request['messages'][0]['content']} {request['seed']}")
        number = request["messages"][0]["content"].split()[2]
        return 200, json.dumps(completion(f"Yes, patient {number} may.")).encode()

    with endpoint(behave) as url:
        command = [
            sys.executable, "-m", "app", "cts", "reanswer", "--ledger", str(ledger.directory),
            "--endpoint", url, "--model", "strong", "--concurrency", "2",
        ]  # fmt: skip
        log = ledger.directory / LOG
        n_kills = 0
        while n_kills < 3:
            had = log.read_bytes().count(b"\n") if log.exists() else 0
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            while (log.read_bytes().count(b"\n") if log.exists() else 0) < had + 7:
                time.sleep(0.01)
                assert process.poll() is None
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            n_kills += 1
        kept = {tuple(json.loads(line)[k] for k in ("row_id", "number"))
                for line in log.read_bytes().split(b"\n")[:-1] if line.endswith(b"}")}  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    lines = Ledger(ledger.directory).read("reanswers").to_pylist()
    keys = [(line["row_id"], line["number"]) for line in lines]
    assert len(keys) == len(set(keys)) == 60
    assert kept <= set(keys)
    # A kill can lose only what was in flight: two calls at a time, three kills.
    assert 60 <= len(answered) <= 66
