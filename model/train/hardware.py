"""What a run was made on, by kind and never by name: no address or user of a machine."""

from __future__ import annotations

import os
import platform
from typing import Any


def hardware() -> dict[str, Any]:
    """Processor, cores, memory in GiB, and accelerators as torch names them."""
    import torch

    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    bytes_ = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "memory_gib": round(bytes_ / 2**30, 1),
        "accelerators": [torch.cuda.get_device_name(i) for i in range(n_gpus)],
    }
