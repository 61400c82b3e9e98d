from __future__ import annotations

import json

import pytest

from model.errors import FirewallError, TrainingError
from model.serve.engine import Engine
from model.serve.settings import Settings
from model.train.config import read_run
from model.train.measure import decision_of
from model.train.sft import sft
from tests.model.files import NANO

TOML = """
name = "tiny"
stand_in = true
seed = 1
threads = 1

[data]
train = "rows.jsonl"
held_out = "rows.jsonl"
max_length = 128

[tokenizer]
vocab_size = 320
plain_text = ["plain.txt"]

[architecture]
hidden_size = 16
n_layers = 1
n_heads = 2
n_kv_heads = 1
head_dim = 8
ffn_size = 16
context = 256

[optimizer]
steps = 3
batch_size = 2
learning_rate = 1e-2
warmup_steps = 1
weight_decay = 0.0
bf16 = false
gradient_checkpointing = false
save_steps = 2
log_steps = 1
"""
ROWS = [
    {"prompt": f"May {drug} be added?", "decision": "change",
     "completion": f"<think>\n{drug}\n</think>\n\nThe plan should be changed: {drug}."}
    for drug in ("warfarin", "lithium", "ibuprofen", "digoxin")
]  # fmt: skip


def recipe(directory, toml=TOML, rows=ROWS):
    directory.mkdir(exist_ok=True)
    (directory / "plain.txt").write_text("The patient takes warfarin once daily.\n")
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (directory / "rows.jsonl").write_text(lines)
    (directory / "run.toml").write_text(toml)
    return directory / "run.toml"


def killed_in_the_third_step(directory):
    """A recipe whose run in `out` came to a sudden end."""

    class Killed(BaseException):
        pass

    def kill(line):
        if line.startswith("step 3"):
            raise Killed

    run = recipe(directory / "recipe")
    with pytest.raises(Killed):
        sft(run, out=directory / "out", progress=kill)
    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    base = tmp_path_factory.mktemp("sft")
    told = []
    checkpoint = sft(recipe(base), out=base / "out", progress=told.append)
    return checkpoint, json.loads((base / "out" / "manifest.json").read_text()), told


def test_three_steps_leave_a_checkpoint_that_answers(trained):
    checkpoint, _, _ = trained
    engine = Engine.load(checkpoint, threads=1)
    prompt = engine.encode([{"role": "user", "content": "May warfarin be added?"}])
    ((answer,),) = engine.generate([prompt], Settings(max_tokens=5))
    assert 1 <= answer.n_tokens <= 5


def test_the_manifest_states_losses_parameters_threads_and_digests(trained):
    checkpoint, manifest, _ = trained
    assert [step for step, _ in manifest["losses"]] == [1, 2, 3]
    assert manifest["run"]["threads"] == 1
    # Vocabulary 320 x 16 embeddings, tied. One layer: q 16x16, k and v 16x8 each, o 16x16,
    # ffn 3 x 16x16, norms 16 + 16 + 8 + 8; final norm 16. 5120 + 768 + 768 + 48 + 16 = 6720.
    assert manifest["vocabulary"] == 320
    assert manifest["parameters"] == 6720
    # The card is made of the manifest, so the manifest cannot hold its digest.
    assert {*manifest["files"], "README.md"} == {path.name for path in checkpoint.iterdir()}
    assert manifest["firewall"]["n_texts_compared"] == 0


def test_progress_says_the_loss_of_every_logged_step(trained):
    _, _, told = trained
    assert sum(line.startswith("step ") for line in told) == 3


def test_nothing_of_the_work_in_between_is_left(trained):
    checkpoint, _, _ = trained
    left = sorted(p.name for p in checkpoint.parent.iterdir())
    assert left == ["checkpoint", "manifest.json", "metrics.jsonl", "tensorboard"]


def test_the_same_recipe_gives_the_same_weights(trained, tmp_path):
    _, manifest, _ = trained
    sft(recipe(tmp_path / "again"), out=tmp_path / "out")
    again = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert again["weights_sha256"] == manifest["weights_sha256"]


def test_a_killed_run_goes_on_from_its_last_saved_step(trained, tmp_path):
    run = killed_in_the_third_step(tmp_path)
    told = []
    sft(run, out=tmp_path / "out", progress=told.append)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["resumed"] is True
    assert [line.split()[1] for line in told if line.startswith("step ")] == ["3"]
    assert manifest["weights_sha256"] == trained[1]["weights_sha256"]


