"""Row, dataset, export, training run, checkpoint, answers, study, results: one walk both ways."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from analysis.run import analyze
from app.commands.errors import InputError
from app.trace.graph import Walk
from app.trace.prov import prov_json
from app.trace.walking import TraceFiles, trace
from model.cts.build import Shares, build
from model.cts.export import export as export_dataset
from model.cts.outcome import Policy
from model.respond import Sampling, respond
from model.train.sft import sft
from study.audit import OPERATOR
from study.export import export as export_study
from study.lifecycle import take_step
from study.store import create_store
from study.take_in import take_in
from study.tasks import write_tasks
from tests.app.test_commands import safemed
from tests.model.cts.rows import ids_of, ledger_of, review, write_lines
from tests.model.files import completion, endpoint
from tests.model.test_sft import TOML
from tests.studies import (
    answer_everything,
    example_protocol,
    join,
    lock_and_unblind,
    rate_everything,
    to_answering,
)

N_VIGNETTES, N_RESIDENTS, N_RATERS = 3, 2, 2


@dataclass
class Walked:
    files: TraceFiles
    row_id: str
    weights: str


def taught(work: Path) -> tuple[Path, Path, Path, Path, str]:
    """A ledger of six rows, a dataset of the two that were reviewed, and a model that read them."""
    from model.cts.reviews import take_in as take_reviews_in

    ledger = ledger_of(work, 6)
    first, second = ids_of(ledger)[:2]
    lines = [review(r, n + 2 * k) for k, r in enumerate((first, second)) for n in (1, 2)]
    take_reviews_in(ledger, write_lines(work / "reviews.jsonl", lines))
    build(ledger, work / "dataset", policy=Policy(reanswer=False), shares=Shares(0.0, 0.0))
    export_dataset(work / "dataset", work / "export", "trl")
    (work / "plain.txt").write_text("The patient takes warfarin once daily.\n")
    toml = TOML.replace('"rows.jsonl"', '"export/train.jsonl"', 1)
    (work / "run.toml").write_text(toml.replace('held_out = "rows.jsonl"\n', ""))
    sft(work / "run.toml", out=work / "run")
    return ledger.directory, work / "dataset", work / "export", work / "run", first


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Walked:
    work = tmp_path_factory.mktemp("trace")
    ledger, dataset, exported, run, row_id = taught(work)
    weights = json.loads((run / "manifest.json").read_text())["weights_sha256"]
    store = create_store(work / "study.db")
    study_id = to_answering(store, n_vignettes=N_VIGNETTES)
    for number in range(N_RESIDENTS):
        resident = join(store, study_id, "resident", arm="residents")
        answer_everything(store, resident, f"Resident {number} would wait.")
    tasks = write_tasks(store, study_id, "model", work / "tasks", by=OPERATOR)
    listed = {"data": [{"id": "tiny", "weights_sha256": weights, "owned_by": "a test"}]}

    def behave(asked):
        number = asked["messages"][0]["content"].split("ward ")[1].split()[0]
        return 200, json.dumps(completion(f"Go on with {number}.")).encode()

    with endpoint(behave, models=listed) as url:
        respond(tasks, work / "responses", endpoint=url, model="tiny", sampling=Sampling(seed=1))
    take_in(store, study_id, work / "responses", by=OPERATOR)
    for verb in ("close", "mask"):
        take_step(
            store, study_id, verb, by=OPERATOR, **({"invite": False} if verb == "mask" else {})
        )
    raters = [join(store, study_id, "rater") for _ in range(example_protocol().rating.n_raters)]
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR)
    for number, rater in enumerate(raters):
        rate_everything(store, rater, 2 + number)
    lock_and_unblind(store, study_id)
    export_study(store, study_id, work / "frozen", by=OPERATOR, code_version="test")
    store.close()
    analyze(work / "frozen", work / "results")
    files = TraceFiles(
        ledger, [dataset], [exported], [run], [work / "responses"], work / "frozen",
        work / "results",
    )  # fmt: skip
    return Walked(files, row_id, weights)


def kinds(nodes) -> Counter:
    return Counter(node.kind for node in nodes)


def test_from_a_row_down_to_the_cells_of_the_tables(walked: Walked) -> None:
    walk = trace(walked.row_id, walked.files)
    assert walk.faults == ()
    assert kinds(walk.up) == {"review": 2}
    down = kinds(walk.down)
    assert down["dataset"] == down["export"] == down["training run"] == down["checkpoint"] == 1
    # The model's three answers, each rated by both raters; residents' responses are not of it.
    assert (down["answer"], down["response"], down["masked response"]) == (3, 3, 3)
    assert (down["rating"], down["frozen dataset"]) == (6, 1)
    assert down["table cell"] > 10 and down["result"] >= 2


def test_from_a_cell_up_to_the_dataset_that_taught_the_model(walked: Walked) -> None:
    walk = trace("primary:Medical correctness:p", walked.files)
    assert walk.faults == ()
    up = kinds(walk.up)
    # Two residents and the model answered three vignettes each; both raters rated all nine.
    assert (up["result"], up["rating"], up["response"]) == (1, 18, 9)
    assert (up["rater"], up["respondent"]) == (2, 3)
    assert up["answer"] == 3
    (checkpoint,) = (n for n in walk.up if n.kind == "checkpoint")
    assert checkpoint.id == walked.weights and checkpoint.open_end is None
    (dataset,) = (n for n in walk.up if n.kind == "dataset")
    assert dataset.facts["rows"] == 2 and dataset.facts["candidates"] == 6


@pytest.mark.parametrize("kind", ["checkpoint", "response", "rating", "masked response"])
def test_from_anything_between_the_walk_goes_both_ways(walked: Walked, kind: str) -> None:
    whole = trace(walked.row_id, walked.files)
    start = next(node for node in whole.down if node.kind == kind)
    walk = trace(start.id[:16] if kind != "masked response" else start.key, walked.files)
    assert walk.start == start
    assert "dataset" in kinds(walk.up) and "table cell" in kinds(walk.down)
    if kind == "rating":
        assert (kinds(walk.up)["rating"], kinds(walk.up)["response"]) == (0, 1)


def test_a_resident_s_response_has_no_checkpoint_behind_it(walked: Walked) -> None:
    whole = trace("primary:Medical correctness:p", walked.files)
    person = next(n for n in whole.up if n.kind == "response" and n.facts["arm"] == "residents")
    assert kinds(trace(person.id, walked.files).up) == {"respondent": 1}


def test_what_is_not_given_is_an_open_end_in_words(walked: Walked) -> None:
    walk = trace(walked.weights, replace(walked.files, trainings=[]))
    assert walk.start.open_end == "no training run among the files given wrote these weights"
    walk = trace("primary:Medical correctness:p", TraceFiles(results=walked.files.results))
    (result,) = walk.up
    assert result.open_end.startswith("the frozen dataset that it was computed from")


def changed(walked: Walked, tmp_path: Path, name: str) -> Path:
    import shutil

    source = Path(getattr(walked.files, name)[0] if name == "responses" else walked.files.results)
    return Path(shutil.copytree(source, tmp_path / name))


def test_an_answer_that_is_not_the_one_the_study_holds_is_a_fault(walked: Walked, tmp_path) -> None:
    directory = changed(walked, tmp_path, "responses")
    path = directory / "responses.jsonl"
    path.write_text(path.read_text().replace("Go on with 1", "Stop with 1"))
    walk = trace(walked.weights, replace(walked.files, responses=[directory]))
    assert sorted(words.split(":")[-1].strip() for words in walk.faults) == [
        "its text is not the one of the run of answers",
        "responses.jsonl is not the file whose digest run.json states",
    ]


def test_a_result_of_other_ratings_is_a_fault_and_the_command_says_so(
    walked: Walked, tmp_path
) -> None:
    directory = changed(walked, tmp_path, "results")
    path = directory / "summary.json"
    summary = json.loads(path.read_text())
    summary["dimensions"][0]["lineage"]["rows_sha256"] = "0" * 64
    path.write_text(json.dumps(summary))
    start = "primary:Medical correctness:p"
    run = safemed("trace", start, "--results", directory, "--frozen", walked.files.frozen)
    assert run.returncode == 1
    assert "FAULT  result medical_correctness: model minus residents" in run.stdout
    assert "(18) are not those it was computed from (18)" in run.stdout


def test_the_command_shows_the_walk_and_writes_prov(walked: Walked, tmp_path) -> None:
    files = walked.files
    run = safemed(
        "trace", walked.row_id, "--ledger", files.ledger, "--dataset", files.datasets[0],
        "--export", files.exports[0], "--training", files.trainings[0],
        "--responses", files.responses[0], "--frozen", files.frozen, "--results", files.results,
        "--prov", tmp_path / "walk.json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "licence CC0-1.0" in run.stdout and "table cell primary:" in run.stdout
    assert f"checkpoint {walked.weights}" in run.stdout
    assert json.loads((tmp_path / "walk.json").read_text())["prefix"]["safemed"] == "urn:safemed:"


# The member submission PROV-JSON (W3C, 2013): which attributes name the two ends of each relation.
ENDS = {
    "wasGeneratedBy": ("prov:entity", "prov:activity"),
    "used": ("prov:activity", "prov:entity"),
    "wasDerivedFrom": ("prov:generatedEntity", "prov:usedEntity"),
    "wasAttributedTo": ("prov:entity", "prov:agent"),
}
KINDS = {"prov:entity": "entity", "prov:activity": "activity", "prov:agent": "agent",
         "prov:generatedEntity": "entity", "prov:usedEntity": "entity"}  # fmt: skip


def test_the_prov_has_the_structure_of_the_submission_and_says_what_the_walk_says(
    walked: Walked,
) -> None:
    walk: Walk = trace(walked.row_id, walked.files)
    written = json.loads(prov_json(walk))
    assert set(written) == {"prefix", "entity", "activity", *ENDS} - {"wasAttributedTo"}
    n_links = 0
    for relation, ends in ENDS.items():
        for link in written.get(relation, {}).values():
            assert set(link) == set(ends)
            assert all(link[end] in written[KINDS[end]] for end in ends)
            n_links += 1
    assert n_links == len(walk.links)
    up = json.loads(prov_json(trace("primary:Medical correctness:p", walked.files)))
    assert set(up) == {"prefix", "entity", "activity", "agent", *ENDS}


def test_prov_is_read_back_by_the_library(walked: Walked) -> None:
    from prov.model import ProvDocument

    walk = trace(walked.weights, walked.files)
    read = ProvDocument.deserialize(content=prov_json(walk), format="json")
    n_nodes = 1 + len(walk.up) + len(walk.down)
    assert len(read.get_records()) == n_nodes + len(walk.links)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("nobody", "'nobody' is in none of the files given"),
        ("primary:Medical correctness:q", "has no column 'q'"),
        ("primary:Nothing:p", "has no row 'Nothing'; it has Medical correctness, Medication"),
        ("r_" + "0" * 32, "the ledger holds no row"),
    ],
)
def test_what_is_not_there_is_named(walked: Walked, start: str, words: str) -> None:
    from model.errors import LedgerError

    with pytest.raises((InputError, LedgerError), match=words):
        trace(start, walked.files)
