from __future__ import annotations

import pytest

from model.exams.asking import may_be_shuffled, questions_of
from model.exams.extract import extract
from model.exams.items import Item, item

OPTIONS = ("Aspirin", "Heparin", "Insulin", "Digoxin")


@pytest.mark.parametrize(
    ("text", "multiple", "letters"),
    [
        ("B", False, "B"),
        (" (b). ".upper(), False, "B"),
        ("B. Heparin", False, "B"),
        ("**B** Heparin", False, "B"),
        ("heparin.", False, "B"),
        ("It thins the blood.\nAnswer: B", False, "B"),
        ("The answer is (B).", False, "B"),
        ("Final answer: **B**", False, "B"),
        ("So \\boxed{B}", False, "B"),
        ("The answer is A because it thins the blood.", False, "A"),
        ("The answer is B since it thins the blood.", False, "B"),
        ("Answer: B. As I said, the answer is B.", False, "B"),
        ("分析。\n答案：B", False, "B"),
        ("正确答案为Ｂ。", False, "B"),
        ("所以答案是B", False, "B"),
        ("Answer: A, C and D", True, "ACD"),
        ("答案：ACD", True, "ACD"),
        ("答案：A、C", True, "AC"),
        ("DCA", True, "ACD"),
    ],
)
def test_a_declared_choice_is_read(text: str, multiple: bool, letters: str) -> None:
    choice = extract(text, OPTIONS, multiple=multiple)
    assert (choice.status, "".join(choice.letters)) == ("chosen", letters)


@pytest.mark.parametrize(
    ("text", "multiple", "status"),
    [
        ("", False, "no_choice"),
        ("I cannot answer exam items.", False, "no_choice"),
        ("A patient with heparin and insulin.", False, "no_choice"),
        ("It could be B or C.", False, "no_choice"),
        ("Answer: E", False, "no_choice"),
        ("B. Insulin", False, "no_choice"),
        ("Answer: Aspirin", False, "no_choice"),
        ("The answer is a blood thinner.", False, "no_choice"),
        ("Answer: A patient needs care.", False, "no_choice"),
        ("The answer is B. No, the answer is C.", False, "several_choices"),
        ("Answer: AB", False, "several_choices"),
        ("答案：A。答案：C", True, "several_choices"),
    ],
)
def test_what_is_not_declared_once_is_not_guessed(text: str, multiple: bool, status: str) -> None:
    choice = extract(text, OPTIONS, multiple=multiple)
    assert (choice.status, choice.letters) == (status, ())


def made(*options: str, item_id: str = "i") -> Item:
    by_letter = dict(zip("ABCDE", options, strict=False))
    return item(
        "here", item_id=item_id, question="Which?", options=by_letter, key="A", language="en",
        strata={},
    )  # fmt: skip


def test_orders_are_distinct_seeded_and_independent_of_the_other_items() -> None:
    one, other = made(*"vwxyz"), made(*"vwxyz", item_id="j")
    shown = [q.shown for q in questions_of([one], n_orders=4, seed=7)]
    assert shown[0] == tuple("ABCDE")
    assert len(set(shown)) == 4
    assert [q.shown for q in questions_of([other, one], n_orders=4, seed=7)][4:] == shown
    assert [q.shown for q in questions_of([one], n_orders=4, seed=8)] != shown


def test_a_shuffled_item_shows_each_option_under_its_new_letter() -> None:
    question = questions_of([made(*"vwxyz")], n_orders=2, seed=7)[1]
    assert question.options == tuple("vwxyz"["ABCDE".index(own)] for own in question.shown)
    for letter, text in zip("ABCDE", question.options, strict=True):
        assert f"\n{letter}. {text}\n" in question.prompt
    assert question.key == ("A",)


@pytest.mark.parametrize(
    "option", ["All of the above", "None of the above", "以上都是", "A and C", "A、B", "Both A和B"]
)
def test_options_that_speak_of_one_another_keep_their_order(option: str) -> None:
    speaking = made("x", "y", option)
    assert not may_be_shuffled(speaking)
    assert [q.order for q in questions_of([speaking], n_orders=3, seed=1)] == [0]


def test_vitamin_names_do_not_keep_an_item_from_being_shuffled() -> None:
    assert may_be_shuffled(made("Vitamin A", "Vitamin B", "Hepatitis C"))
