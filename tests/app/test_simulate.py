from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from analysis.paired import signed_rank
from app.resources import shipped
from app.simulate.people import join_as, join_raters, join_residents, plant_scores
from app.simulate.scores import draw_scores, vignette_differences
from app.simulate.settings import SimulationError, SimulationSettings, load_settings
from app.simulate.texts import compose_answer
from study.audit import OPERATOR, events_of
from study.custody import Origin, origins_for_simulation
from study.errors import RealPersonEnrolledError
from study.overview import study_card
from study.registration import load_study
from study.store import Store
from study.vignette import load_vignettes
from tests.studies import join, to_answering, to_rating

SETTINGS = load_settings(shipped("simulation", "default.yaml"))
N_STUDIES, N_VIGNETTES, N_RESIDENTS, N_RATERS = 500, 30, 5, 3


@pytest.fixture(scope="module")
def differences() -> dict[str, np.ndarray]:
    """Per dimension the differences of 500 studies, drawn by the score generator alone."""
    return {
        name: vignette_differences(
            draw_scores(
                dimension, SETTINGS.spreads, n_vignettes=N_VIGNETTES, n_residents=N_RESIDENTS,
                n_raters=N_RATERS, rng=np.random.default_rng([2026, number]), n_studies=N_STUDIES,
            )
        )
        for number, (name, dimension) in enumerate(SETTINGS.dimensions.items())
    }  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS.dimensions)
def test_mean_differences_over_500_studies_match_what_was_declared(
    differences: dict[str, np.ndarray], name: str
) -> None:
    means = differences[name].mean(axis=1)
    # Four standard errors of the mean over 500 studies.
    tolerance = 4 * means.std(ddof=1) / np.sqrt(N_STUDIES)
    assert tolerance < 0.03
    declared = SETTINGS.dimensions[name].declared.mean_difference
    assert means.mean() == pytest.approx(declared, abs=tolerance)


@pytest.mark.parametrize("name", SETTINGS.dimensions)
def test_mean_r_over_500_studies_matches_what_was_declared(
    differences: dict[str, np.ndarray], name: str
) -> None:
    r = np.array([signed_rank(d).z for d in differences[name]]) / np.sqrt(N_VIGNETTES)
    tolerance = 4 * r.std(ddof=1) / np.sqrt(N_STUDIES)
    assert tolerance < 0.04
    assert r.mean() == pytest.approx(SETTINGS.dimensions[name].declared.r, abs=tolerance)


def test_the_null_dimension_rejects_at_the_level(differences: dict[str, np.ndarray]) -> None:
    null = [n for n, d in SETTINGS.dimensions.items() if d.declared.mean_difference == 0]
    assert null == ["medical_correctness"]
    p_values = np.array([signed_rank(d).p_value for d in differences[null[0]]])
    rate = (p_values <= 0.05).mean()
    # 500 studies at .05: three standard errors are 3 * sqrt(.05 * .95 / 500) = .029.
    assert rate == pytest.approx(0.05, abs=0.029)


def test_scores_are_whole_points_of_the_scale() -> None:
    dimension = SETTINGS.dimensions["medication_safety"]
    scores = draw_scores(
        dimension, SETTINGS.spreads, n_vignettes=30, n_residents=5, n_raters=3,
        rng=np.random.default_rng(1), n_studies=20,
    )  # fmt: skip
    assert scores.shape == (20, 30, 6, 3)
    assert set(np.unique(scores)) <= {1, 2, 3, 4, 5}


def test_differences_average_residents_first_by_hand() -> None:
    scores = np.array([[[[4, 5], [1, 3], [5, 5]]]])
    # Model 4.5; residents 2 and 5, mean 3.5.
    assert vignette_differences(scores).tolist() == [[1.0]]


def test_settings_with_an_unknown_key_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(shipped("simulation", "default.yaml").read_text() + "\ncolour: red\n")
    with pytest.raises(SimulationError, match="colour"):
        load_settings(path)


def test_answers_are_composed_from_key_points_with_omissions_slips_and_varied_length() -> None:
    vignette = load_vignettes(shipped("vignettes"))["V05"]
    answers = [compose_answer(vignette, skill=0.0, rng=random.Random(seed)) for seed in range(300)]
    errors = [p for p in vignette.hidden.key_points if p.kind == "critical_error"]
    with_error = sum(any(e.statement in a for e in errors) for a in answers)
    assert 0 < with_error < 60
    assert sum("Stop ibuprofen" in answer for answer in answers) not in (0, 300)
    lengths = [len(answer.split()) for answer in answers]
    assert min(lengths) * 3 < max(lengths)
    assert len(set(answers)) > 200


