from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from study.allocating import coded_responses, raise_overlap, standing_assignments
from study.allocation import Coded
from study.audit import OPERATOR
from study.balance import balance_for, balance_of
from study.errors import AllocationError, LifeCycleError, NotAllowedError
from study.export import export
from study.lifecycle import take_step
from study.rater_orders import RaterAssignment
from study.rating import RatingService
from study.store import Store
from study.tables import PersonRow
from study.tables_custody import AmendmentRow
from study.tables_people import SamePersonRow
from study.verify import verify
from tests.studies import (
    DIMENSIONS,
    answer_as_model,
    answer_everything,
    join,
    lock_and_unblind,
    rate_everything,
    to_answering,
    to_rating,
)

REPEATS = {"repeats": {"per_rater": 1, "min_distance": 2}}


def allocation_holds(store: Store, study_id: str, out: Path) -> bool:
    directory = export(store, study_id, out, by=OPERATOR, code_version="test")
    check = next(c for c in verify(directory) if c.name == "allocation")
    assert check.outcome == "holds", check.words
    return True


def test_the_counts_are_those_made_by_hand() -> None:
    responses = [
        Coded("a", "V1", "P", "x"), Coded("b", "V2", "P", "x"), Coded("c", "V1", "M", "y"),
    ]  # fmt: skip
    dealt = [
        RaterAssignment("r", "a", 1), RaterAssignment("r", "b", 2), RaterAssignment("r", "c", 3),
        RaterAssignment("r", "z", 4, "a"), RaterAssignment("s", "b", 1),
    ]  # fmt: skip
    found = balance_of(responses, dealt, {"r": "ANNA", "s": "BERT"}, with_arms=True)
    assert found.responses == {"ANNA": 3, "BERT": 1}
    assert found.vignettes == {("ANNA", "V1"): 2, ("ANNA", "V2"): 1, ("BERT", "V2"): 1}
    assert found.pairs == {("ANNA", "BERT"): 1}
    assert found.follows == {("V1", "V2"): 1, ("V2", "V1"): 1, ("V1", "V1"): 1}
    assert found.in_succession == 1
    assert found.repeat_distances == (2,)
    assert found.arms == {("ANNA", "x"): 2, ("ANNA", "y"): 1, ("BERT", "x"): 1}
    assert found.in_words() == (
        "2 raters, 1 to 3 responses each",
        "0 to 2 responses of one vignette for one rater",
        "1 responses right after another to the same vignette",
        "1 responses shared by two raters",
        "1 hidden repeats, 2 others between",
    )
    assert balance_of(responses, dealt, {}, with_arms=False).arms is None


def test_arms_are_for_the_custodian_alone_until_unblinding(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path)
    custodian, statistician = (join(store, study_id, r) for r in ("custodian", "statistician"))
    assert balance_for(store, custodian).arms
    assert balance_for(store, statistician).arms is None
    with pytest.raises(NotAllowedError, match="rater does not see how responses were allocated"):
        balance_for(store, raters[0])
    for rater in raters:
        rate_everything(store, rater)
    lock_and_unblind(store, study_id)
    assert balance_for(store, statistician).arms


def test_hidden_repeats_are_rated_unawares_and_exported_apart(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path, rating=REPEATS)
    service, shown = RatingService(store), []
    while (task := service.next_task(raters[0])) is not None:
        shown.append((task.response.code, task.response.text, service.progress(raters[0]).total))
        service.record(raters[0], task.response.code, dict.fromkeys(DIMENSIONS, 3))
    assert len({code for code, _, _ in shown}) == len(shown) == 10
    assert {total for _, _, total in shown} == {10}
    assert sorted(Counter(text for _, text, _ in shown).values())[-1] == 2
    rate_everything(store, raters[1])
    lock_and_unblind(store, study_id)
    with store.read() as session:
        again = [a for a in standing_assignments(session, study_id) if a.repeat_of]
    directory = tmp_path / "export"
    assert allocation_holds(store, study_id, directory)
    lines = (directory / "repeat_ratings.csv").read_text().splitlines()
    assert len(lines) == 3 and len(again) == 2
    codes = {a.code for a in again}
    for name in ("ratings", "assignments"):
        written = (directory / f"{name}.csv").read_text()
        assert len(written.splitlines()) == 19
        assert not any(code in written for code in codes)


