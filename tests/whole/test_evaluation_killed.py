"""900 prompts and three judges, killed in the middle: nothing is lost and nothing asked twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from tests.model.evaluation.bench import lines, write_bench
from tests.model.evaluation.scripted import endpoint, prompt_of, verdict

ROOT = Path(__file__).parents[2]
CONNECTIONS = 8


def start(data: Path, out: Path, target: str, judges: list[str]) -> subprocess.Popen[bytes]:
    program = (
        "from pathlib import Path; from tests.model.evaluation.bench import run; "
        f"run(Path({str(data)!r}), Path({str(out)!r}), {target!r}, {judges!r}, "
        f"connections={CONNECTIONS})"
    )
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)


def test_a_killed_evaluation_of_900_prompts_by_three_judges_asks_nothing_again(
    tmp_path: Path,
) -> None:
    data = write_bench(tmp_path / "data", per_file=50)
    out = tmp_path / "out"
    asked: list = []
    with (
        endpoint(lambda a: "I will not.", asked=asked) as target,
        endpoint(lambda a: verdict(a, 1), asked=asked) as one,
        endpoint(lambda a: verdict(a, 2), asked=asked) as two,
        endpoint(lambda a: "no verdict", asked=asked) as three,
    ):
        judges = [f"a@{one}", f"b@{two}", f"c@{three}"]
        process = start(data, out, target, judges)
        deadline = time.monotonic() + 300
        while len(asked) < 1500 and process.poll() is None and time.monotonic() < deadline:
            threading.Event().wait(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)
        kept = (out / "calls.jsonl").read_bytes()
        kept = kept[: kept.rfind(b"\n") + 1]
        n_before = len(asked)
        assert not (out / "evaluation.json").exists()
        assert start(data, out, target, judges).wait(timeout=500) == 0

    calls = (out / "calls.jsonl").read_bytes()
    assert calls.startswith(kept)
    keys = Counter(json.loads(line)["key"] for line in calls.splitlines())
    assert len(keys) == 3600 and set(keys.values()) == {1}
    # Asked again is only what was under way when it was killed, its answer on no disk.
    n_kept = kept.count(b"\n")
    assert len(asked) - n_before == 3600 - n_kept
    assert 0 <= n_before - n_kept <= 4 * CONNECTIONS
    assert len({prompt_of(each) for each in asked}) == 3600

    verdicts = lines(out, "verdicts.jsonl")
    assert Counter((v["judge"], v["status"], v["score"]) for v in verdicts) == {
        ("a", "scored", 1): 900, ("b", "scored", 2): 900, ("c", "unparsable", None): 900,
    }  # fmt: skip
    assert [s["sample_id"] for s in lines(out, "samples.jsonl")][:2] == [
        "test/gpt4/1/001", "test/gpt4/1/002",
    ]  # fmt: skip
