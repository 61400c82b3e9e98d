"""`summary.json`: every number with its lineage, in a documented shape that is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from analysis.agreement import Agreement
from analysis.attempts import NotComputed
from analysis.canonical import sha256_hex
from analysis.errors import AnalysisError
from analysis.lineage import rating_lineage, table_lineage
from analysis.primary import DimensionResult
from analysis.results import Results

SCHEMA = "safemed.summary/1"
KEYS = (
    "schema", "study_id", "title", "simulated", "simulated_note", "contrasts", "protocol_sha256",
    "code_version", "audit_head", "unblindings", "tables", "rules", "family", "margin", "flow",
    "harm", "dimensions", "agreement", "test_retest", "blinding", "robustness",
)  # fmt: skip
"""Top-level keys, in order; `docs/contracts.md` says what each holds."""
PRIMARY = (
    "analysis.paired.signed_rank", "analysis.multiplicity.adjust",
    "analysis.paired.hodges_lehmann", "analysis.paired.mean_difference",
    "analysis.effects.rank_biserial", "analysis.effects.r_from_z",
    "analysis.effects.paired_superiority", "analysis.effects.cohen_dz",
    "analysis.equivalence.noninferiority", "analysis.equivalence.equivalence",
    "analysis.paired.sign_flip", "analysis.generalise.two_way_random",
    "analysis.mixed.fit_crossed", "analysis.ordinal.ordinal_gee",
)  # fmt: skip
AGREEMENT = (
    "analysis.reliability.icc_interval", "analysis.reliability.krippendorff_alpha_interval",
    "analysis.reliability.gwet_ac_interval", "analysis.reliability.percent_agreement",
    "analysis.reliability.weighted_kappa",
)  # fmt: skip


def summary(results: Results) -> dict[str, Any]:
    """Every number of the report as plain values; what was not computed keeps its reason.

    Raises:
        AnalysisError: If the shape is not the documented one; a fault of this program.
    """
    dataset = results.dataset
    margin = dataset.margin
    content = {
        "schema": SCHEMA,
        "study_id": dataset.manifest["study_id"],
        "title": dataset.manifest["title"],
        "simulated": dataset.manifest["simulated"],
        "simulated_note": dataset.simulated_note,
        "contrasts": [{"first": c.first.id, "second": c.second.id} for c in dataset.contrasts],
        "protocol_sha256": dataset.manifest["protocol_sha256"],
        "code_version": dataset.manifest["code_version"],
        "audit_head": dataset.manifest["audit_head"],
        "unblindings": dataset.manifest["unblindings"],
        "tables": {
            name: {"rows": entry["rows"], "sha256": entry["sha256"]}
            for name, entry in dataset.manifest["tables"].items()
        },
        "rules": dict(dataset.protocol["analysis"]),
        "family": list(dataset.protocol["primary"]["family"]),
        "margin": None if margin is None else asdict(margin),
        "flow": [asdict(arm) for arm in results.flow],
        "harm": plain(results.harm)
        | {"lineage": asdict(table_lineage(dataset, "marks", ("analysis.harm.marked_shares",)))},
        "dimensions": [_dimension(results, result) for result in results.dimensions],
        "agreement": [_agreement(results, row) for row in results.agreement],
        "test_retest": plain(results.test_retest),
        "blinding": plain(results.blinded),
        "robustness": plain(results.robustness),
    }
    check_summary(content)
    return content


def summary_json(results: Results) -> str:
    """The summary as the file holds it."""
    return json.dumps(summary(results), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def check_summary(content: Mapping[str, Any]) -> None:
    """Refuse a summary of another shape, or with a number nobody can print.

    Raises:
        AnalysisError: Naming the key.
    """
    if tuple(content) != KEYS:
        odd = sorted(set(content) ^ set(KEYS)) or "their order"
        raise AnalysisError(f"the summary has other keys than documented: {odd}")
    for name, value in content.items():
        _refuse_infinite(name, value)
    for block in (*content["dimensions"], *content["agreement"], content["harm"]):
        lineage = block["lineage"]
        if not lineage["functions"] or len(lineage["rows_sha256"]) != 64:
            raise AnalysisError(f"a result of the summary has no lineage: {lineage}")


def _refuse_infinite(where: str, value: Any) -> None:
    if isinstance(value, float) and not np.isfinite(value):
        raise AnalysisError(f"the summary holds {value} at {where}")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _refuse_infinite(f"{where}.{name}", inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            _refuse_infinite(f"{where}[{place}]", inner)


def _dimension(results: Results, result: DimensionResult) -> dict[str, Any]:
    arms = (result.contrast.first.id, result.contrast.second.id)
    lineage = rating_lineage(results.dataset, result.dimension.id, arms, PRIMARY)
    return {**plain(result), "lineage": asdict(lineage)}


def _agreement(results: Results, row: Agreement) -> dict[str, Any]:
    dataset = results.dataset
    arms = [arm.id for arm in dataset.arms.values() if row.scope in ("all responses", arm.label)]
    lineage = rating_lineage(dataset, row.dimension.id, arms, AGREEMENT)
    return {**plain(row), "lineage": asdict(lineage)}


def plain(value: Any) -> Any:
    """Frozen results as JSON values; what was not computed keeps its reason."""
    if isinstance(value, NotComputed):
        shown = {} if value.value is None else {"value": value.value}
        return {**shown, "not_computed": value.reason}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    return value


def digest(results: Results) -> str:
    """SHA-256 of the summary; two runs on one dataset agree on it."""
    return sha256_hex(summary_json(results).encode())