def test_nobody_rates_an_own_answer_nor_one_of_the_own_site(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(
        store, n_residents=3, n_raters=4, rating={"exclude_own_site": True},
        more={"sites": ["north", "south"]},
    )  # fmt: skip
    residents = [join(store, study_id, "resident", arm="residents") for _ in range(3)]
    for resident in residents:
        answer_everything(store, resident, f"{resident.pseudonym} waits.")
    answer_as_model(store, study_id, tmp_path)
    take_step(store, study_id, "close", by=OPERATOR)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    raters = [join(store, study_id, "rater") for _ in range(4)]
    with pytest.raises(AllocationError, match="no site is known"):
        take_step(store, study_id, "allocate", by=OPERATOR)
    sites = dict(zip(residents + raters, ("north", "south", "north", *["south", "north"] * 2),
                     strict=True))  # fmt: skip
    with store.write() as session:
        for person, site in sites.items():
            session.get_one(PersonRow, person.person_id).site = site
        session.add(
            SamePersonRow(
                first_id=raters[0].person_id, second_id=residents[0].person_id, study_id=study_id,
                same=True, reason="one e-mail", decided_by="x", decided_at=store.clock.now(),
            )
        )  # fmt: skip
    # One of the two raters of the south is also a resident of the north, whose answers have only
    # the other left; two are needed.
    with pytest.raises(AllocationError, match=r"may be scored by 1 of the 4 raters"):
        take_step(store, study_id, "allocate", by=OPERATOR)
    raters.append(join(store, study_id, "rater"))
    sites[raters[4]] = "south"
    with store.write() as session:
        session.get_one(PersonRow, raters[4].person_id).site = "south"
    take_step(store, study_id, "allocate", by=OPERATOR)
    with store.read() as session:
        of_code = {r.code: r.respondent for r in coded_responses(session, study_id)}
        dealt = standing_assignments(session, study_id)
    site = {p.person_id: s for p, s in sites.items()}
    met = {(a.rater, of_code[a.code]) for a in dealt}
    assert (raters[0].person_id, residents[0].person_id) not in met
    assert not [(r, p) for r, p in met if site[r] == site.get(p)]
    assert set(Counter(a.code for a in dealt).values()) == {2}


def test_part_of_the_vignettes_and_williams_orders_are_dealt_again_by_verify(
    store: Store, tmp_path: Path
) -> None:
    study_id, raters = to_rating(
        store, tmp_path, n_vignettes=4, n_residents=2, rating={"order": "williams"},
        more={"answering": {"order": "williams", "confidence": True, "vignettes_each": 2}},
    )  # fmt: skip
    with store.read() as session:
        # Two residents with two of the four each, all four between them, and the model's four.
        vignettes = Counter(r.vignette for r in coded_responses(session, study_id))
    assert set(vignettes.values()) == {2} and len(vignettes) == 4
    for rater in raters:
        rate_everything(store, rater)
    lock_and_unblind(store, study_id)
    assert allocation_holds(store, study_id, tmp_path / "export")


def test_overlap_raised_while_rating_adds_at_the_end_and_is_an_amendment(
    store: Store, tmp_path: Path
) -> None:
    study_id, raters = to_rating(store, tmp_path, n_raters=3, raters_per_response=1)
    with store.read() as session:
        before = standing_assignments(session, study_id)
    rate_everything(store, raters[0])
    raise_overlap(store, study_id, to=2, by=OPERATOR, reason="agreement was low")
    with store.read() as session:
        after = standing_assignments(session, study_id)
        amendment = session.scalars(select(AmendmentRow)).one()
    assert amendment.protocol["rating"]["raters_per_response"] == 2
    assert set(before) < set(after)
    assert set(Counter(a.code for a in after).values()) == {2}
    last = {r: max(a.position for a in before if a.rater == r) for r in {a.rater for a in before}}
    assert all(a.position > last[a.rater] for a in set(after) - set(before))
    with pytest.raises(LifeCycleError, match="has 2 raters already; 2 is no more"):
        raise_overlap(store, study_id, to=2, by=OPERATOR, reason="again")
    with pytest.raises(AllocationError, match="may be scored by 3"):
        raise_overlap(store, study_id, to=4, by=OPERATOR, reason="too many")
    for rater in raters:
        rate_everything(store, rater)
    lock_and_unblind(store, study_id)
    assert allocation_holds(store, study_id, tmp_path / "export")
