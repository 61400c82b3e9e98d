"""Writing a trained model so that it can be served, digested and shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model.serve.checkpoint import CARD


def save_checkpoint(
    model: Any, tokenizer: Any, directory: Path, name: str, *, stand_in: bool
) -> None:
    """Write weights as bf16 safetensors, the tokenizer and the card."""
    import torch
    from transformers.utils import logging as library_logging

    quiet: Any = library_logging.disable_progress_bar
    quiet()
    model.to(torch.bfloat16).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    card = {"schema": "safemed.checkpoint/1", "name": name, "stand_in": stand_in}
    (directory / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    for path in directory.iterdir():
        # The library keeps weights to their owner; what ships is for every reader.
        path.chmod(0o644)
