from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from model.cts import merkle
from model.cts.build import build, dataset_faults
from model.cts.export import export
from model.cts.ledger import Ledger
from model.cts.outcome import Policy, outcomes
from model.cts.reviews import decide, take_in, write_batch
from model.cts.trace import Index, recall, trace
from model.errors import LedgerError
from tests.model.cts.rows import agreed, edit_of, ids_of, ledger_of, review, write_lines


def whole(tmp_path: Path) -> Ledger:
    """Six rows, each with another fate."""
    ledger = ledger_of(tmp_path, 7)
    kept, low, apart, few, struck, panel, edited = ids_of(ledger)
    rows = {row["row_id"]: row for row in ledger.read("candidates").to_pylist()}
    ledger.add_rows("reanswers", [
        *(agreed(r) for r in (kept, low, apart, few, panel, edited)),
        *(agreed(struck, n, agrees=False) for n in range(1, 6)),
    ])  # fmt: skip
    first = edit_of(rows[edited], answer=rows[edited]["answer"].replace("Yes", "No"))
    after = {**rows[edited], "answer": rows[edited]["answer"].replace("Yes", "No")}
    second = edit_of(after, answer=after["answer"] + " Ask again.")
    lines = [
        review(kept, 1), review(kept, 2, 5),
        review(low, 3, 4, clinical_utility=2), review(low, 4, 4, clinical_utility=3),
        review(apart, 5, 5), review(apart, 6, 2),
        review(few, 7),
        review(struck, 8), review(struck, 9),
        review(panel, 10, 1), review(panel, 11, 5),
        review(edited, 12, edit=first), review(edited, 13, edit=second),
    ]  # fmt: skip
    take_in(ledger, write_lines(tmp_path / "reviews.jsonl", lines))
    decide(ledger, [{"row_id": panel, "verdict": "keep", "reason": "the second reviewer is right",
                     "panel": "P1, P2", "decided_at": "2026-02-01"}])  # fmt: skip
    return ledger


def test_every_row_has_one_fate_and_the_fates_add_up(tmp_path: Path) -> None:
    decided = outcomes(whole(tmp_path), Policy())
    found = [decided.words[place] for place in decided.outcome]
    assert found == [
        "kept",
        "dropped: below the bar on clinical utility",
        "waiting: panel, reviews far apart",
        "waiting: reviews",
        "waiting: panel, five re-answers missed",
        "kept: panel",
        "kept",
    ]
    assert sum(n for _, n in decided.counts()) == 7


def test_a_build_holds_the_kept_rows_with_their_edits_under_one_root(tmp_path: Path) -> None:
    ledger = whole(tmp_path)
    made = build(ledger, tmp_path / "out")
    assert made.n_kept == 3
    rows = [
        json.loads(line)
        for split in ("train", "validation", "test")
        for line in (tmp_path / "out" / f"{split}.jsonl").read_text().splitlines()
    ]
    by_id = {row["row_id"]: row for row in rows}
    assert by_id[ids_of(ledger)[6]]["answer"] == "No, patient 6 may. Ask again."
    assert list(dataset_faults(tmp_path / "out")) == []
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert sum(manifest["outcomes"].values()) == manifest["n_candidates"] == 7
    again = build(ledger, tmp_path / "again")
    assert again.merkle_root == made.merkle_root


def test_a_changed_row_of_a_dataset_is_found(tmp_path: Path) -> None:
    build(whole(tmp_path), tmp_path / "out")
    path = next(p for p in (tmp_path / "out").glob("*.jsonl") if p.stat().st_size)
    path.write_text(path.read_text().replace("may", "must", 1))
    found = list(dataset_faults(tmp_path / "out"))
    assert found[0] == f"{path.name} was changed: its digest is not the manifest's"
    assert "lead to the root" in found[1]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8, 13])
def test_the_root_is_that_of_rfc_6962_and_every_proof_leads_to_it(n: int) -> None:
    leaves = [merkle.leaf(bytes([i])) for i in range(n)]

    def by_definition(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        split = 1
        while split * 2 < len(part):
            split *= 2
        left, right = by_definition(part[:split]), by_definition(part[split:])
        return sha256(b"\x01" + left + right).digest()

    assert merkle.root(leaves) == by_definition(leaves).hex()
    for place, found in enumerate(leaves):
        assert merkle.leads_to(found, merkle.proof(leaves, place)) == merkle.root(leaves)


def test_an_edit_that_does_not_apply_is_refused_and_nothing_is_taken_in(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, 2)
    row_id = ids_of(ledger)[0]
    wrong = [{"field": "answer", "start": 0, "before": "Never", "after": "No"}]
    path = write_lines(tmp_path / "v.jsonl", [review(row_id, 1), review(row_id, 2, edit=wrong)])
    with pytest.raises(LedgerError, match=r"line 2: review v2: the edit does not apply.*'Never'"):
        take_in(ledger, path)
    assert ledger.read("reviews").num_rows == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": {"medical_correctness": 6}}, "scores must name each of"),
        ({"row_id": "r_none"}, "the ledger holds no row 'r_none'"),
        ({"review_id": ""}, "review_id '' is empty"),
    ],
)
def test_a_review_that_cannot_be_used_is_named(tmp_path: Path, change: dict, words: str) -> None:
    ledger = ledger_of(tmp_path, 1)
    line = {**review(ids_of(ledger)[0], 1), **change}
    with pytest.raises(LedgerError, match=words):
        take_in(ledger, write_lines(tmp_path / "v.jsonl", [line]))


