from __future__ import annotations

import json
import random
import re

import pytest

from model.errors import TrainingError
from model.train.case_text import draw_patient, egfr_ckd_epi, kidney_stage
from model.train.rows import read_rows
from model.train.seed_corpus import write_corpus
from model.train.seed_facts import read_seed_facts
from tests.model.files import NANO


def test_the_shipped_rows_are_what_the_shipped_facts_render_to(tmp_path):
    for path in write_corpus(NANO / "seed_facts.yaml", tmp_path):
        assert path.read_bytes() == (NANO / "corpus" / path.name).read_bytes()


def test_no_held_out_case_is_trained_on():
    rows = {n: read_rows(NANO / "corpus" / f"{n}.jsonl") for n in ("train", "held_out")}
    # Refusals and short questions have few wordings; a case has a patient of its own.
    train, held_out = (
        {row.prompt for row in rows[name] if "Plan:" in row.prompt}
        for name in ("train", "held_out")
    )
    assert len(held_out) > 100
    assert not train & held_out


def test_every_answer_that_judges_thinks_first_and_is_of_a_readable_length():
    judging = [row for row in read_rows(NANO / "corpus" / "train.jsonl") if row.decision]
    for row in judging:
        assert row.completion.startswith("<think>\n")
        assert row.completion.count("</think>") == 1
        assert 15 <= len(row.completion.split()) <= 130


def test_an_appropriate_plan_is_approved_and_any_other_is_not():
    for row in read_rows(NANO / "corpus" / "train.jsonl"):
        assert ("The plan is appropriate" in row.completion) == (row.decision == "proceed")
        assert ("The plan should be changed" in row.completion) == (row.decision == "change")


def test_the_egfr_is_that_of_the_ckd_epi_equation():
    # Woman, 60 years, 1.0 mg/dL: 142 * (1.0/0.7)**-1.2 * 0.9938**60 * 1.012
    #   = 142 * 0.65182 * 0.68859 * 1.012 = 64.5
    assert egfr_ckd_epi(1.0, 60, "woman") == pytest.approx(64.5, abs=0.05)
    # Man, 50 years, 0.6 mg/dL: 142 * (0.6/0.9)**-0.302 * 0.9938**50 = 142 * 1.13027 * 0.73276
    assert egfr_ckd_epi(0.6, 50, "man") == pytest.approx(117.6, abs=0.05)


def test_kidney_stages_begin_where_kdigo_says():
    assert [kidney_stage(e) for e in (90, 89, 60, 59, 30, 29, 15, 14, 3)] == [
        1, 2, 2, 3, 3, 4, 4, 5, 5,
    ]  # fmt: skip


def test_a_patient_is_drawn_in_the_stage_asked_for():
    rng = random.Random(1)
    for _ in range(50):
        patient = draw_patient(rng, stages=[3], at_least=47)
        assert 47 <= patient.egfr <= 59


def test_a_fact_about_an_unknown_medicine_is_refused_by_name(tmp_path):
    text = (NANO / "seed_facts.yaml").read_text(encoding="utf-8")
    path = tmp_path / "facts.yaml"
    path.write_text(text.replace("taken: [warfarin]", "taken: [warfarine]"), encoding="utf-8")
    with pytest.raises(TrainingError, match="'warfarine' is not among the medicines"):
        read_seed_facts(path, NANO / "plain_english.txt")


def cases(*, decision: str | None = None) -> list[tuple[str, str]]:
    """Prompt and completion of the shipped rows that judge a plan, in lower case."""
    lines = (NANO / "corpus" / "train.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        (row["prompt"].lower(), row["completion"].lower())
        for row in rows
        if row["kind"] != "reading" and "medicines:" in row["prompt"].lower()
        if decision in (None, row["decision"])
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("simvastatin", "amlodipine"),
        ("simvastatin", "atorvastatin"),
        ("ciclosporin", "atorvastatin"),
    ],
)
def test_no_chart_shows_a_statin_hazard_without_naming_it(one: str, other: str) -> None:
    for prompt, completion in cases():
        if one in prompt and other in prompt:
            assert one in completion and other in completion, prompt


def test_no_man_is_on_the_pill() -> None:
    for prompt, _ in cases():
        assert not ("patient: man," in prompt and "combined oral contraceptive" in prompt)


def test_nobody_takes_the_class_that_they_reacted_to() -> None:
    for prompt, _ in cases():
        reaction = re.search(r"allergy: (lisinopril|ramipril)", prompt)
        if reaction:
            taken = prompt.partition("medicines:")[2].partition("results:")[0]
            assert "lisinopril" not in taken
            assert "ramipril" not in taken


def test_apixaban_goes_on_unchanged_in_nobody_who_meets_two_criteria() -> None:
    for prompt, _ in cases(decision="proceed"):
        who = re.search(r"(\d+) years, (\d+) kg", prompt)
        if who and "apixaban" in prompt:
            assert not (int(who[1]) >= 80 and int(who[2]) <= 60), prompt
