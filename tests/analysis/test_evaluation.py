from __future__ import annotations

from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
import pytest

from analysis.attempts import NotComputed
from analysis.evaluation import EvaluationFileError, read_evaluation
from analysis.evaluation_exams import compare_exams, exam_result, overall
from analysis.evaluation_judges import judges_against_people
from analysis.evaluation_safety import compare_safety, ensemble, safety_result, score_matrix
from analysis.mcnemar import mcnemar_exact, paired_proportions
from tests.analysis import evaluations
from tests.analysis.evaluations import exam, safety, sample, verdict

# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score": 0.04}, "score 0.04 is off the scale Med-Safety-Bench, 1 to 5"),
        ({"score": None, "status": "scored"}, "status 'scored' with the score None"),
        ({"score": 1, "status": "timeout"}, "status 'timeout' with the score 1"),
        ({"sample_id": "another"}, "2 verdicts are missing or belong to no"),
        ({"confidence": 1}, "keys missing or unknown: confidence"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused(tmp_path: Path, changes: dict, words: str) -> None:
    evaluations.write(tmp_path / "e", [sample("1")], [verdict("1", "j", 1) | changes])
    with pytest.raises(EvaluationFileError, match=words):
        read_evaluation(tmp_path / "e")


def test_a_second_verdict_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    twice = [verdict("1", "j", 1), verdict("1", "j", 5)]
    evaluations.write(tmp_path / "twice", [sample("1")], twice)
    with pytest.raises(EvaluationFileError, match="1 by j is there twice"):
        read_evaluation(tmp_path / "twice")
    evaluations.write(tmp_path / "none", [sample("1"), sample("2")], [verdict("1", "j", 1)])
    with pytest.raises(EvaluationFileError, match="1 verdicts are missing"):
        read_evaluation(tmp_path / "none")


def test_a_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = evaluations.write(tmp_path / "e", [sample("1")], [verdict("1", "j", 5)])
    file = path / "verdicts.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"score":5', b'"score":1'))
    with pytest.raises(EvaluationFileError, match="was changed after it was written"):
        read_evaluation(path)
    with pytest.raises(EvaluationFileError, match="is no finished evaluation"):
        read_evaluation(tmp_path / "nowhere")


# --- safety --------------------------------------------------------------------------------------


def test_a_missing_verdict_is_in_no_mean_and_in_no_ensemble(tmp_path: Path) -> None:
    found = safety_result(safety(tmp_path / "e", {"a": [1, 2, None, 5], "b": [1, 4, 3, None]}))
    a, b, together = found.judges
    # a: (1+2+5)/3 = 8/3 of 3; b: (1+4+3)/3 = 8/3 of 3; both on samples 1 and 2: (1 + 3)/2 = 2.
    assert isinstance(a.micro.value, NotComputed)  # three clusters have no interval
    assert a.micro.value.value == pytest.approx(8 / 3)
    assert b.micro.value.value == pytest.approx(8 / 3)
    assert together.micro.value.value == 2
    assert [(j.micro.n_scored, j.micro.coverage) for j in found.judges] == [
        (3, 0.75), (3, 0.75), (2, 0.5),
    ]  # fmt: skip
    assert dict(a.statuses) == {"scored": 3, "timeout": 1}
    assert dict(together.statuses) == {"scored": 2, "a judge is missing": 2}


def test_when_every_verdict_is_missing_there_is_no_mean_at_all(tmp_path: Path) -> None:
    found = safety_result(safety(tmp_path / "e", {"a": [None, None], "b": [1, 1]}))
    for judge in (found.judges[0], found.judges[2]):
        assert judge.micro.value == NotComputed("undefined: no score")
        assert judge.micro.coverage == 0
    assert found.judges[1].micro.value == NotComputed("no interval: every score is 1", 1)


def test_the_order_of_the_judges_does_not_change_the_ensemble(tmp_path: Path) -> None:
    given = {"a": [1, 2, 3, None], "b": [5, 4, 3, 2], "c": [2, 2, 2, 2]}
    one = safety(tmp_path / "one", given)
    other = safety(tmp_path / "other", {name: given[name] for name in ("c", "a", "b")})
    assert np.array_equal(
        ensemble(score_matrix(one)), ensemble(score_matrix(other)), equal_nan=True
    )
    assert safety_result(one).judges[-1] == safety_result(other).judges[-1]


def test_macro_and_micro_means_differ_on_unbalanced_categories(tmp_path: Path) -> None:
    strata = [{"category": "1"}] * 3 + [{"category": "2"}]
    found = safety_result(safety(tmp_path / "e", {"a": [1, 1, 1, 5]}, strata=strata)).judges[0]
    # Micro (1+1+1+5)/4 = 2; macro (1 + 5)/2 = 3.
    assert found.micro.value.value == 2
    assert found.macro == 3
    assert found.by_stratum["category"]["2"].n_scored == 1


def test_a_category_without_a_score_leaves_no_macro_mean(tmp_path: Path) -> None:
    strata = [{"category": "1"}, {"category": "2"}]
    found = safety_result(safety(tmp_path / "e", {"a": [1, None]}, strata=strata)).judges[0]
    assert found.macro is None


def test_judges_that_agree_fully_and_on_nothing(tmp_path: Path) -> None:
    scores = [1, 2, 3, 4, 5, 1, 2, 3]
    found = safety_result(safety(tmp_path / "e", {"a": scores, "b": scores, "c": scores[::-1]}))
    kappa = {a.judges: a.value for a in found.agreement if len(a.judges) == 2}
    assert kappa["a", "b"].value == 1
    # Cohen, quadratic: 1 - sum((a-c)^2) / (sum over all pairs of (a_i - c_j)^2 / 8); a minus c is
    # -2 0 2 3 3 2 0 -2 ... worked out below from its definition.
    a, c = np.array(scores), np.array(scores[::-1])
    by_hand = 1 - ((a - c) ** 2).mean() / ((a[:, None] - c[None, :]) ** 2).mean()
    value = kappa["a", "c"]
    assert value.value == pytest.approx(by_hand)
    assert [a.coefficient for a in found.agreement][-1] == "ordinal alpha"


def test_an_interval_resamples_whole_seed_prompts(tmp_path: Path) -> None:
    scores = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    samples = [sample(str(i), cluster=str(i // 2)) for i in range(10)]
    verdicts = [verdict(str(i), "j", s) for i, s in enumerate(scores)]
    paired = read_evaluation(evaluations.write(tmp_path / "paired", samples, verdicts))
    alone = safety(tmp_path / "alone", {"j": scores})
    wide, narrow = (safety_result(e).judges[0].micro.value for e in (paired, alone))
    # Twins carry no information of their own: the interval is that of five, not of ten.
    assert wide.high - wide.low > 1.2 * (narrow.high - narrow.low)
    assert wide.value == narrow.value == 3


def test_two_models_are_compared_on_the_samples_that_both_have(tmp_path: Path) -> None:
    first = safety(tmp_path / "1", {"a": [2, 3, 1, None, 4, 5, 2]}, model="x")
    second = safety(tmp_path / "2", {"a": [1, 1, 1, 1, 1, 1, 1]}, model="y")
    found = compare_safety(first, second)
    # Differences 1 2 0 3 4 1 over six pairs: 11/6.
    assert (found.n_pairs, found.n_missing) == (6, 1)
    assert found.first_minus_second.value == pytest.approx(11 / 6)
    # Five positive ranks of six with one zero (Pratt): p = 2/32.
    assert found.test.p_value == pytest.approx(2 / 32)
    assert found.direction == "lower_is_better"


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ({"scale": evaluations.EXAM | {"maximum": 5}}, "differ in scale"),
        ({"judges": [{"name": "a", "weights_sha256": "0"}]}, "differ in judges"),
        ({"rubric_sha256": "1"}, "differ in rubric_sha256"),
        ({"benchmark": "c"}, "differ in benchmark"),
    ],
)
def test_what_was_not_judged_alike_is_not_compared(tmp_path, identity: dict, words: str) -> None:
    rows = [sample("1")], [verdict("1", "a", 1)]
    first = read_evaluation(evaluations.write(tmp_path / "1", *rows))
    second = read_evaluation(evaluations.write(tmp_path / "2", *rows, **identity))
    with pytest.raises(EvaluationFileError, match=words):
        compare_safety(first, second)


def test_other_prompts_are_not_compared(tmp_path: Path) -> None:
    first = safety(tmp_path / "1", {"a": [1, 1]})
    second = safety(tmp_path / "2", {"a": [1, 1, 1]})
    with pytest.raises(EvaluationFileError, match="not asked the same prompts"):
        compare_safety(first, second)


# --- exams ---------------------------------------------------------------------------------------


def test_accuracy_by_the_declared_rule_and_where_a_choice_was_read(tmp_path: Path) -> None:
    rows = [("1", "A", "ABC", "A"), ("2", "B", "ABC", "B"), ("3", "C", "ABC", "A"),
            ("4", "A", "ABC", None)]  # fmt: skip
    found = exam_result(
        exam(tmp_path / "e", rows, subjects={"1": "x", "2": "x", "3": "x", "4": "y"})
    )
    assert (found.of_all.k, found.of_all.n) == (2, 4)
    assert (found.of_chosen.k, found.of_chosen.n) == (2, 3)
    assert dict(found.statuses) == {"scored": 3, "no_choice": 1}
    by_subject = {name: (p.k, p.n) for name, p in found.by_stratum["subject"].items()}
    assert by_subject == {"x": (2, 3), "y": (0, 1)}
    # Macro (2/3 + 0)/2 = 1/3; micro 2/4.
    assert found.macro.value == pytest.approx(1 / 3)


def test_the_plain_mean_of_exams_and_all_their_items_together_differ(tmp_path: Path) -> None:
    small = exam(tmp_path / "small", [("1", "A", "AB", "A")])
    large = exam(tmp_path / "large", [(str(n), "A", "AB", "B") for n in range(3)])
    found = overall([exam_result(small), exam_result(large)])
    # (1/1 + 0/3)/2 = 1/2; 1 of 4 items.
    assert (found.n_exams, found.plain_mean) == (2, 0.5)
    assert (found.pooled.k, found.pooled.n) == (1, 4)


def test_several_right_options_have_to_be_chosen_all_and_no_other(tmp_path: Path) -> None:
    rows = [("1", "AC", "ABC", "AC"), ("2", "AC", "ABC", "A"), ("3", "AC", "ABC", "ABC")]
    assert exam_result(exam(tmp_path / "e", rows)).of_all.k == 1


def test_consistency_over_orders_counts_items_with_a_choice_in_each(tmp_path: Path) -> None:
    rows = [
        ("1#0", "A", "ABC", "A"), ("1#1", "A", "CAB", "A"),  # same and right
        ("2#0", "B", "ABC", "B"), ("2#1", "B", "CAB", "C"),  # follows the place
        ("3#0", "C", "ABC", "A"), ("3#1", "C", "CAB", "A"),  # same and wrong
        ("4#0", "A", "ABC", "A"), ("4#1", "A", "CAB", None),  # no choice in one
        ("5#0", "A", "ABC", "A"),  # shown once
    ]  # fmt: skip
    orders = exam_result(exam(tmp_path / "e", rows)).orders
    assert (orders.n_items, orders.n_orders) == (4, 2)
    assert (orders.consistent.k, orders.consistent.n) == (2, 3)
    assert (orders.right_in_all.k, orders.right_in_all.n) == (1, 4)
    assert [(p.k, p.n) for p in orders.by_order] == [(3, 4), (1, 4)]


def test_position_bias_shows_where_the_choice_and_the_key_stood(tmp_path: Path) -> None:
    # Always the first option shown; the key stands first once in three.
    rows = [("1#0", "A", "ABC", "A"), ("1#1", "A", "BCA", "B"), ("1#2", "A", "CAB", "C")]
    first, second, third = exam_result(exam(tmp_path / "e", rows)).positions
    assert [(p.chosen.k, p.chosen.n) for p in (first, second, third)] == [(3, 3), (0, 3), (0, 3)]
    assert [(p.right_when_key.k, p.right_when_key.n) for p in (first, second, third)] == [
        (1, 1), (0, 1), (0, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("b", "c"), [(1, 5), (5, 1), (3, 3), (0, 4), (0, 0), (12, 2)])
def test_the_exact_p_is_the_doubled_binomial_tail(b: int, c: int) -> None:
    n, least = b + c, min(b, c)
    tail = sum(Fraction(comb(n, i), 2**n) for i in range(least + 1))
    assert mcnemar_exact(b, c) == pytest.approx(float(min(1, 2 * tail)))


def test_the_paired_interval_is_newcombe_s() -> None:
    # Newcombe 1998, Stat. Med. 17, 2635: 20 12 2 16 gives 0.2 (0.0562 to 0.3292) by method 10.
    first = [True] * 32 + [False] * 18
    second = [True] * 20 + [False] * 12 + [True] * 2 + [False] * 16
    found = paired_proportions(first, second)
    assert (found.both, found.first_only, found.second_only, found.neither) == (20, 12, 2, 16)
    assert (found.difference, round(found.low, 4), round(found.high, 4)) == (0.2, 0.0562, 0.3292)


def test_the_paired_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    # Both right .5, first only .2, second only .1, neither .2: the difference is .1.
    cells = [(True, True), (True, False), (False, True), (False, False)]
    inside = 0
    for _ in range(1000):
        drawn = [cells[i] for i in rng.choice(4, 60, p=[0.5, 0.2, 0.1, 0.2])]
        found = paired_proportions([a for a, _ in drawn], [b for _, b in drawn])
        inside += found.low <= 0.1 <= found.high
    assert 0.93 <= inside / 1000 <= 0.98


def test_exams_compared_together_are_adjusted_by_holm(tmp_path: Path) -> None:
    def pair(name: str, n_better: int) -> tuple:
        ids = [str(i) for i in range(8)]
        right = [(i, "A", "AB", "A") for i in ids]
        some = [(i, "A", "AB", "B" if n < n_better else "A") for n, i in enumerate(ids)]
        return tuple(
            exam(tmp_path / name / model, rows, model=model, benchmark=name)
            for model, rows in (("x", right), ("y", some))
        )

    one, other = compare_exams([pair("p", 8), pair("q", 6)])
    # Exact p: 2/2^8 = .0078125 and 2/2^6 = .03125; Holm: .015625 and .03125.
    assert (one.paired.p_value, other.paired.p_value) == (0.0078125, 0.03125)
    assert (one.p_adjusted, other.p_adjusted) == (0.015625, 0.03125)
    assert (one.first, one.second, one.paired.difference) == ("x", "y", 1.0)


def test_a_safety_benchmark_is_no_exam_and_an_exam_no_safety_benchmark(tmp_path: Path) -> None:
    with pytest.raises(EvaluationFileError, match="no exam"):
        exam_result(safety(tmp_path / "s", {"a": [1]}))
    with pytest.raises(EvaluationFileError, match="no safety benchmark"):
        safety_result(exam(tmp_path / "x", [("1", "A", "AB", "A")]))


# --- judges against people -----------------------------------------------------------------------


def people(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    path.write_text("sample_id,rater,score\n" + "".join(",".join(r) + "\n" for r in rows))
    return path


def test_a_judge_s_error_against_the_people_s_median_by_stratum(tmp_path: Path) -> None:
    evaluation = safety(
        tmp_path / "e", {"a": [1, 3, 5, 2, 4, None]},
        strata=[{"category": "1"}] * 3 + [{"category": "2"}] * 3,
        texts=["x" * n for n in (1, 2, 3, 4, 5, 6)],
    )  # fmt: skip
    rows = [(str(i), rater, str(s)) for rater, given in (("p", [1, 2, 3, 2, 4, 1]),
            ("q", [1, 2, 3, 2, 2, 1])) for i, s in enumerate(given)]  # fmt: skip
    found = judges_against_people(evaluation, people(tmp_path / "p.csv", rows))
    judge = found.judges[0]
    # Medians 1 2 3 2 3 1; judge minus median 0 1 2 0 1: mean absolute error 4/5.
    assert (found.n_samples, found.raters) == (6, ("p", "q"))
    assert (judge.n_compared, judge.n_judge_missing) == (5, 1)
    assert judge.mean_absolute_error == pytest.approx(0.8)
    assert judge.judge_minus_people == pytest.approx(0.8)
    assert judge.by_stratum["category"] == {
        "1": (3, pytest.approx(1)),
        "2": (2, pytest.approx(0.5)),
    }
    # Ranks of the differences 1.5 3.5 5 1.5 3.5 against lengths 1..5: Spearman 1.5/sqrt(9*10).
    assert judge.length_bias.value == pytest.approx(2 / np.sqrt(9 * 10), abs=1e-9)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("9", "p", "1")], "has no '9'"),
        ([("0", "p", "6")], "score '6' is no point of"),
        ([("0", "p", "1.5")], "score '1.5' is no point of"),
        ([("0", "p", "1"), ("0", "p", "1")], "line 3: a second score by p"),
        ([("0", "p", "")], "holds no score"),
    ],
)
def test_people_s_scores_that_cannot_be_are_named(tmp_path, rows: list, words: str) -> None:
    evaluation = safety(tmp_path / "e", {"a": [1, 2]})
    with pytest.raises(EvaluationFileError, match=words):
        judges_against_people(evaluation, people(tmp_path / "p.csv", rows))
