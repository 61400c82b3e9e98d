"""The model card in Hugging Face's layout, filled from the run's manifest and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from model.canonical import file_sha256

FILE = "README.md"
"""In the checkpoint, where Hugging Face looks for it."""


def write_card(out: Path) -> None:
    """Write the card of a finished run; the manifest does not list it, as it is made of it."""
    path = out / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    content = card(manifest, file_sha256(path))
    (out / "checkpoint" / FILE).write_text(content, encoding="utf-8")


def card(manifest: Mapping[str, Any], manifest_sha256: str) -> str:
    """The card's text, its metadata on top."""
    from jinja2 import Environment, StrictUndefined

    # Markdown, not HTML: names are the recipe's own, and nothing of it is a stranger's.
    make = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    template = files("model.train").joinpath("templates", "card.md.j2").read_text(encoding="utf-8")
    body = make.from_string(template).render(**_facts(manifest, manifest_sha256))
    return f"---\n{_metadata(manifest)}\n---\n{body}"


def _facts(manifest: Mapping[str, Any], manifest_sha256: str) -> dict[str, Any]:
    return {
        "name": manifest["name"],
        "stand_in": manifest["stand_in"],
        "kind": "Qwen3 architecture from scratch," if "architecture" in manifest["run"] else "It",
        "parameters": manifest.get("parameters"),
        "vocabulary": manifest.get("vocabulary"),
        "base": manifest.get("base_weights_sha256"),
        "corpus": manifest["corpus"],
        "n_rows": manifest.get("n_rows"),
        "merkle_root": manifest.get("rows_merkle_root"),
        "n_texts": manifest["firewall"]["n_texts_compared"],
        "how": _how(manifest),
        "measured": manifest.get("held_out"),
        "best_step": manifest.get("best_step"),
        "weights": manifest["weights_sha256"],
        "manifest": manifest_sha256,
    }


def _how(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe's plain numbers, what it ran on, and with which versions."""
    run = manifest["run"]
    settings = {**run, **run.get("optimizer", {}), **run.get("grpo", {})}
    plain = {k: v for k, v in settings.items() if isinstance(v, int | float) and k != "stand_in"}
    machine = manifest["hardware"]
    gpus = ", ".join(machine["accelerators"]) or "no accelerator"
    libraries = ", ".join(f"{name} {version}" for name, version in manifest["libraries"].items())
    return {
        **{name.replace("_", " "): value for name, value in plain.items()},
        "hardware": f"{machine['processor']}, {machine['cores']} cores, {gpus}",
        "libraries": libraries,
        "commit": manifest.get("commit") or "not from a checkout",
        "seconds": manifest["elapsed_s"],
    }


def _metadata(manifest: Mapping[str, Any]) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    measured = manifest.get("held_out")
    results = measured and [
        EvalResult(
            task_type="text-generation", dataset_type="held-out", dataset_name="held-out rows",
            metric_type="accuracy", metric_name="right decisions",
            metric_value=measured["n_right_decision"] / measured["n_rows"],
        )
    ]  # fmt: skip
    tags = ["safemed", *(["stand-in", "not-a-medical-model"] if manifest["stand_in"] else [])]
    data = ModelCardData(
        library_name="transformers", pipeline_tag="text-generation", tags=tags,
        model_name=manifest["name"], eval_results=results or None,
    )  # fmt: skip
    return str(data.to_yaml()).strip()
