"""A small byte-level BPE tokenizer, learned from the rows and from plain clinical English."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

PAD = "<|endoftext|>"
END = "<|im_end|>"
_SPECIAL = (PAD, "<|im_start|>", END)
_PIECE = re.compile(r" ?[^\W\d_]+| ?[^\w\s]+|\s+")

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}"
)
"""Qwen's turns, without its system prompt and tools."""


def train_tokenizer(
    rows: Iterable[str], plain: Sequence[str], *, vocab_size: int, context: int
) -> Any:
    """Learn a tokenizer.

    Rendered rows repeat their words thousands of times; counted as they are, they would leave no
    room for the words of a text that was never seen. So a word's count enters by its square root.

    Args:
        rows: Texts of the training rows.
        plain: Plain texts; each counts as much as all rows of one word.
        vocab_size: Tokens in all.
        context: Longest text of the model, in tokens.

    Returns:
        A transformers tokenizer. `<think>` and `</think>` are ordinary tokens: servers strip
        special ones from what they return.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    thinking = ["<think>", "</think>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(thinking),
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_damped(rows, plain), trainer)
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in thinking])
    wrap: Any = PreTrainedTokenizerFast
    return wrap(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        model_max_length=context,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def _damped(rows: Iterable[str], plain: Sequence[str]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for text in rows:
        counts.update(_PIECE.findall(text))
    weights = Counter({piece: math.isqrt(count) for piece, count in counts.items()})
    for text in plain:
        for piece, count in Counter(_PIECE.findall(text)).items():
            # At the start of a line a word lacks its space, as it never does in running text.
            weights[piece if piece.startswith(" ") else f" {piece}"] += 6 + 6 * math.isqrt(count)
    for piece, weight in sorted(weights.items()):
        for _ in range(weight):
            yield piece
