"""Serving a checkpoint by vLLM, behind the same surface as the embedded engine."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from model.errors import EndpointError
from model.serve.checkpoint import Checkpoint, Served, open_checkpoint
from model.serve.gpus import gpu_memories_gib
from model.serve.known import KNOWN, KnownModel, local_copy
from model.serve.listening import Place, run, say, take_port
from model.serve.vllm import CPU_CONTEXT, Vllm, python_with_vllm, started, vllm_plan

_READY_S = {"cpu": 600.0, "gpu": 3600.0}


@dataclass(frozen=True, slots=True)
class VllmOptions:
    """What may be chosen about vLLM."""

    python: str | None = None
    """Of the environment that has vLLM; this process's own if none."""
    tensor_parallel: int | None = None
    context: int | None = None
    threads: int = 2
    log: Path = Path("vllm.log")


def serve_vllm(model: str, place: Place, options: VllmOptions) -> None:
    """Serve a checkpoint or a known model by vLLM; returns on SIGINT, SIGTERM ends it as well.

    Args:
        model: Directory of a checkpoint, or a known name.
        place: Where to listen.
        options: Of vLLM.

    Raises:
        CheckpointError: If the checkpoint cannot be used or is not on this machine.
        EndpointError: If vLLM or the GPUs it needs are missing, or it ends; with what its log says.
    """
    known = KNOWN.get(model)
    gpus = gpu_memories_gib()
    if known is not None:
        _refuse_small(known, gpus)
    checkpoint = open_checkpoint(local_copy(known) if known else Path(model))
    name = known.served_as if known else checkpoint.name
    with take_port(place.host, place.port) as listening, take_port("127.0.0.1", 0) as inner:
        port = inner.getsockname()[1]
        inner.close()  # vLLM takes it itself; nothing else can be handed over
        plan = vllm_plan(
            python_with_vllm(options.python), checkpoint.directory.resolve(), name, port=port,
            context=options.context or _context(checkpoint, known, gpus), n_gpus=len(gpus),
            tensor_parallel=options.tensor_parallel or _spread(known, len(gpus)),
            threads=options.threads,
        )  # fmt: skip
        with _term_as_exit(), started(plan, port=port, log=options.log) as vllm:
            vllm.wait_until_ready(_READY_S["gpu" if gpus else "cpu"])
            _serve_over(vllm, checkpoint, name, place, listening)


def _serve_over(
    vllm: Vllm, checkpoint: Checkpoint, name: str, place: Place, listening: socket.socket
) -> None:
    from model.serve.forward import Upstream, create_forwarding_app

    engine = _engine(vllm.url)
    served = Served(name, engine, checkpoint.weights_sha256, checkpoint.stand_in)
    app = create_forwarding_app(
        Upstream(f"{vllm.url}/v1", served, f"{vllm.url}/metrics", f"{vllm.url}/health")
    )
    say(name, engine, place)
    run(app, listening, vllm.when_it_ends)
    if vllm.has_ended:
        raise vllm.failure()


def _refuse_small(known: KnownModel, gpus: tuple[float, ...]) -> None:
    if sum(gpus) < known.needed_gib:
        there = f"{len(gpus)} GPUs with {sum(gpus):.0f} GiB" if gpus else "no GPU"
        raise EndpointError(
            f"{known.words()}. This machine has {there}; run it on one that has more, or name an "
            "endpoint that serves it with --engine URL"
        )


def _spread(known: KnownModel | None, n_gpus: int) -> int:
    """GPUs to spread over: as the model's authors do, or the most that divide its heads evenly."""
    most = min(known.tensor_parallel, n_gpus) if known else 1
    return 1 << (most.bit_length() - 1)


def _context(checkpoint: Checkpoint, known: KnownModel | None, gpus: tuple[float, ...]) -> int:
    if known is not None:
        return known.context
    written = json.loads((checkpoint.directory / "config.json").read_text(encoding="utf-8"))
    longest = int(written.get("max_position_embeddings", CPU_CONTEXT))
    return longest if gpus else min(longest, CPU_CONTEXT)


def _engine(url: str) -> str:
    """Name and version of the engine, as it says itself."""
    try:
        answer = httpx.get(f"{url}/version", timeout=10, trust_env=False)
        return f"vLLM {answer.json()['version']}"
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return "vLLM (version not stated)"


@contextmanager
def _term_as_exit() -> Iterator[None]:
    """Let SIGTERM unwind: a signal that ends us at once would leave vLLM behind."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
