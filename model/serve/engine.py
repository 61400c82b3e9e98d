"""The embedded engine: transformers `generate` on the processor, prompts padded on the left."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from model.errors import CheckpointError
from model.serve.checkpoint import Checkpoint, open_checkpoint
from model.serve.tail import Tail
from model.threads import torch_with_threads
from model.version import library_version


@dataclass(frozen=True, slots=True)
class Settings:
    """How to write; requests with the same settings may share a batch."""

    temperature: float = 0.0
    """0 takes the likeliest token at every step."""
    top_p: float = 1.0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    n: int = 1
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """One generated text."""

    text: str
    finish_reason: Literal["stop", "length"]
    n_tokens: int


Heard = Callable[[int, str], object]
"""Is told pieces of text while they are written: which of the `n` texts, and what is new."""


class Engine:
    """One loaded model. Call it from one thread at a time: the random state is torch's own."""

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

        With a seed give one prompt only: the numbers drawn for a batch depend on its size.

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

        if settings.seed is not None:
            if len(prompts) != 1:
                raise ValueError(f"a seeded batch has one prompt, got {len(prompts)}")
            torch.manual_seed(settings.seed)
        width = max(len(prompt) for prompt in prompts)
        pad = self._tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(p)) + list(p) for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        extra: dict[str, Any] = {"tokenizer": self._tokenizer} if settings.stop else {}
        said = _Said(self._tails(heard, settings))
        if any(heard):
            extra["streamer"] = said
        with torch.inference_mode(), warnings.catch_warnings():
            # Advice of the library to programmers is none of the asker's business.
            warnings.simplefilter("ignore")
            written = self._model.generate(
                input_ids=ids, attention_mask=mask, generation_config=self._plan(settings), **extra
            )
        texts = [self._finish(tokens, settings) for tokens in written[:, width:].tolist()]
        said.finish([text.text for text in texts])
        return [texts[i : i + settings.n] for i in range(0, len(texts), settings.n)]

    def _tails(
        self, heard: Sequence[Heard | None], settings: Settings
    ) -> dict[int, tuple[Tail, Heard, int]]:
        """For each text that is listened to: its tail, the listener, and which of the `n` it is."""
        return {
            place * settings.n + choice: (
                Tail(self._decode, self._eos, settings.stop), listener, choice
            )
            for place, listener in enumerate(heard)
            if listener is not None
            for choice in range(settings.n)
        }  # fmt: skip

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))

    def _plan(self, settings: Settings) -> Any:
        from transformers import GenerationConfig

        make: Any = GenerationConfig
        sample = settings.temperature > 0
        chosen: dict[str, Any] = {"do_sample": sample, "max_new_tokens": settings.max_tokens}
        if sample:
            # Only what was asked for: a checkpoint's own top_k would be an unasked-for choice.
            chosen |= {"temperature": settings.temperature, "top_p": settings.top_p, "top_k": 0}
        if settings.stop:
            chosen["stop_strings"] = list(settings.stop)
        return make(
            eos_token_id=self._eos,
            pad_token_id=self._tokenizer.pad_token_id,
            num_return_sequences=settings.n,
            **chosen,
        )

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


class _Said:
    """What transformers calls a streamer, for a whole batch: it is handed every step's tokens."""

    def __init__(self, tails: dict[int, tuple[Tail, Heard, int]]) -> None:
        self._tails = tails
        self._begun = False

    def put(self, tokens: Any) -> None:
        """Pass a step on; the first call is the prompts, which nobody wants back."""
        if self._begun:
            steps = tokens.tolist()
            for place, (tail, listener, choice) in self._tails.items():
                self._tell(listener, choice, tail.add(steps[place]))
        self._begun = True

    def end(self) -> None:
        """Part of the library's protocol; `finish` knows the texts."""

    def finish(self, texts: Sequence[str]) -> None:
        """Tell what was held back."""
        for place, (tail, listener, choice) in self._tails.items():
            self._tell(listener, choice, tail.finish(texts[place]))

    def _tell(self, listener: Heard, choice: int, piece: str) -> None:
        if piece:
            listener(choice, piece)


def _token_ids(value: int | list[int] | None) -> list[int]:
    if value is None:
        raise CheckpointError("the checkpoint names no end token; its answers would never end")
    return [value] if isinstance(value, int) else list(value)
