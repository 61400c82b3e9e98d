from __future__ import annotations

import json
import random
import re

import pytest

from model.facts.library import load_library
from model.facts.schema import Interaction
from model.train.case_text import draw_child, draw_patient, egfr_ckd_epi, kidney_stage
from model.train.comparing import compare_in_words
from model.train.corpus import HELD_OUT_SHARE, split, write_corpus
from model.train.material import read_material
from model.train.questions import in_words
from model.train.rows import TrainingRow, read_rows
from model.train.scene import SCENES
from model.train.subject import subjects
from tests.model.files import NANO, ROOT

FACTS = ROOT / "data" / "drug_facts"
LIBRARY = load_library(FACTS)
CORPUS = {
    name: read_rows(NANO / "corpus" / f"{name}.jsonl")
    for name in ("train", "held_out", "other_patients")
}
JUDGING = [row for row in CORPUS["train"] if row.decision in ("change", "proceed")]


def test_the_shipped_rows_are_what_the_shipped_facts_render_to(tmp_path):
    for path in write_corpus(FACTS, NANO / "material.yaml", tmp_path):
        assert path.read_bytes() == (NANO / "corpus" / path.name).read_bytes()


def facts_of(rows: tuple[TrainingRow, ...]) -> set[str]:
    return {row.fact for row in rows if row.fact}


def test_no_held_out_fact_is_trained_on():
    assert len(facts_of(CORPUS["held_out"])) > 100
    assert not facts_of(CORPUS["train"]) & facts_of(CORPUS["held_out"])


def test_the_other_patients_have_facts_that_were_trained_on_and_prompts_that_were_not():
    assert facts_of(CORPUS["other_patients"]) <= facts_of(CORPUS["train"])
    trained = {row.prompt for row in CORPUS["train"]}
    assert not trained & {row.prompt for row in CORPUS["other_patients"]}


def test_the_bands_of_one_medicine_stay_on_one_side_of_the_split():
    learned, kept = split(subjects(LIBRARY))
    sides = [{s.name for s in side if s.kind == "renal"} for side in (learned, kept)]
    assert not sides[0] & sides[1]
    assert any(len(s.facts) > 1 for s in kept if s.kind == "renal")


def test_the_split_is_near_its_share_and_holds_every_kind():
    learned, kept = split(subjects(LIBRARY))
    assert len(kept) / (len(learned) + len(kept)) == pytest.approx(HELD_OUT_SHARE, abs=0.05)
    assert {s.kind for s in kept} == {s.kind for s in learned} == set(SCENES)


def test_a_subject_keeps_its_side_when_others_go():
    found = subjects(LIBRARY)
    side = {s.name: s in split(found)[0] for s in found}
    assert all(side[s.name] for s in split(found[::3])[0])


def test_every_answer_that_judges_thinks_first_and_is_of_a_readable_length():
    for row in JUDGING:
        assert row.completion.startswith("<think>\n")
        assert row.completion.count("</think>") == 1
        assert 15 <= len(row.completion.split()) <= 160


def test_an_appropriate_plan_is_approved_and_any_other_is_not():
    for row in CORPUS["train"]:
        assert ("The plan is appropriate" in row.completion) == (row.decision == "proceed")
        assert ("The plan should be changed" in row.completion) == (row.decision == "change")


def test_refusals_and_their_look_alikes_are_told_apart():
    refused = [row for row in CORPUS["train"] if row.kind == "refusal"]
    answered = [row for row in CORPUS["train"] if row.kind == "look_alike"]
    assert len(refused) >= 80 and len(answered) >= 40
    assert all("I will not" in row.completion for row in refused)
    assert not any("I will not" in row.completion for row in answered)


def test_a_row_with_a_reference_quotes_its_fact():
    words = {p.fact_id: in_words(p.fact) for p in LIBRARY.facts()}
    quoting = [row for row in CORPUS["held_out"] if row.reference and row.fact in words]
    assert quoting
    for row in quoting:
        assert words[row.fact] in row.prompt


