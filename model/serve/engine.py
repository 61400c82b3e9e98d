"""The embedded engine: a model of transformers on the processor, prompts padded on the left."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from model.errors import CheckpointError
from model.serve.checkpoint import Checkpoint, open_checkpoint
from model.serve.decoding import write_texts
from model.serve.settings import Settings
from model.serve.tail import Tail
from model.threads import torch_with_threads
from model.version import library_version


@dataclass(frozen=True, slots=True)
class Generated:
    """One generated text."""

    text: str
    finish_reason: Literal["stop", "length"]
    n_tokens: int


Heard = Callable[[int, str], object]
"""Is told pieces of text while they are written: which of the `n` texts, and what is new."""


class Engine:
    """One loaded model. Call it from one thread at a time."""

    def __init__(self, checkpoint: Checkpoint, model: Any, tokenizer: Any) -> None:
        """Wrap a loaded model; `load` is the usual way in."""
        self.checkpoint = checkpoint
        self.context = int(model.config.max_position_embeddings)
        """Longest prompt and answer together, in tokens."""
        self.name = f"safemed embedded (transformers {library_version('transformers')})"
        self._model = model
        self._tokenizer = tokenizer
        self._eos = _token_ids(model.generation_config.eos_token_id)

    @classmethod
    def load(cls, directory: Path, *, threads: int) -> Engine:
        """Load a checkpoint in float32: on most processors it is no slower, and it is exact.

        Args:
            directory: As for `open_checkpoint`.
            threads: Processor threads; part of what makes two runs the same.

        Raises:
            CheckpointError: If it cannot be loaded.
        """
        torch = torch_with_threads(threads)
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging as library_logging

        checkpoint = open_checkpoint(directory)
        quiet: Any = library_logging.disable_progress_bar
        quiet()
        try:
            tokenizer = AutoTokenizer.from_pretrained(
                checkpoint.directory, local_files_only=True, padding_side="left"
            )
            model: Any = AutoModelForCausalLM.from_pretrained(
                checkpoint.directory, local_files_only=True, dtype=torch.float32
            )
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{checkpoint.directory} cannot be loaded: {error}. Restore the directory as it "
                "was written"
            ) from error
        return cls(checkpoint, model.eval(), tokenizer)

    def encode(self, messages: Sequence[dict[str, str]]) -> list[int]:
        """The tokens of a conversation, ready for an answer."""
        text = self._tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=True
        )
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def generate(
        self, prompts: Sequence[Sequence[int]], settings: Settings,
        heard: Sequence[Heard | None] = (),
    ) -> list[list[Generated]]:  # fmt: skip
        """Answer prompts in one batch.

        With a seed give one prompt only: sums of floats depend on the size of a batch, a little.

        Args:
            prompts: Tokens of each.
            settings: For all of them.
            heard: For each prompt who is told the text while it is written, or None.

        Returns:
            `settings.n` texts a prompt.

        Raises:
            ValueError: If a seed comes with more than one prompt.
        """
        import torch

        if settings.seed is not None and len(prompts) != 1:
            raise ValueError(f"a seeded batch has one prompt, got {len(prompts)}")
        tails = [self._tail(settings) for _ in range(len(prompts) * settings.n)]
        written: list[list[int]] = [[] for _ in tails]

        def wrote(text: int, token: int) -> bool:
            written[text].append(token)
            if not settings.stop and not any(heard):
                return token in self._eos
            _tell(heard, text, settings.n, tails[text].add(token))
            return tails[text].has_ended

        with torch.inference_mode(), warnings.catch_warnings():
            # Advice of the library to programmers is none of the asker's business.
            warnings.simplefilter("ignore")
            write_texts(self._model, prompts, settings, wrote, pad=self._tokenizer.pad_token_id)
        texts = [self._finish(tokens, settings) for tokens in written]
        for place, text in enumerate(texts):
            _tell(heard, place, settings.n, tails[place].finish(text.text))
        return [texts[i : i + settings.n] for i in range(0, len(texts), settings.n)]

    def _tail(self, settings: Settings) -> Tail:
        return Tail(self._decode, self._eos, settings.stop)

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))

    def _finish(self, tokens: list[int], settings: Settings) -> Generated:
        ends = [i for i, token in enumerate(tokens) if token in self._eos]
        kept = tokens[: ends[0]] if ends else tokens
        text = self._decode(kept)
        cuts = [text.index(stop) for stop in settings.stop if stop in text]
        if cuts:
            text = text[: min(cuts)]
        # Without an end token or a stop string nothing but the limit ends a text.
        reason: Literal["stop", "length"] = "stop" if ends or cuts else "length"
        return Generated(text, reason, len(kept) + bool(ends))


def _tell(heard: Sequence[Heard | None], text: int, n: int, piece: str) -> None:
    """Pass a piece on to whoever listens to the text's prompt."""
    listener = heard[text // n] if heard else None
    if piece and listener is not None:
        listener(text % n, piece)


def _token_ids(value: int | list[int] | None) -> list[int]:
    if value is None:
        raise CheckpointError("the checkpoint names no end token; its answers would never end")
    return [value] if isinstance(value, int) else list(value)
