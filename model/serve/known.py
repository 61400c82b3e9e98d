"""Models known by name: what each needs, said before anybody waits for it to fail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A published model and what serving it takes."""

    name: str
    served_as: str
    """The name that its authors serve it under."""
    n_parameters: float
    context: int
    """Tokens of prompt and answer together, as its authors serve it."""
    tensor_parallel: int
    """GPUs it is spread over, as its authors serve it."""

    @property
    def weights_gib(self) -> float:
        """GiB of the weights in bf16: two bytes a parameter."""
        return self.n_parameters * 2 / 2**30

    @property
    def needed_gib(self) -> float:
        """GiB of GPU memory in all: the weights, and a third more for attention's cache."""
        return self.weights_gib * 4 / 3

    def words(self) -> str:
        """What it needs, in a sentence."""
        return (
            f"{self.name} has {self.n_parameters / 1e9:.1f} billion parameters: "
            f"{self.weights_gib:.0f} GiB of weights in bf16 and about {self.needed_gib:.0f} GiB of "
            f"GPU memory in all. Its authors serve it by vLLM over {self.tensor_parallel} GPUs "
            f"with {self.context} tokens"
        )


SAFEMED_R1 = KnownModel("OpenMedZoo/SafeMed-R1", "safemed-r1", 32.8e9, 4096, 4)
KNOWN = {SAFEMED_R1.name: SAFEMED_R1}


def local_copy(known: KnownModel) -> Path:
    """Where this machine's copy of a known model lies.

    The weights have to be here before anything is served: their digest is part of every answer's
    provenance.

    Raises:
        CheckpointError: If there is no copy; naming how to get one.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(known.name, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"{known.words()}. Its weights are not on this machine: fetch them once with "
            f"`hf download {known.name}`, then run the same command again"
        ) from error
