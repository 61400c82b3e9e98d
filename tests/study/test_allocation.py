from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise, permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study.allocation import Coded, blinding_codes
from study.errors import AllocationError
from study.rater_orders import Deal, RaterAssignment, assign_raters, spread
from study.vignette_order import VignettePlan, side_by_side

SEED = bytes(range(32))
SEEDS = st.binary(min_size=32, max_size=32)


def crossed(n_vignettes: int, n_residents: int) -> list[Coded]:
    """Every resident and one model answer every vignette; codes say nothing of either."""
    people = [(f"P{i}", "residents") for i in range(n_residents)] + [("M", "model")]
    cells = [(f"V{v:02d}", *person) for v in range(n_vignettes) for person in people]
    codes = random.Random(5).sample(range(1000), k=len(cells))
    return [Coded(f"C{code:03d}", *cell) for code, cell in zip(codes, cells, strict=True)]


def deal(n_raters: int, per_response: int, **more: Any) -> Deal:
    return Deal("rater allocation", per_response, tuple(f"R{i}" for i in range(n_raters)), **more)


def order_of(plan: Sequence[RaterAssignment], rater: str) -> list[RaterAssignment]:
    return sorted((a for a in plan if a.rater == rater), key=lambda a: a.position)


@settings(max_examples=30, deadline=None)
@given(
    n_vignettes=st.integers(1, 6), n_residents=st.integers(1, 4), n_raters=st.integers(1, 6),
    per_response=st.integers(1, 6), order=st.sampled_from(["random", "williams"]), seed=SEEDS,
)  # fmt: skip
def test_every_response_gets_its_number_of_distinct_raters_with_level_loads(
    n_vignettes: int, n_residents: int, n_raters: int, per_response: int, order: Any, seed: bytes
) -> None:
    responses = crossed(n_vignettes, n_residents)
    asked = deal(n_raters, per_response, order=order)
    if per_response > n_raters:
        with pytest.raises(AllocationError, match="need as many raters"):
            assign_raters(responses, asked, seed=seed)
        return
    plan = assign_raters(responses, asked, seed=seed)
    pairs = {(a.rater, a.code) for a in plan}
    assert len(pairs) == len(plan) == len(responses) * per_response
    assert set(Counter(a.code for a in plan).values()) == {per_response}
    loads = Counter({rater: 0 for rater in asked.raters}) + Counter(a.rater for a in plan)
    assert max(loads[r] for r in asked.raters) - min(loads[r] for r in asked.raters) <= 1
    for rater in asked.raters:
        own = order_of(plan, rater)
        assert [a.position for a in own] == list(range(1, len(own) + 1))
    assert plan == assign_raters(responses[::-1], asked, seed=seed)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, per_response=st.integers(1, 3), data=st.data())
def test_whoever_must_not_meet_never_does_and_loads_stay_level_or_it_is_refused(
    seed: bytes, per_response: int, data: st.DataObject
) -> None:
    everyone = [(f"R{i}", f"P{j}") for i in range(4) for j in range(3)]
    excluded = tuple(data.draw(st.lists(st.sampled_from(everyone), max_size=6, unique=True)))
    responses = crossed(3, 3)
    able = {r.code: 4 - sum(1 for _, p in excluded if p == r.respondent) for r in responses}
    asked = deal(4, per_response, excluded=excluded)
    if min(able.values()) < per_response:
        with pytest.raises(AllocationError, match=r"response C\d+ may be scored by"):
            assign_raters(responses, asked, seed=seed)
        return
    try:
        plan = assign_raters(responses, asked, seed=seed)
    except AllocationError as error:
        assert "loads cannot be made level" in str(error)
        # Only where somebody's own number of permitted responses stands in the way.
        permitted = Counter(
            rater for rater in asked.raters for r in responses
            if (rater, r.respondent) not in excluded
        )  # fmt: skip
        assert min(permitted.values()) < len(responses) * per_response / 4
        return
    who = {r.code: r.respondent for r in responses}
    assert not {(a.rater, who[a.code]) for a in plan} & set(excluded)
    assert set(Counter(a.code for a in plan).values()) == {per_response}
    loads = Counter(a.rater for a in plan)
    assert max(loads.values()) - min(loads[r] for r in asked.raters) <= 1


def test_a_rater_who_may_score_too_little_is_named_with_the_remedy() -> None:
    excluded = tuple(("R0", person) for person in ("P0", "P1", "P2"))
    with pytest.raises(AllocationError, match=r"rater R0 may score so few .* get 3 while .*Invite"):
        assign_raters(crossed(3, 3), deal(2, 1, excluded=excluded), seed=SEED)