def test_an_unfinished_run_of_another_recipe_is_refused(tmp_path):
    class Killed(BaseException):
        pass

    def kill(line):
        if line.startswith("step 1"):
            raise Killed

    with pytest.raises(Killed):
        sft(recipe(tmp_path / "r"), out=tmp_path / "out", progress=kill)
    with pytest.raises(TrainingError, match="unfinished run with another recipe"):
        sft(recipe(tmp_path / "r", TOML.replace("seed = 1", "seed = 2")), out=tmp_path / "out")


def test_a_run_may_go_on_from_a_checkpoint(trained, tmp_path):
    checkpoint, manifest, _ = trained
    start, end = TOML.index("[tokenizer]"), TOML.index("[optimizer]")
    toml = f'base = "{checkpoint}"\n' + TOML[:start] + TOML[end:]
    sft(recipe(tmp_path / "r", toml), out=tmp_path / "out")
    further = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert further["losses"][0][1] < manifest["losses"][0][1]


def test_a_finished_run_is_never_overwritten(trained, tmp_path):
    checkpoint, _, _ = trained
    with pytest.raises(TrainingError, match="holds a finished run"):
        sft(recipe(tmp_path / "r"), out=checkpoint.parent)


def test_a_row_that_holds_a_vignette_stops_the_run_before_it_begins(tmp_path):
    case = "a woman of seventy on warfarin has burning since monday and asks for a tablet"
    rows = [*ROWS, {"prompt": case, "completion": "x"}]
    toml = TOML + '\n[firewall]\nagainst = ["vignette.txt"]\n'
    run = recipe(tmp_path / "r", toml, rows)
    (tmp_path / "r" / "vignette.txt").write_text(case)
    with pytest.raises(FirewallError, match="row 5: “a woman of seventy"):
        sft(run, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_row_is_never_cut(tmp_path):
    toml = TOML.replace("max_length = 128", "max_length = 16")
    with pytest.raises(TrainingError, match=r"more than max_length = 16.*never cut"):
        sft(recipe(tmp_path / "r", toml), out=tmp_path / "out")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("seed = 1", "seed = 1\nsede = 2", r"run\.toml: unknown key 'sede'"),
        ("steps = 3", "steps = 3\nepochs = 1", r"\[optimizer\]: unknown key 'epochs'"),
        ("threads = 1", "", "'threads' is missing"),
        ("steps = 3", 'steps = "3"', "'steps' is '3'; expected int"),
        ("bf16 = false", "bf16 = 0", "'bf16' is 0; expected bool"),
        ("threads = 1", "threads = 0", "1 or more"),
        ("seed = 1", 'seed = 1\nbase = "x"', "name either `base`, or both"),
        ("[data]", "[data", "is not readable TOML"),
    ],
)
def test_a_fault_of_the_recipe_is_refused_by_name(tmp_path, before, after, words):
    with pytest.raises(TrainingError, match=words):
        read_run(recipe(tmp_path / "r", TOML.replace(before, after, 1)))


def test_a_line_that_is_no_row_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"rows\.jsonl line 1: unknown key 'answer'"):
        sft(recipe(tmp_path / "r", rows=[{**ROWS[0], "answer": "x"}]), out=tmp_path / "out")


def test_the_shipped_recipe_is_readable_and_compares_with_the_vignettes():
    run = read_run(NANO / "run.toml")
    assert run.stand_in
    assert [path.name for path in run.firewall_against] == ["vignettes"]


def test_an_answer_that_states_two_decisions_states_none():
    assert decision_of("The plan is appropriate. The plan should be changed.") is None
    assert decision_of("The plan is appropriate.") == "proceed"