def test_planted_scores_need_every_dimension_of_the_protocol(seeded_store: Store) -> None:
    with seeded_store.read() as session:
        study = load_study(session, to_answering(seeded_store))
    poor = SimulationSettings.model_validate(
        SETTINGS.model_dump(by_alias=True)
        | {"dimensions": {"medical_correctness": SETTINGS.dimensions["medical_correctness"]}}
    )
    with pytest.raises(SimulationError, match="plant no scores for medication_safety"):
        plant_scores(study, {}, poor, n_raters=2, seed=1)


def test_planted_scores_do_not_depend_on_the_blinding_codes(seeded_store: Store) -> None:
    with seeded_store.read() as session:
        study = load_study(session, to_answering(seeded_store))
    origin = Origin("V01", "someone", "residents")
    one = plant_scores(study, {"AAA-AAA": origin}, SETTINGS, n_raters=2, seed=1)
    two = plant_scores(study, {"BBB-BBB": origin}, SETTINGS, n_raters=2, seed=1)
    assert one["AAA-AAA"] == two["BBB-BBB"]


def test_the_custody_call_is_audited_and_marks_the_study(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store)
    origins_for_simulation(store, study_id, by=OPERATOR)
    assert study_card(store, study_id).simulated
    with store.read() as session:
        actions = [event.action for event in events_of(session, study_id)]
    assert actions[-2:] == ["mark simulated", "custody call"]


def test_the_custody_call_is_refused_once_a_real_person_is_enrolled(
    store: Store, tmp_path: Path
) -> None:
    study_id, _ = to_rating(store, tmp_path)
    with pytest.raises(RealPersonEnrolledError, match="the simulator's look behind the codes"):
        origins_for_simulation(store, study_id, by=OPERATOR)
    assert not study_card(store, study_id).simulated


def test_scripted_people_cannot_join_beside_a_real_one(store: Store) -> None:
    study_id = to_answering(store)
    join(store, study_id, "resident", arm="residents")
    for act in (
        lambda: join_residents(store, study_id),
        lambda: join_raters(store, study_id, n_raters=1),
    ):
        with pytest.raises(RealPersonEnrolledError):
            act()


def test_scripted_people_practise_rate_mark_guess_and_adjudicate(
    store: Store, tmp_path: Path
) -> None:
    from app.simulate.people import decide_all, rate_all
    from study.disputes import disputes, put_to_adjudicators
    from study.lifecycle import next_step
    from study.preconditions import preconditions
    from tests.studies import HARM, SECOND_PASS, practice

    asked = {
        "calibration": {"pass_share": 1.0}, "harm": HARM, "second_pass": SECOND_PASS,
        "comment_at": [1, 5], "adjudication": {"distance": 1, "n_adjudicators": 1},
    }  # fmt: skip
    study_id, raters = to_rating(
        store, tmp_path / "work", n_vignettes=2, rating=asked, practice=practice()
    )
    with pytest.raises(RealPersonEnrolledError):  # as everywhere: no simulating beside real people
        rate_all(store, study_id, raters, SETTINGS, seed=7, progress=lambda _: None)
    study_id = _scripted(store, tmp_path / "scripted", asked)
    scripted = join_raters(store, study_id, n_raters=2)
    _allocate_and_open(store, study_id)
    assert rate_all(store, study_id, scripted, SETTINGS, seed=7, progress=lambda _: None) == 12
    coordinator, adjudicator = (
        join_as(store, study_id, role) for role in ("coordinator", "adjudicator")
    )
    n_disputed = put_to_adjudicators(store, coordinator)
    assert decide_all(store, adjudicator, seed=7) == n_disputed > 0
    found = disputes(store, coordinator)
    assert found is not None and found.n_decided == found.n_disputed
    with store.read() as session:
        step = next_step(session, study_id)
        assert step is not None
        waits = [p.text for p in preconditions(session, study_id, step.label, store.clock.now())
                 if not p.met]  # fmt: skip
    assert waits == ["a second person has consented to lock"]


def _scripted(store: Store, work: Path, rating: dict[str, object]) -> str:
    """A masked study of two vignettes that scripted people have answered."""
    from app.simulate.people import answer_all
    from study.lifecycle import take_step
    from tests.studies import answer_as_model, practice

    study_id = to_answering(store, n_vignettes=2, rating=rating, practice=practice())
    answer_all(store, study_id, join_residents(store, study_id), seed=7, progress=lambda _: None)
    answer_as_model(store, study_id, work)
    take_step(store, study_id, "close", by=OPERATOR)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    return study_id


def _allocate_and_open(store: Store, study_id: str) -> None:
    from study.lifecycle import take_step

    for verb in ("allocate", "open"):
        take_step(store, study_id, verb, by=OPERATOR)