def test_arms_respondents_vignettes_and_pairs_of_raters_are_even() -> None:
    # 30 vignettes by 6 respondents, 3 of 9 raters each: 540 ratings, 60 for each rater. Even is
    # 10 of the model, 10 of each resident, 2 of each vignette, and 180 * 3 / 36 = 15 for a pair.
    responses = crossed(30, 5)
    plan = assign_raters(responses, deal(9, 3), seed=SEED)
    of = {r.code: r for r in responses}
    model = Counter(a.rater for a in plan if of[a.code].arm == "model")
    assert set(model.values()) == {10}
    respondents = Counter((a.rater, of[a.code].respondent) for a in plan)
    assert set(respondents.values()) <= {9, 10, 11}
    vignettes = Counter((a.rater, of[a.code].vignette) for a in plan)
    assert len(vignettes) == 270 and max(vignettes.values()) <= 3
    on: dict[str, list[str]] = {}
    for a in plan:
        on.setdefault(a.code, []).append(a.rater)
    met = Counter(pair for raters in on.values() for pair in combinations(sorted(raters), 2))
    assert len(met) == 36 and set(met.values()) <= set(range(13, 18))


def test_with_the_arms_swapped_every_rater_gets_the_same_codes_in_the_same_order() -> None:
    turned = {"residents": "model", "model": "residents"}
    responses = crossed(8, 3)
    swapped = [Coded(r.code, r.vignette, f"x{r.respondent}", turned[r.arm]) for r in responses]
    for order in ("random", "williams"):
        asked = deal(5, 2, order=order, repeats=2, min_distance=3)
        codes = [f"X{i}" for i in range(10)]
        plan = assign_raters(responses, asked, seed=SEED, repeat_codes=codes)
        assert plan == assign_raters(swapped, asked, seed=SEED, repeat_codes=codes)


def test_with_two_people_the_texts_of_the_two_arms_may_change_places() -> None:
    responses = crossed(8, 1)
    other = {"P0": "M", "M": "P0", "residents": "model", "model": "residents"}
    swapped = [Coded(r.code, r.vignette, other[r.respondent], other[r.arm]) for r in responses]
    asked = deal(4, 2)
    assert assign_raters(responses, asked, seed=SEED) == assign_raters(swapped, asked, seed=SEED)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, order=st.sampled_from(["random", "williams"]))
def test_no_two_responses_to_a_vignette_stand_in_succession(seed: bytes, order: Any) -> None:
    responses = crossed(6, 3)
    vignette = {r.code: r.vignette for r in responses}
    plan = assign_raters(responses, deal(3, 2, order=order), seed=seed)
    for rater in ("R0", "R1", "R2"):
        own = [vignette[a.code] for a in order_of(plan, rater)]
        assert all(one != other for one, other in pairwise(own))