def test_adapters_move_the_model_and_are_merged_into_what_is_saved(trained, tmp_path):
    checkpoint, _, _ = trained
    base = 'base = "base"\n\n[lora]\nrank = 2\nalpha = 4\ndropout = 0.0\n\n[data]'
    toml = TOML.split("[tokenizer]")[0].replace("[data]", base) + "[optimizer]" + (
        TOML.split("[optimizer]")[1]
    )  # fmt: skip
    path = recipe(tmp_path / "run", toml)
    (tmp_path / "run" / "base").symlink_to(checkpoint)
    merged = sft(path, out=tmp_path / "out")
    assert not (merged / "adapter_config.json").exists()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["weights_sha256"] != json.loads(
        (checkpoint.parent / "manifest.json").read_text()
    )["weights_sha256"]  # fmt: skip
    engine = Engine.load(merged, threads=1)
    prompt = engine.encode([{"role": "user", "content": "May warfarin be added?"}])
    assert engine.generate([prompt], Settings(max_tokens=3))


def test_metrics_are_kept_line_by_line_and_go_on_after_a_kill(trained, tmp_path):
    checkpoint, manifest, _ = trained
    lines = (checkpoint.parent / "metrics.jsonl").read_text().splitlines()
    logged = [(m["step"], round(m["loss"], 4)) for m in map(json.loads, lines) if "loss" in m]
    assert logged == [tuple(pair) for pair in manifest["losses"]]


def shown(directory):
    """What TensorBoard shows of the loss: step and value."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(directory))
    events.Reload()
    return [(event.step, round(event.value, 4)) for event in events.Scalars("loss")]


def test_tensorboard_shows_the_losses_of_the_manifest_a_kill_in_between_or_not(trained, tmp_path):
    checkpoint, manifest, _ = trained
    losses = [tuple(pair) for pair in manifest["losses"]]
    assert shown(checkpoint.parent / "tensorboard") == losses

    run = killed_in_the_third_step(tmp_path)
    sft(run, out=tmp_path / "out")
    assert shown(tmp_path / "out" / "tensorboard") == losses


def exported(directory):
    """Rows as `safemed cts export` leaves them, with provenance beside them."""
    from model.cts.build import build
    from model.cts.export import export
    from model.cts.reviews import take_in
    from tests.model.cts.rows import agreed, ids_of, ledger_of, review, write_lines

    ledger = ledger_of(directory, 12)
    ids = ids_of(ledger)
    ledger.add_rows("reanswers", [agreed(row_id) for row_id in ids])
    lines = [review(row_id, 2 * n + k) for n, row_id in enumerate(ids) for k in (0, 1)]
    take_in(ledger, write_lines(directory / "reviews.jsonl", lines))
    build(ledger, directory / "dataset")
    export(directory / "dataset", directory / "rows", "trl")
    return directory / "rows"


def test_a_run_on_exported_rows_states_every_row_it_was_given(tmp_path):
    rows = exported(tmp_path)
    toml = TOML.replace('"rows.jsonl"', '"rows/train.jsonl"')
    path = recipe(tmp_path, toml)
    sft(path, out=tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    ids = (tmp_path / "out" / "rows.txt").read_text().split()
    assert len(ids) == manifest["n_rows"] == len((rows / "train.jsonl").read_text().splitlines())
    assert len(manifest["rows_merkle_root"]) == 64


def test_rows_that_are_not_those_exported_stop_the_run_before_it_begins(tmp_path):
    rows = exported(tmp_path)
    content = (rows / "train.jsonl").read_text()
    (rows / "train.jsonl").write_text(content.replace("may", "must", 1))
    toml = TOML.replace('"rows.jsonl"', '"rows/train.jsonl"')
    with pytest.raises(TrainingError, match="is not the file that was exported"):
        sft(recipe(tmp_path, toml), out=tmp_path / "out")


def test_a_template_that_drops_the_reasoning_is_refused(trained):
    from transformers import AutoTokenizer

    from model.train.checks import check_template
    from model.train.rows import TrainingRow

    tokenizer = AutoTokenizer.from_pretrained(trained[0], local_files_only=True)
    row = TrainingRow("Q", "<think>\nT\n</think>\n\nA", None)
    check_template(tokenizer, [row])
    said = "{{ m.content.split('</think>')[-1] }}"
    tokenizer.chat_template = f"{{% for m in messages %}}{said}{{% endfor %}}"
    with pytest.raises(TrainingError, match="the tokenizer's chat template drops"):
        check_template(tokenizer, [row])


def test_a_model_that_cannot_fit_is_refused_by_both_sizes():
    from model.train.checks import check_memory

    check_memory(1_000_000, "cpu")
    check_memory(10**15, "auto")
    with pytest.raises(TrainingError, match=r"needs 14901\.2 GiB to train, .* are free"):
        check_memory(10**12, "cpu")


MIXED = """
[[data.mixture]]
name = "knowledge"
path = "rows.jsonl"
share = 0.75