@pytest.mark.parametrize("score", [0, 6, 3.5, "4", True])
def test_a_score_off_the_scale_is_named(tmp_path: Path, score: object) -> None:
    ledger = ledger_of(tmp_path, 1)
    line = review(ids_of(ledger)[0], 1)
    line["scores"]["clinical_utility"] = score
    with pytest.raises(LedgerError, match=r"clinical_utility is .*; a whole number 1 to 5"):
        take_in(ledger, write_lines(tmp_path / "v.jsonl", [line]))


def test_a_batch_holds_what_waits_as_it_stands_and_the_docket_hides_scores(tmp_path: Path) -> None:
    ledger = whole(tmp_path)
    assert write_batch(ledger, tmp_path / "batch.jsonl") == 1
    head, row = map(json.loads, (tmp_path / "batch.jsonl").read_text().splitlines())
    assert (head["docket"], row["row_id"]) == (False, ids_of(ledger)[3])
    assert write_batch(ledger, tmp_path / "docket.jsonl", docket=True) == 2
    assert "scores" not in (tmp_path / "docket.jsonl").read_text()
    with pytest.raises(LedgerError, match="no row of cardiology waits"):
        write_batch(ledger, tmp_path / "none.jsonl", specialty="cardiology")


def test_the_panel_decides_once(tmp_path: Path) -> None:
    ledger = whole(tmp_path)
    verdict = {"row_id": ids_of(ledger)[5], "verdict": "drop", "reason": "second thoughts",
               "panel": "P1", "decided_at": "2026-02-02"}  # fmt: skip
    with pytest.raises(LedgerError, match="has decided already"):
        decide(ledger, [verdict])


def test_a_row_is_traced_from_its_source_to_the_root(tmp_path: Path) -> None:
    ledger = whole(tmp_path)
    made = build(ledger, tmp_path / "out")
    row_id = ids_of(ledger)[6]
    life = trace(Index(ledger), row_id, [tmp_path / "out"])
    assert life.row["source"] == "a test"
    assert [r["review_id"] for r in life.reviews] == ["v12", "v13"]
    (held,) = life.datasets
    line = next(
        line
        for line in (tmp_path / "out" / f"{held.split}.jsonl").read_bytes().splitlines()
        if row_id.encode() in line
    )
    assert merkle.leads_to(merkle.leaf(line), held.proof) == made.merkle_root
    with pytest.raises(LedgerError, match="holds no row 'r_missing'"):
        trace(Index(ledger), "r_missing")


def test_recalling_a_row_names_its_checkpoints_and_their_responses(tmp_path: Path) -> None:
    ledger = whole(tmp_path)
    build(ledger, tmp_path / "out")
    export(tmp_path / "out", tmp_path / "trl", "trl")
    row_id = ids_of(ledger)[0]
    split = trace(Index(ledger), row_id, [tmp_path / "out"]).datasets[0].split
    digest = json.loads((tmp_path / "trl" / "export.json").read_text())["splits"][split]["sha256"]
    trained = tmp_path / "manifest.json"
    trained.write_text(json.dumps({"corpus": {"train": digest}, "weights_sha256": "w" * 64}))
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"corpus": {"train": "0" * 64}, "weights_sha256": "o" * 64}))
    run = tmp_path / "run.json"
    run.write_text(json.dumps({"weights_sha256": "w" * 64}))
    (touched,) = recall(
        row_id, datasets=[tmp_path / "out"], exports=[tmp_path / "trl"],
        trainings=[trained, other], runs=[run],
    )  # fmt: skip
    assert (touched.checkpoint_sha256, touched.responses) == ("w" * 64, (str(run),))


@pytest.mark.parametrize("layout", ["trl", "swift", "llamafactory"])
def test_an_export_keeps_every_row_and_its_provenance_line_for_line(
    tmp_path: Path, layout: str
) -> None:
    build(whole(tmp_path), tmp_path / "out")
    counts = export(tmp_path / "out", tmp_path / "exported", layout)  # type: ignore[arg-type]
    assert sum(counts.values()) == 3
    for split, n in counts.items():
        rows = (tmp_path / "exported" / f"{split}.jsonl").read_text().splitlines()
        sidecar = (tmp_path / "exported" / f"{split}.provenance.jsonl").read_text().splitlines()
        assert len(rows) == len(sidecar) == n
        for row, beside in zip(rows, sidecar, strict=True):
            assert "</think>" in row and json.loads(beside)["licence"] == "CC0-1.0"
    assert (tmp_path / "exported" / "dataset_info.json").exists() == (layout == "llamafactory")