@given(counts=st.lists(st.integers(1, 4), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_a_random_order_keeps_a_vignette_apart_whenever_any_order_does(
    counts: list[int], seed: int
) -> None:
    share = [Coded(f"{v}{i}", f"V{v}", "P", "a") for v, n in enumerate(counts) for i in range(n)]
    share = share[:7]
    names = [r.vignette for r in share]

    def beside(order: Sequence[str]) -> int:
        return sum(one == other for one, other in pairwise(order))

    least = min(beside(order) for order in set(permutations(names)))
    found = beside([r.vignette for r in spread(share, random.Random(seed))])
    assert (found == 0) == (least == 0)


def test_where_all_answer_all_a_williams_order_follows_rows_of_the_square() -> None:
    # One rater, 4 residents and a model on 6 vignettes: 5 passes, each a row of the square.
    responses = crossed(6, 4)
    vignette = {r.code: r.vignette for r in responses}
    plan = assign_raters(responses, deal(1, 1, order="williams"), seed=SEED)
    own = [vignette[a.code] for a in order_of(plan, "R0")]
    passes = [own[i : i + 6] for i in range(0, 30, 6)]
    whole = [p for p in passes if len(set(p)) == 6]
    follows = Counter(pair for p in whole for pair in pairwise(p))
    assert len(whole) >= 4
    assert max(follows.values()) <= 2


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, n_repeats=st.integers(1, 3), min_distance=st.integers(1, 6))
def test_hidden_repeats_are_own_responses_with_enough_others_between(
    seed: bytes, n_repeats: int, min_distance: int
) -> None:
    asked = deal(3, 2, repeats=n_repeats, min_distance=min_distance)
    codes = blinding_codes(asked.n_repeats, seed=seed)
    plan = assign_raters(crossed(6, 3), asked, seed=seed, repeat_codes=codes)
    again = [a for a in plan if a.repeat_of is not None]
    assert sorted(a.code for a in again) == sorted(codes)
    for rater in asked.raters:
        own = order_of(plan, rater)
        place = {a.code: a.position for a in own}
        assert [a.position for a in own] == list(range(1, len(own) + 1))
        mine = [a for a in own if a.repeat_of is not None]
        assert len(mine) == len({a.repeat_of for a in mine}) == n_repeats
        for a in mine:
            assert a.repeat_of is not None
            assert a.position - place[a.repeat_of] - 1 >= min_distance


def test_too_many_repeats_for_a_share_are_refused_by_name() -> None:
    asked = deal(2, 1, repeats=3, min_distance=4)
    with pytest.raises(AllocationError, match=r"rater R0 has 6 responses; 3 hidden repeats .* 7"):
        assign_raters(crossed(3, 3), asked, seed=SEED, repeat_codes=["a"] * 6)


def test_more_overlap_leaves_what_was_dealt_and_stands_at_the_end() -> None:
    responses = crossed(6, 3)
    before = assign_raters(responses, deal(4, 2), seed=SEED)
    more = assign_raters(responses, deal(4, 3), seed=bytes(32), standing=before)
    assert len(more) == len(responses)
    assert set(Counter(a.code for a in (*before, *more)).values()) == {3}
    assert len({(a.rater, a.code) for a in (*before, *more)}) == 3 * len(responses)
    for rater in ("R0", "R1", "R2", "R3"):
        assert min(a.position for a in order_of(more, rater)) == len(order_of(before, rater)) + 1


def test_another_seed_gives_another_allocation() -> None:
    responses = crossed(4, 2)
    one = assign_raters(responses, deal(2, 2), seed=SEED)
    assert one == assign_raters(responses, deal(2, 2), seed=SEED)
    assert one != assign_raters(responses, deal(2, 2), seed=bytes(32))


def test_a_response_listed_twice_is_refused() -> None:
    with pytest.raises(AllocationError, match="listed twice"):
        assign_raters(crossed(1, 1) * 2, deal(1, 1), seed=SEED)


def test_blinding_codes_are_distinct_and_hold_no_letter_that_looks_like_another() -> None:
    codes = blinding_codes(500, seed=SEED)
    assert len(set(codes)) == 500
    assert not set("".join(codes)) & set("01OILU")


def test_more_blinding_codes_keep_the_first_ones() -> None:
    assert blinding_codes(50, seed=SEED)[:20] == blinding_codes(20, seed=SEED)


NAMES = tuple(f"V{i:02d}" for i in range(1, 31))
PAIRS = frozenset(frozenset(pair) for pair in (("V01", "V02"), ("V03", "V07"), ("V11", "V20")))


def test_each_respondent_has_an_own_order_of_all_vignettes() -> None:
    plan = VignettePlan(NAMES, "random", None, frozenset())
    one, two = (plan.order(name, 0, SEED) for name in ("one", "two"))
    assert sorted(one) == sorted(two) == list(NAMES)
    assert one != two


def test_williams_rows_of_vignettes_are_distinct_balanced_and_keep_cues_apart() -> None:
    plan = VignettePlan(NAMES, "williams", None, PAIRS)
    rows = [plan.order(f"p{n}", n, SEED) for n in range(12)]
    assert all(sorted(row) == list(NAMES) for row in rows)
    assert not [row for row in rows if side_by_side(row, PAIRS)]
    assert set(Counter(pair for row in rows for pair in pairwise(row)).values()) == {1}
    for place in range(30):
        assert len({row[place] for row in rows}) == 12


def test_an_odd_number_of_vignettes_is_dealt_from_the_pair_of_squares() -> None:
    plan = VignettePlan(NAMES[:5], "williams", None, frozenset())
    rows = [tuple(plan.order(f"p{n}", n, SEED)) for n in range(10)]
    assert len(set(rows)) == 10
    assert set(Counter(pair for row in rows for pair in pairwise(row)).values()) == {2}


def test_a_williams_square_without_a_fitting_row_is_refused_with_the_remedy() -> None:
    pairs = frozenset(frozenset(pair) for pair in combinations(NAMES[:3], 2))
    with pytest.raises(AllocationError, match=r"no row of a Williams square .* order 'random'"):
        VignettePlan(NAMES[:3], "williams", None, pairs).order("p", 0, SEED)


@settings(max_examples=25, deadline=None)
@given(
    each=st.integers(3, 10), n_people=st.integers(1, 8), seed=SEEDS,
    rule=st.sampled_from(["random", "declared", "williams"]),
)  # fmt: skip
def test_who_answers_a_part_gets_an_even_part_with_cues_apart(
    each: int, n_people: int, seed: bytes, rule: Any
) -> None:
    plan = VignettePlan(NAMES[:10], rule, each, frozenset({frozenset({"V01", "V03"})}))
    orders = [plan.order(f"p{n}", n, seed) for n in range(n_people)]
    used = Counter({name: 0 for name in NAMES[:10]}) | Counter(v for row in orders for v in row)
    assert all(len(set(row)) == each for row in orders)
    # The declared order needs V02 between the two that cue each other, and uses it more.
    most_apart = 1 if rule != "declared" else n_people
    assert max(used.values()) - min(used[name] for name in NAMES[:10]) <= most_apart
    assert not [row for row in orders if side_by_side(row, plan.pairs)]