[[data.mixture]]
name = "guard"
path = "guard.jsonl"
share = 0.25

[tokenizer]"""


def mixture(directory):
    toml = TOML.replace('train = "rows.jsonl"\n', "").replace("\n[tokenizer]", MIXED, 1)
    path = recipe(directory, toml, [{**ROWS[0], "prompt": f"Case {i}?"} for i in range(30)])
    guard = [{**ROWS[1], "prompt": f"Request {i}?"} for i in range(4)]
    lines = "".join(json.dumps(row) + "\n" for row in guard)
    (directory / "guard.jsonl").write_text(lines)
    return path


def test_a_mixture_is_drawn_by_its_shares_until_every_corpus_was_seen_whole(tmp_path):
    from model.train.rows import read_rows
    from model.train.sft import mixed

    run = read_run(mixture(tmp_path / "r"))
    corpora = {corpus.name: read_rows(corpus.path) for corpus in run.data.corpora}
    drawn = [row[0]["content"] for row in mixed(run, corpora)["prompt"]]
    assert {f"Case {i}?" for i in range(30)} | {f"Request {i}?" for i in range(4)} == set(drawn)
    share = sum(asked.startswith("Request") for asked in drawn) / len(drawn)
    assert 0.1 < share < 0.45  # a quarter, where by rows it would be an eighth
    assert drawn == [row[0]["content"] for row in mixed(run, corpora)["prompt"]]


def test_a_run_on_a_mixture_states_every_corpus_with_its_share_and_rows(tmp_path):
    sft(mixture(tmp_path / "r"), out=tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["mixture"] == {
        "knowledge": {"share": 0.75, "n_rows": 30}, "guard": {"share": 0.25, "n_rows": 4},
    }  # fmt: skip
    assert set(manifest["corpus"]) == {"knowledge", "guard", "held_out"}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("share = 0.25", "share = 0.5", r"add up to 1, not to 1\.25"),
        ('name = "guard"', 'name = "knowledge"', "of different names"),
        ("max_length", 'train = "rows.jsonl"\nmax_length', "either `train`, or two or more"),
        ('path = "guard.jsonl"', 'path = "guard.jsonl"\nweight = 1', "unknown key 'weight'"),
    ],
)
def test_a_fault_of_a_mixture_is_refused_by_name(tmp_path, before, after, words):
    path = mixture(tmp_path / "r")
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(TrainingError, match=words):
        read_run(path)


def test_rows_packed_into_one_sequence_do_not_see_one_another(tmp_path):
    import torch

    from model.train.build import build
    from model.train.rows import read_rows
    from model.train.sft import _trainer

    toml = TOML.replace("max_length = 128", "max_length = 250\npacking = true")
    run = read_run(recipe(tmp_path / "r", toml))
    rows = read_rows(run.data.corpora[0].path)
    built = build(run, rows)
    trainer = _trainer(run, built, {"train": rows}, (), tmp_path / "t", print)
    batch = next(iter(trainer.get_train_dataloader()))
    starts = [i for i, place in enumerate(batch["position_ids"][0].tolist()) if place == 0]
    assert len(starts) >= 3, "nothing was packed"
    model = trainer.model.eval()
    with torch.no_grad():
        together = model(
            input_ids=batch["input_ids"], position_ids=batch["position_ids"]
        ).logits[0]  # fmt: skip
        for begin, end in zip(starts, [*starts[1:], len(together)], strict=True):
            alone = model(input_ids=batch["input_ids"][:, begin:end]).logits[0]
            torch.testing.assert_close(together[begin:end], alone, atol=1e-4, rtol=1e-4)
    learned = (batch["labels"][0] != -100).sum()
    assert 0 < learned < len(together)  # completions only


def test_a_packed_run_leaves_a_checkpoint_too(tmp_path):
    toml = TOML.replace("max_length = 128", "max_length = 250\npacking = true")
    sft(recipe(tmp_path / "r", toml), out=tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [step for step, _ in manifest["losses"]] == [1, 2, 3]
