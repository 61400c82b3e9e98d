"""Which NVIDIA GPUs this machine has, as its own tool says."""

from __future__ import annotations

import shutil
import subprocess


def gpu_memories_gib() -> tuple[float, ...]:
    """Memory of every GPU in GiB; none where there is no GPU or no driver."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        done = subprocess.run(
            [tool, "--query-gpu=memory.total", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, check=False, timeout=20,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = done.stdout.split("\n") if done.returncode == 0 else []
    return tuple(float(line) / 1024 for line in lines if line.strip().isdigit())
