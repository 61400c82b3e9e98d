from __future__ import annotations

import pytest
import torch

from model.serve.decoding import _choose, _drawn, write_texts
from model.serve.engine import Engine
from model.serve.growing import growing_cache
from model.serve.settings import Settings
from tests.model.files import NANO

QUESTIONS = (
    "May simvastatin be taken with clarithromycin?",
    "A patient on warfarin has an infection. Which antibiotics would you rather not give, and why?",
    "Is ibuprofen safe with lithium?",
)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load(NANO / "checkpoint", threads=1)


def encoded(engine: Engine, *questions: str) -> list[list[int]]:
    return [engine.encode([{"role": "user", "content": q}]) for q in questions]


def test_greedy_texts_are_those_of_the_library_s_own_generate(engine: Engine) -> None:
    prompts = encoded(engine, *QUESTIONS)
    ours = engine.generate(prompts, Settings(max_tokens=80))
    model, tokenizer = engine._model, engine._tokenizer
    for prompt, (text,) in zip(prompts, ours, strict=True):
        written = model.generate(
            input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)).long(),
            max_new_tokens=80, do_sample=False, use_cache=True,
            pad_token_id=tokenizer.pad_token_id,
        )[0, len(prompt) :]  # fmt: skip
        assert text.text == tokenizer.decode(written, skip_special_tokens=True)


def test_a_text_that_has_ended_leaves_the_batch_and_the_others_go_on_as_before(engine) -> None:
    prompts = encoded(engine, *QUESTIONS)
    alone = [engine.generate([prompt], Settings(max_tokens=120))[0][0] for prompt in prompts]
    assert len({text.n_tokens for text in alone}) > 1  # they end at different times
    seen: list[int] = []
    model = engine._model
    forward = model.forward

    def counting(*words, **more):
        seen.append(int(more["input_ids"].shape[0]))
        return forward(*words, **more)

    model.forward = counting
    try:
        together = [texts[0] for texts in engine.generate(prompts, Settings(max_tokens=120))]
    finally:
        model.forward = forward
    assert together == alone
    # The prompts in one step; then one row a text that goes on after each of its tokens.
    assert seen[0] == 3
    assert sum(seen[1:]) == sum(text.n_tokens - 1 for text in alone)


def test_the_first_of_several_samples_is_the_one_that_a_single_sample_is(engine) -> None:
    (prompt,) = encoded(engine, QUESTIONS[0])
    settings = {"temperature": 1.0, "seed": 3, "max_tokens": 40}
    ((one,),) = engine.generate([prompt], Settings(**settings))
    ((first, second),) = engine.generate([prompt], Settings(n=2, **settings))
    assert first == one and second != one


class Fixed:
    """A stream that says the same number every time."""

    def __init__(self, number: float) -> None:
        self.number = number

    def random(self) -> float:
        return self.number


@pytest.mark.parametrize(
    ("top_p", "number", "token"),
    [
        # Shares .5 (token 2), .3 (token 0), .2 (token 1), cumulated .5, .8, 1.
        (1.0, 0.49, 2), (1.0, 0.51, 0), (1.0, 0.79, 0), (1.0, 0.81, 1), (1.0, 0.999999, 1),
        # The nucleus of .6 is the first two: .5 / .8 = .625 is where the second begins.
        (0.6, 0.62, 2), (0.6, 0.63, 0), (0.6, 0.999999, 0),
        # That of .4 is the first alone.
        (0.4, 0.999999, 2),
    ],
)  # fmt: skip
def test_a_token_is_drawn_where_the_number_falls_on_the_cumulated_shares(
    top_p: float, number: float, token: int
) -> None:
    logits = torch.tensor([[0.3, 0.2, 0.5]]).log()
    chosen = _choose(logits, Settings(temperature=1.0, top_p=top_p), [Fixed(number)])
    assert chosen.tolist() == [token]


def test_drawn_tokens_come_as_often_as_their_shares_say() -> None:
    import random

    logits = torch.tensor([[0.3, 0.2, 0.5]]).log().expand(4000, 3) * 2.0
    streams = [random.Random(f"s{i}") for i in range(4000)]
    chosen = _choose(logits, Settings(temperature=2.0), streams)
    found = torch.bincount(chosen, minlength=3) / 4000
    # Temperature 2 undoes the doubled logits; four standard errors of a share of .5 are .032.
    assert found.tolist() == pytest.approx([0.3, 0.2, 0.5], abs=0.032)


def test_the_limit_ends_every_text(engine) -> None:
    told: list[tuple[int, int]] = []

    def wrote(text: int, token: int) -> bool:
        told.append((text, token))
        return False

    with torch.inference_mode():
        write_texts(
            engine._model, encoded(engine, *QUESTIONS[:2]), Settings(max_tokens=3), wrote, pad=0
        )
    assert [text for text, _ in told] == [0, 1] * 3


@pytest.mark.parametrize("top_p", [1.0, 0.9, 0.2])
@pytest.mark.parametrize("spread", [0.1, 3.0])
def test_looking_at_the_likeliest_first_draws_what_the_whole_vocabulary_gives(
    top_p: float, spread: float
) -> None:
    torch.manual_seed(3)
    shares = (torch.randn(300, 500) * spread).softmax(-1)
    at = torch.rand(300, 1, dtype=torch.double)
    whole = _drawn(shares, 500, at, top_p)
    few = [_drawn(shares[i : i + 1], 64, at[i : i + 1], top_p) for i in range(300)]
    found = [token.item() for token in few if token is not None]
    assert found == [
        wanted for wanted, token in zip(whole.tolist(), few, strict=True) if token is not None
    ]
    # Flat shares need the whole vocabulary, peaked ones seldom do.
    assert (len(found) < 100) if spread < 1 else (len(found) > 200)


def test_the_cache_that_grows_holds_what_the_library_s_holds() -> None:
    from transformers import DynamicCache, Qwen3Config

    config = Qwen3Config(num_hidden_layers=1)
    ours, theirs = growing_cache(config), DynamicCache(config=config)
    torch.manual_seed(5)
    for step, size in enumerate((7, 1, 90, 1, 1)):
        rows = ours.layers[0].keys.shape[0] if step else 2
        states = torch.randn(2, rows, 3, size, 4)
        for mine, wanted in zip(ours.update(*states, 0), theirs.update(*states, 0), strict=True):
            assert torch.equal(mine, wanted)
        for cache in (ours, theirs):
            if step == 0:
                cache.batch_repeat_interleave(2)
            if step == 3:
                cache.batch_select_indices(torch.tensor([3, 0]))
        assert torch.equal(ours.layers[0].keys, theirs.layers[0].keys)
        assert torch.equal(ours.layers[0].values, theirs.layers[0].values)
    assert ours.get_seq_length() == theirs.get_seq_length() == 100
