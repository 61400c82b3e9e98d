"""Writing a batch of texts token by token; texts that have ended leave the batch.

The library's own `generate` reads a prompt once for each of its texts and goes on with every row
until the longest is done. Here a prompt is read once, and what has ended soon costs nothing more.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from model.serve.growing import growing_cache
from model.serve.settings import Settings

LIKELY = 64
"""Tokens that are looked at first: sorting a whole vocabulary takes a fifth of the time."""
SPENT = 0.25
"""Share of rows whose texts have ended at which they are taken out; it copies all the others."""
Wrote = Callable[[int, int], bool]
"""Is told every token of every text (which text, which token); says whether that text has ended."""


def write_texts(
    model: Any, prompts: Sequence[Sequence[int]], settings: Settings, wrote: Wrote, *, pad: int
) -> None:
    """Write `settings.n` texts a prompt, all prompts in one batch.

    Args:
        model: A causal language model of transformers.
        prompts: Tokens of each.
        settings: For all of them.
        wrote: Is told each token as it is chosen.
        pad: Token that fills short prompts up, on the left; it is never looked at.
    """
    import torch

    logits, cache, mask = _read(model, prompts, pad)
    texts = torch.arange(len(prompts)).repeat_interleave(settings.n)
    cache.batch_repeat_interleave(settings.n)
    logits, mask = logits[texts], mask[texts]
    rows = list(range(len(texts)))
    ended: set[int] = set()
    draws = _draws(settings, len(rows))
    for step in range(settings.max_tokens):
        chosen = _choose(logits, settings, [draws[text] for text in rows])
        for text, token in zip(rows, chosen.tolist(), strict=True):
            if text not in ended and wrote(text, token):
                ended.add(text)
        going = [place for place, text in enumerate(rows) if text not in ended]
        if not going or step + 1 == settings.max_tokens:
            return
        if len(going) <= (1 - SPENT) * len(rows):
            kept = torch.tensor(going)
            cache.batch_select_indices(kept)
            chosen, mask, rows = chosen[kept], mask[kept], [rows[place] for place in going]
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
        logits = _step(model, chosen[:, None], mask, cache)


def _read(model: Any, prompts: Sequence[Sequence[int]], pad: int) -> tuple[Any, Any, Any]:
    """The logits after each prompt, the cache of them all, and which positions are padding."""
    import torch

    width = max(len(prompt) for prompt in prompts)
    ids = torch.tensor([[pad] * (width - len(p)) + list(p) for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    cache = growing_cache(model.config)
    return _step(model, ids, mask, cache), cache, mask


def _step(model: Any, ids: Any, mask: Any, cache: Any) -> Any:
    """Logits of the token after the last, shape (n_texts, n_vocabulary)."""
    places = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    out = model(
        input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache,
        use_cache=True, logits_to_keep=1,
    )  # fmt: skip
    return out.logits[:, -1, :].float()


def _draws(settings: Settings, n_texts: int) -> list[random.Random]:
    """One stream of numbers a text: with a seed, that of its place among the `n`."""
    if settings.seed is None:
        return [random.Random() for _ in range(n_texts)]
    return [random.Random(f"{settings.seed}:{text % settings.n}") for text in range(n_texts)]


def _choose(logits: Any, settings: Settings, draws: Sequence[random.Random]) -> Any:
    """One token a text: the likeliest, or one drawn from the nucleus (Holtzman 2020, 1904.09751).

    A token is drawn where a uniform number falls on the cumulated shares, so that one number of a
    text's own stream decides, whoever else is in the batch.
    """
    import torch

    if settings.temperature == 0:
        return logits.argmax(dim=-1)
    shares = (logits / settings.temperature).softmax(dim=-1)
    at = torch.tensor([[draw.random()] for draw in draws], dtype=torch.double)
    likely = _drawn(shares, min(LIKELY, shares.shape[-1]), at, settings.top_p)
    return likely if likely is not None else _drawn(shares, shares.shape[-1], at, settings.top_p)


def _drawn(shares: Any, n: int, at: Any, top_p: float) -> Any:
    """The tokens on which the numbers fall; None if one may fall beyond the `n` likeliest."""
    import torch

    top, order = shares.topk(n, dim=-1)
    cumulated = top.double().cumsum(dim=-1)
    # The token that passes top_p is the last of the nucleus.
    inside = cumulated - top < top_p
    cumulated = (top.double() * inside).cumsum(dim=-1)
    is_whole = n == shares.shape[-1]
    if not is_whole and top_p < 1 and bool(inside[:, -1].any()):
        return None
    mass = cumulated[:, -1:] if top_p < 1 or is_whole else shares.double().sum(-1, keepdim=True)
    if not is_whole and bool((at * mass >= cumulated[:, -1:]).any()):
        return None
    place = torch.searchsorted(cumulated, at * mass, right=True)
    last = inside.sum(dim=-1, keepdim=True) - 1
    return order.gather(1, torch.minimum(place, last))[:, 0]
