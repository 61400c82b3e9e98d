"""The model's half of the walk: row, dataset, export, training run, checkpoint, answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.commands.errors import InputError
from app.trace.graph import Graph, Node
from model.canonical import file_sha256, sha256_hex
from model.cts import merkle
from model.cts.build import leaves_of
from model.cts.ledger import Ledger
from model.cts.trace import Index, Life
from model.cts.trace import trace as trace_row
from model.endpoint import NOT_STATED

NO_RUN = "no training run among the files given wrote these weights"
NO_LEDGER_ROWS = "the rows came from no export among the files given"


def add_datasets(graph: Graph, datasets: Sequence[Path]) -> None:
    """Every built dataset; its rows are counted, not listed."""
    for directory in datasets:
        manifest = _json(directory / "manifest.json")
        facts = {
            "directory": str(directory), "rows": manifest["n_kept"],
            "candidates": manifest["n_candidates"], "ledger_head": manifest["ledger_head"],
        }  # fmt: skip
        graph.add(Node("dataset", manifest["merkle_root"], facts))


def add_row(graph: Graph, ledger: Path, datasets: Sequence[Path], row_id: str) -> None:
    """One training row with what was said about it, joined to the datasets that hold it."""
    life = trace_row(Index(Ledger(ledger)), row_id, datasets)
    row = graph.add(_row(life), *(_review(r, "review") for r in life.reviews))
    for held in life.datasets:
        dataset = graph.get("dataset", held.merkle_root)
        if dataset is None:
            continue
        graph.add(dataset, row)
        if not _is_held(Path(held.directory), row_id, held.proof, held.merkle_root):
            graph.fault(row, f"its proof does not lead to the root of {held.directory}")


def _row(life: Life) -> Node:
    kept = ("corpus", "specialty", "language", "source", "licence", "generator")
    facts = {name: life.row[name] for name in kept}
    facts |= {
        "reanswers": len(life.reanswers),
        "reviews": len(life.reviews),
        "verdicts": [f"{v['verdict']}: {v['reason']}" for v in life.verdicts],
    }
    return Node("training row", life.row["row_id"], facts)


def _review(review: dict[str, Any], kind: Any) -> Node:
    facts = {
        "auditor": review["auditor"], "specialty": review["specialty"],
        "edited": bool(review["edit"]), "at": review["reviewed_at"],
    }  # fmt: skip
    return Node(kind, review["review_id"], facts)


def _is_held(directory: Path, row_id: str, steps: merkle.Proof, root: str) -> bool:
    lines = (directory / "row_ids.txt").read_text(encoding="ascii").split("\n")[:-1]
    place = next(i for i, line in enumerate(lines) if line.partition(" ")[0] == row_id)
    return merkle.leads_to(leaves_of(directory, lines)[place], steps) == root


def add_exports(graph: Graph, exports: Sequence[Path]) -> None:
    """Every export, joined to the dataset that it was written from."""
    for directory in exports:
        written = _json(directory / "export.json")
        root = written["merkle_root"]
        source = graph.get("dataset", root) or Node(
            "dataset", root, open_end="this dataset is not among the files given"
        )
        facts = {"directory": str(directory), "layout": written["layout"]}
        facts |= {"splits": {n: s["sha256"] for n, s in written["splits"].items()}}
        graph.add(Node("export", file_sha256(directory / "export.json"), facts), source)


def add_trainings(
    graph: Graph, trainings: Sequence[Path], datasets: Sequence[Path], exports: Sequence[Path]
) -> None:
    """Every training run, joined to what it read and to the checkpoint that it wrote."""
    holders = _holders(graph, datasets, exports)
    paths = [path / "manifest.json" if path.is_dir() else path for path in trainings]
    manifests = [(path, _json(path)) for path in paths]
    for _, manifest in manifests:  # all of them first: one may go on from another
        facts = {"name": manifest["name"], "stand_in": manifest["stand_in"]}
        graph.add(Node("checkpoint", manifest["weights_sha256"], facts))
    for path, manifest in manifests:
        _add_training(graph, path, manifest, holders)


def _add_training(
    graph: Graph, path: Path, manifest: dict[str, Any], holders: dict[str, Node]
) -> None:
    read = {holders[d].key: holders[d] for d in manifest["corpus"].values() if d in holders}
    facts = {
        "directory": str(path.parent), "name": manifest["name"],
        "code_version": manifest["code_version"], "commit": manifest.get("commit"),
        "run_sha256": manifest["run_sha256"], "corpus": manifest["corpus"],
    }  # fmt: skip
    run = Node("training run", file_sha256(path), facts, None if read else NO_LEDGER_ROWS)
    base = manifest.get("base_weights_sha256")
    graph.add(run, *read.values(), *([_checkpoint(graph, base)] if base else []))
    graph.add(Node("checkpoint", manifest["weights_sha256"]), run)


def _holders(graph: Graph, datasets: Sequence[Path], exports: Sequence[Path]) -> dict[str, Node]:
    """By the digest of each file of rows: the dataset or export that it belongs to."""
    found: dict[str, Node] = {}
    for directory in datasets:
        manifest = _json(directory / "manifest.json")
        node = graph.get("dataset", manifest["merkle_root"])
        if node is not None:
            found |= {split["sha256"]: node for split in manifest["splits"].values()}
    for directory in exports:
        written = _json(directory / "export.json")
        node = graph.get("export", file_sha256(directory / "export.json"))
        if node is not None:
            found |= {split["sha256"]: node for split in written["splits"].values()}
    return found


def _checkpoint(graph: Graph, weights: str) -> Node:
    return graph.get("checkpoint", weights) or Node("checkpoint", weights, open_end=NO_RUN)


def add_responses(graph: Graph, runs: Sequence[Path]) -> None:
    """Every run of answers, joined to the checkpoint whose weights its endpoint stated."""
    for directory in runs:
        run = _json(directory / "run.json")
        content = (directory / "responses.jsonl").read_bytes()
        weights = run["weights_sha256"]
        facts = {
            "directory": str(directory), "model": run["model"], "engine": run["engine"],
            "sampling": run["sampling"], "started_at": run["started_at"],
        }  # fmt: skip
        stated = weights != NOT_STATED
        node = Node(
            "answering run", run["responses_sha256"], facts,
            None if stated else "the endpoint did not state the digest of its weights",
        )  # fmt: skip
        asked = Node("tasks", run["tasks_sha256"], {"study_id": run["study_id"]})
        graph.add(node, asked, *([_checkpoint(graph, weights)] if stated else []))
        if sha256_hex(content) != run["responses_sha256"]:
            graph.fault(node, "responses.jsonl is not the file whose digest run.json states")
        for line in content.decode("utf-8").split("\n"):
            if line:
                graph.add(_answer(run, json.loads(line)), node)


def answer_id(study_id: str, respondent_id: str, vignette_id: str) -> str:
    """What an answer is called before a study has given it an id."""
    return f"{study_id}/{respondent_id}/{vignette_id}"


def _answer(run: dict[str, Any], line: dict[str, Any]) -> Node:
    text = line["text"]
    facts = {
        "vignette_id": line["vignette_id"], "status": line["status"], "failure": line["failure"],
        "prompt_sha256": line["prompt_sha256"], "seed": line["seed"], "asked_at": line["asked_at"],
        "text_sha256": None if text is None else sha256_hex(text.encode()),
    }  # fmt: skip
    return Node(
        "answer", answer_id(run["study_id"], run["respondent_id"], line["vignette_id"]), facts
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if not isinstance(written, dict):
        raise InputError(f"{path} holds no object; name the directory that the command wrote")
    return written
