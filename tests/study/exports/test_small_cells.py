from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from study.exports.small_cells import SMALLEST_CELL, merged_strata


def people(arm: str = "residents", **counts: int) -> list[tuple[str, str | None]]:
    return [(arm, name) for name, count in counts.items() for _ in range(count)]


def test_a_specialty_cell_below_five_is_merged_and_a_large_one_is_left_alone() -> None:
    names, merges = merged_strata(people(cardiology=6, surgery=3, paediatrics=2))
    assert names == {
        ("residents", "cardiology"): "cardiology",
        ("residents", "surgery"): "paediatrics or surgery",
        ("residents", "paediatrics"): "paediatrics or surgery",
    }
    (merge,) = merges
    assert (merge.arm, merge.n_people) == ("residents", 5)


def test_the_grades_of_a_five_resident_study_become_one() -> None:
    names, merges = merged_strata(people(PGY1=3, PGY2=2))
    assert set(names.values()) == {"PGY1 or PGY2"}
    assert merges[0].n_people == 5


def test_a_small_pool_takes_the_next_smallest_stratum_in() -> None:
    # 1 + 2 = 3 are too few; with the 5 of b they are 8; the 9 of a stay apart.
    names, _ = merged_strata(people(a=9, b=5, c=2, d=1))
    assert names["residents", "a"] == "a"
    assert {names["residents", s] for s in "bcd"} == {"b or c or d"}


def test_where_all_together_are_too_few_no_stratum_is_told() -> None:
    names, merges = merged_strata(people(surgery=3))
    assert names == {("residents", "surgery"): None}
    assert merges[0].into is None


def test_one_arm_is_never_merged_with_another() -> None:
    names, merges = merged_strata(people(PGY1=5) + people("pharmacists", ward=2, clinic=4))
    assert names["residents", "PGY1"] == "PGY1"
    assert names["pharmacists", "ward"] == names["pharmacists", "clinic"] == "clinic or ward"
    assert [merge.arm for merge in merges] == ["pharmacists"]


def test_people_whose_stratum_is_not_stated_are_a_cell_as_well() -> None:
    both = [("residents", None)] * 2 + people(PGY1=4)
    names, _ = merged_strata(both)
    assert set(names.values()) == {"PGY1 or not stated"}
    names, merges = merged_strata([("residents", None)] * 2)
    assert (names, merges) == ({("residents", None): None}, ())


@given(st.lists(st.tuples(st.sampled_from("XY"), st.sampled_from([None, *"abcdef"])), max_size=60))
def test_no_published_stratum_ever_has_one_to_four_people(
    drawn: list[tuple[str, str | None]],
) -> None:
    names, _ = merged_strata(drawn)
    cells = Counter((arm, names[arm, stratum]) for arm, stratum in drawn)
    for (_, stratum), count in cells.items():
        assert stratum is None or count >= SMALLEST_CELL
