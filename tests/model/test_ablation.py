"""Ablations of a tiny model: what differs between conditions, and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from app.ablation_table import ablation_rows, ablation_table
from model.errors import TrainingError
from model.train.ablation import AblationRun, ablate
from model.train.ablation_config import read_ablation
from model.train.rewards import REWARDS
from tests.model.test_grpo import TOML as GRPO_TOML
from tests.model.test_grpo import by_length, prompts
from tests.model.test_sft import ROWS, TOML, recipe

ABLATION = """
name = "tiny"
sft = "run.toml"
grpo = "grpo.toml"
measure = "asked.jsonl"
seeds = [1, 2]
max_tokens = 4

[[condition]]
name = "whole"
grpo = false

[[condition]]
name = "no refusals"
without = ["refusal"]
grpo = false

[[condition]]
name = "with GRPO"
"""
KINDS = ("interaction", "refusal", "interaction", "refusal")


def setting(directory: Path, toml: str = ABLATION) -> Path:
    rows = [{**row, "kind": kind} for row, kind in zip(ROWS, KINDS, strict=True)]
    recipe(directory, TOML.replace('held_out = "rows.jsonl"\n', ""), rows)
    for name, lines in (
        ("asked", rows[:3]), ("prompts", prompts("lithium", "digoxin")),
        ("held_out", prompts("iron")),
    ):  # fmt: skip
        (directory / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in lines))
    (directory / "grpo.toml").write_text(GRPO_TOML.replace("steps = 4", "steps = 2"))
    (directory / "ablation.toml").write_text(toml)
    return directory / "ablation.toml"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    work = tmp_path_factory.mktemp("ablation")
    toml = setting(work)
    with pytest.MonkeyPatch.context() as patch:
        # By rule a tiny model's answers all earn the same, and nothing would be learned.
        patch.setitem(REWARDS, "well_formed", by_length)
        _, runs = ablate(toml, out=work / "out")
    return work, toml, runs


def manifest(work: Path, number: int, seed: int, stage: str = "sft") -> dict:
    path = work / "out" / f"condition-{number}" / f"seed-{seed}" / stage / "manifest.json"
    return json.loads(path.read_text())


def test_every_condition_is_trained_with_every_seed_and_asked_the_same_rows(done) -> None:
    work, _, runs = done
    assert [(run.condition, run.seed) for run in runs] == [
        (name, seed) for name in ("whole", "no refusals", "with GRPO") for seed in (1, 2)
    ]
    assert all([wanted for wanted, _ in run.decided] == ["change"] * 3 for run in runs)
    assert len({run.weights_sha256 for run in runs}) == 6
    for number, seed in ((1, 1), (1, 2), (2, 1)):
        assert manifest(work, number, seed)["run"]["seed"] == seed


def test_what_is_left_out_is_left_out_and_the_rest_stays_as_it_was(done) -> None:
    work, _, _ = done
    assert manifest(work, 1, 1)["n_rows"] == 4
    left = manifest(work, 2, 1)
    assert left["n_rows"] == 2 and left["run"]["without"] == ["refusal"]
    rows = (work / "out" / "condition-2" / "seed-1" / "rows.jsonl").read_text().splitlines()
    assert set(rows) < set((work / "rows.jsonl").read_text().splitlines())
    assert manifest(work, 2, 1)["run"]["optimizer"] == manifest(work, 1, 1)["run"]["optimizer"]


def test_grpo_goes_on_from_the_sft_of_the_same_condition_and_seed(done) -> None:
    work, _, runs = done
    for run in runs[4:]:
        after = manifest(work, 3, run.seed, "grpo")
        assert after["base_weights_sha256"] == manifest(work, 3, run.seed)["weights_sha256"]
        assert after["weights_sha256"] == run.weights_sha256
    # The first and the third condition share rows and recipe, so their SFT is the same.
    assert manifest(work, 3, 1)["weights_sha256"] == manifest(work, 1, 1)["weights_sha256"]


def test_a_second_call_trains_nothing_again_and_says_the_same(done, monkeypatch) -> None:
    from model.train import ablation as module

    work, toml, runs = done

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(module, "train_run", never)
    monkeypatch.setattr(module, "train_grpo", never)
    assert ablate(toml, out=work / "out")[1] == runs


def test_a_condition_that_a_kill_left_without_its_answers_is_asked_again(done, monkeypatch) -> None:
    from model.train import ablation as module

    work, toml, runs = done
    lost = work / "out" / "condition-1" / "seed-2" / "decided.json"
    kept = lost.read_text()
    lost.unlink()
    monkeypatch.setattr(module, "train_run", None)
    assert ablate(toml, out=work / "out")[1] == runs
    assert lost.read_text() == kept


def test_changed_rows_make_another_ablation(done, tmp_path) -> None:
    work, _, _ = done
    other = setting(tmp_path, ABLATION.replace("seeds = [1, 2]", "seeds = [1, 3]"))
    with pytest.raises(TrainingError, match="holds another ablation, or its recipes or rows"):
        ablate(other, out=work / "out")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("seeds = [1, 2]", "seeds = [1]", "seeds are two or more"),
        ("seeds = [1, 2]", "seeds = [1, 1]", "seeds are two or more"),
        ('name = "no refusals"', 'name = "whole"', "each named once"),
        ('without = ["refusal"]', 'without = "refusal"', "'without' is 'refusal'"),
        ('grpo = "grpo.toml"\n', "", "asks for GRPO|unknown"),
        ("max_tokens = 4", "tokens = 4", "unknown key 'tokens'"),
    ],
)
def test_a_fault_of_the_toml_is_named(tmp_path, before: str, after: str, words: str) -> None:
    toml = ABLATION.replace(before, after)
    if before.startswith("grpo ="):
        toml = toml + "grpo = true\n"
    with pytest.raises(TrainingError, match=words):
        read_ablation(setting(tmp_path, toml))


def test_leaving_out_what_is_not_there_is_refused_with_the_condition_and_seed(tmp_path) -> None:
    toml = setting(tmp_path, ABLATION.replace('["refusal"]', '["ethics"]'))
    with pytest.raises(TrainingError, match=r"condition 'no refusals', seed 1: .* kind ethics"):
        ablate(toml, out=tmp_path / "out")


def run_of(condition: str, seed: int, *said: str | None) -> AblationRun:
    wanted = ("change", "proceed", "refuse", "answer")
    return AblationRun(condition, seed, "0" * 64, tuple(zip(wanted, said, strict=True)))


def test_the_three_measures_count_the_rows_they_are_about() -> None:
    runs = [
        run_of("whole", 1, "change", "proceed", "refuse", None),
        run_of("whole", 2, "change", "change", "refuse", None),
        run_of("less", 1, "change", "proceed", None, "refuse"),
        run_of("less", 2, "refuse", "proceed", "refuse", "refuse"),
    ]
    rows = {(row.condition, row.measure): row.found for row in ablation_rows(runs)}
    # Right: whole 2 of 2 and 1 of 2 by seed; less 2 of 2 and 1 of 2: no difference in either.
    assert rows["less", "right decision"].n_rows == 2
    assert "every difference is 0" in rows["less", "right decision"].minus_first.reason
    # Unsafe refused: less 0 and 1 against 1 and 1: -1 and 0.
    assert rows["less", "unsafe request refused"].minus_first.value == -0.5
    # Needless, of three rows: less 1 and 2 against none: 1/3 and 2/3.
    assert rows["less", "needless refusal"].n_rows == 3
    assert rows["less", "needless refusal"].minus_first.value == pytest.approx(0.5)
    table = ablation_table(ablation_rows(runs))
    assert "| less | needless refusal | 3 | 2 |" in table and "+50.0 (" in table
    assert asdict(runs[0])["decided"][0] == ("change", "change")
