"""The study's half of the walk: response, masked response, rating, rater."""

from __future__ import annotations

from typing import Any

from app.trace.graph import Graph, Node
from app.trace.model_files import answer_id
from study.canonical import sha256_hex
from study.exports.frozen import Frozen, Named

NOT_GIVEN = "its run of answers is not among the files given"


def add_frozen(graph: Graph, frozen: Frozen) -> Node:
    """Every response and rating of a frozen dataset, whose digests are checked already."""
    facts = {
        name: frozen.manifest[name]
        for name in ("title", "simulated", "protocol_sha256", "audit_head", "locked_at")
    }
    whole = Node("frozen dataset", str(frozen.manifest["study_id"]), facts)
    respondents = {str(r["respondent_id"]): r for r in frozen.rows("respondents")}
    for row in frozen.rows("responses"):
        response = _add_response(graph, frozen, row, respondents[str(row["respondent_id"])])
        if row["blinding_code"] is not None:
            masked = _masked(row)
            graph.add(masked, response)
            graph.add(whole, masked)
        else:
            graph.add(whole, response)
    dimensions = [str(d["id"]) for d in frozen.dimensions]
    for row in frozen.rows("ratings"):
        scores = {name: row[name] for name in dimensions}
        facts = {"final": row["final"], "revision": row["revision"], **scores}
        rating = Node("rating", str(row["rating_id"]), facts | {"at": row["submitted_at"]})
        masked = graph.get("masked response", str(row["blinding_code"])) or _missing(row)
        graph.add(rating, masked, Node("rater", str(row["rater_id"])))
        graph.add(whole, rating)
    return whole


def _missing(row: Named) -> Node:
    return Node(
        "masked response", str(row["blinding_code"]), open_end="no response has this blinding code"
    )


def _masked(row: Named) -> Node:
    facts = {"vignette_id": row["vignette_id"], "n_masking_changes": row["n_masking_changes"]}
    return Node("masked response", str(row["blinding_code"]), facts)


def _add_response(graph: Graph, frozen: Frozen, row: Named, who: Named) -> Node:
    facts: dict[str, Any] = {
        name: row[name] for name in ("vignette_id", "arm", "status", "failure", "submitted_at")
    }
    by = Node("respondent", str(who["respondent_id"]), {"arm": who["arm"], "kind": who["kind"]})
    is_model = who["kind"] == "model"
    study_id = str(frozen.manifest["study_id"])
    answer = graph.get(
        "answer", answer_id(study_id, str(who["respondent_id"]), str(row["vignette_id"]))
    )
    lost = NOT_GIVEN if is_model and answer is None else None
    response = Node("response", str(row["response_id"]), facts, lost)
    graph.add(response, by, *([answer] if answer is not None else []))
    if answer is not None:
        _compare(graph, response, answer, row)
    return response


def _compare(graph: Graph, response: Node, answer: Node, row: Named) -> None:
    """What the study holds has to be what the model answered."""
    text = row["text"]
    held = None if text is None else sha256_hex(str(text).encode())
    if held != answer.facts["text_sha256"]:
        graph.fault(response, "its text is not the one of the run of answers")
