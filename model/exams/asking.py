"""What an examinee is shown: the item, its options in some order, and how to answer."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from model.canonical import sha256_hex
from model.evaluation.samples import Question
from model.exams.items import LETTERS, Item

PROMPT_VERSION = "exam-prompt/1"
_HOW = {
    ("en", False): "Exactly one option is right. End with a line of the form: Answer: A",
    ("en", True): "One or more options are right. End with a line of the form: Answer: ABD",
    ("zh", False): "本题只有一个正确选项。最后一行请按此格式作答：答案：A",
    ("zh", True): "本题有一个或多个正确选项。最后一行请按此格式作答：答案：ABD",
}
_REFERS = re.compile(
    r"\b(?:above|below|preceding|former|latter)\b|以上|上述|以下|前者|后者"
    r"|\A\W*[A-J]\W*(?:and|or|&|\+|,|和|与|及|或|、)\W*[A-J]\b|[A-J]\s*[和与及或、＋+]\s*[A-J]",
    re.IGNORECASE,
)


def prompts_sha256() -> str:
    """Digest of the words that are the same for every item."""
    return sha256_hex("\n".join(_HOW.values()).encode())


def questions_of(items: Sequence[Item], *, n_orders: int, seed: int) -> tuple[Question, ...]:
    """Every item as published, and again in `n_orders` - 1 other orders of its options.

    An item whose options speak of one another ("all of the above") is shown as published only.

    Args:
        items: Of one exam.
        n_orders: 1 or more.
        seed: Of the orders.
    """
    return tuple(
        _question(item, order, shown)
        for item in items
        for order, shown in enumerate(_orders(item, n_orders, seed))
    )


def may_be_shuffled(item: Item) -> bool:
    """Whether the options keep their meaning in another order."""
    return not any(_REFERS.search(option) for option in item.options)


def _orders(item: Item, n_orders: int, seed: int) -> Iterator[tuple[str, ...]]:
    yield item.letters
    if not may_be_shuffled(item):
        return
    # Of the item and not of its place: another selection of items keeps its orders.
    rng = random.Random(f"{seed} {item.item_id}")
    seen = {item.letters}
    for _ in range(n_orders - 1):
        shown = tuple(rng.sample(item.letters, len(item.letters)))
        for _ in range(100):
            if shown not in seen:
                break
            shown = tuple(rng.sample(item.letters, len(item.letters)))
        seen.add(shown)
        yield shown


def _question(item: Item, order: int, shown: tuple[str, ...]) -> Question:
    texts = dict(zip(item.letters, item.options, strict=True))
    options = tuple(texts[letter] for letter in shown)
    listed = "\n".join(f"{LETTERS[n]}. {text}" for n, text in enumerate(options))
    how = _HOW[item.language, item.multiple]
    prompt = f"{item.question}\n\n{listed}\n\n{how}"
    return Question(
        sample_id=f"{item.item_id}#{order}", item_id=item.item_id, cluster=item.item_id,
        strata=item.strata, prompt=prompt, request=prompt, key=item.key, shown=shown,
        options=options, multiple=item.multiple, order=order,
    )  # fmt: skip