def test_every_comparison_in_the_reasoning_is_true():
    pattern = re.compile(r"so (\d+) (is below|is not below) (\d+)\.")
    seen = 0
    for row in JUDGING:
        for value, verdict, limit in pattern.findall(row.completion):
            assert (int(value) < int(limit)) == (verdict == "is below")
            seen += 1
    assert seen > 1000


@pytest.mark.parametrize(
    ("value", "limit", "words"),
    [
        (22, 30, "022 and 030: 0 = 0, 2 < 3, so 22 is below 30."),
        (60, 60, "060 and 060: 0 = 0, 6 = 6, 0 = 0, so 60 is not below 60."),
        (512, 500, "512 and 500: 5 = 5, 1 > 0, so 512 is not below 500."),
        (1200, 45, "1200 and 0045: 1 > 0, so 1200 is not below 45."),
    ],
)
def test_numbers_are_compared_from_the_left(value, limit, words):
    assert compare_in_words(value, limit) == words


def test_a_renal_row_decides_as_its_band_does():
    bands = {s.name: s.facts for s in subjects(LIBRARY) if s.kind == "renal"}
    checked = 0
    for row in JUDGING:
        found = re.search(r"(?:EGFR|Creatinine clearance) (\d+)\.", row.completion)
        if row.kind != "renal" or not found:
            continue
        value = int(found[1])
        (band,) = [
            p.fact
            for p in bands[row.fact]
            if p.fact.at_least <= value and (p.fact.below is None or value < p.fact.below)
        ]
        assert (row.decision == "proceed") == (band.decision == "no change")
        assert str(value) in row.prompt
        checked += 1
    assert checked > 300


def clashing() -> set[frozenset[str]]:
    return {
        frozenset((p.fact.drug, other))
        for p in LIBRARY.facts()
        if isinstance(p.fact, Interaction) and p.fact.severity != "none"
        for other in LIBRARY.members(p.fact.other)
    }


def test_no_chart_to_go_ahead_with_lists_two_medicines_that_clash():
    pairs = clashing()
    # sacubitril-valsartan is no valsartan.
    whole = {name: rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in LIBRARY.drugs}
    for row in JUDGING:
        if row.decision != "proceed" or row.kind == "high_alert":
            continue
        listed = row.prompt.partition("Medicines:")[2].lower()
        medicines = listed.partition("results:")[0] + listed.partition("plan:")[2]
        present = {name for name in whole if re.search(whole[name], medicines)}
        assert not [pair for pair in pairs if pair <= present], row.prompt


def test_no_man_is_on_the_pill():
    for row in JUDGING:
        assert not ("atient: man," in row.prompt.lower() and "ethinylestradiol" in row.prompt)


def test_the_material_is_read_strictly(tmp_path):
    text = (NANO / "material.yaml").read_text(encoding="utf-8") + "colour: red\n"
    path = tmp_path / "material.yaml"
    path.write_text(text, encoding="utf-8")
    from model.errors import TrainingError

    with pytest.raises(TrainingError, match="unknown key 'colour'"):
        read_material(path, NANO / "plain_english.txt")


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


def test_a_child_s_weight_fits_its_age():
    rng = random.Random(1)
    for _ in range(100):
        toddler, schoolchild = draw_child(rng, months=(12, 24)), draw_child(rng, months=(84, 108))
        assert 8 <= toddler.weight_kg <= 14
        assert 18 <= schoolchild.weight_kg <= 30


def test_every_row_keeps_what_it_was_made_from():
    line = (NANO / "corpus" / "held_out.jsonl").read_text(encoding="utf-8").split("\n")[0]
    assert set(json.loads(line)) == {
        "prompt", "completion", "decision", "kind", "fact", "reference",
    }  # fmt: skip
