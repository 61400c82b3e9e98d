"""Rendering the seed facts as prompt and completion rows: same facts and seed, same bytes.

`python -m model.train.seed_corpus FACTS OUT` writes what ships under `data/nano/corpus`.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from model.train.case_text import (
    QUESTIONS,
    Chart,
    Patient,
    clearance,
    draw_instruction,
    draw_patient,
    kidney_stage,
    render_case,
)
from model.train.seed_facts import Fact, SeedFacts, read_seed_facts

PLAIN = "plain_english.txt"
"""Beside the facts: what the tokenizer learns from as well."""
PILL = "combined oral contraceptive"
SEED = 20261120
N_TRAIN = 3200
N_HELD_OUT = 160
_SHARES = {
    "interactions": 33, "short": 7, "renal": 13, "allergies": 8, "pregnancy": 7,
    "high_alert": 7, "appropriate": 22, "refusals": 4, "reading": 10,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One training row; what it decides is kept so that answers can be measured."""

    prompt: str
    completion: str
    kind: str
    decision: str | None
    """`change`, `proceed` or `refuse`; None where nothing is to be decided."""


def render(facts: SeedFacts, *, n_rows: int, seed: int) -> tuple[Row, ...]:
    """Render rows.

    Args:
        facts: What is true.
        n_rows: How many rows; no two have the same prompt, refusals and short questions apart.
        seed: Decides patients, wording and order.
    """
    rng = random.Random(seed)
    writers = _writers(facts)
    kinds = rng.choices(list(_SHARES), weights=list(_SHARES.values()), k=n_rows)
    return tuple(writers[kind](rng) for kind in kinds)


def write_corpus(facts_path: Path, out: Path) -> tuple[Path, Path]:
    """Render the facts to `train.jsonl` and `held_out.jsonl` and return both paths.

    The held-out rows are about the same facts in other patients: they measure whether the model
    learned to apply them, not whether it knows others.
    """
    facts = read_seed_facts(facts_path, facts_path.with_name(PLAIN))
    held_out = render(facts, n_rows=N_HELD_OUT, seed=SEED + 1)
    kept_apart = {row.prompt for row in held_out if row.kind not in ("refusals", "short")}
    train = [
        row for row in render(facts, n_rows=N_TRAIN, seed=SEED) if row.prompt not in kept_apart
    ]
    out.mkdir(parents=True, exist_ok=True)
    return _write(out / "train.jsonl", train), _write(out / "held_out.jsonl", held_out)


def _writers(facts: SeedFacts) -> dict[str, Callable[[random.Random], Row]]:
    def of(
        kind: str, write: Callable[[random.Random, SeedFacts, Fact], Row]
    ) -> Callable[[random.Random], Row]:
        # A fact about many pairs gets more rows than one about a single pair.
        known = facts.facts[kind]
        weights = [(max(len(f.taken), 1) * len(f.planned)) ** 0.5 for f in known]
        return lambda rng: write(rng, facts, rng.choices(known, weights=weights)[0])

    return {
        "interactions": of("interactions", _interaction),
        "short": of("interactions", _short),
        "renal": of("renal", _renal),
        "allergies": of("allergies", _allergy),
        "pregnancy": of("pregnancy", _pregnancy),
        "high_alert": of("high_alert", _high_alert),
        "appropriate": of("appropriate", _appropriate),
        "refusals": lambda rng: _refuse(rng, facts),
        "reading": lambda rng: _reading(rng, facts),
    }


def _interaction(rng: random.Random, facts: SeedFacts, fact: Fact) -> Row:
    taken, planned = rng.choice(fact.taken), rng.choice(fact.planned)
    thought = f"Plan: {planned}. Takes: {taken}. Together: {fact.why}."
    return _case_row(
        rng, facts, fact, planned=planned, taken=(taken,), thought=thought,
        patient=draw_patient(rng, contraception=PILL in (taken, planned)),
        subject=f"{planned} with {taken}",
    )  # fmt: skip


def _renal(rng: random.Random, facts: SeedFacts, fact: Fact) -> Row:
    planned = rng.choice(fact.planned)
    fine = bool(fact.fine_in_stages) and rng.random() < 0.5
    patient = _suiting(rng, fact, fact.fine_in_stages if fine else fact.stages, planned, fine=fine)
    stage = kidney_stage(patient.egfr)
    thought = f"Plan: {planned}. eGFR {patient.egfr}: stage {stage}. " + (
        "The kidneys are good enough." if fine else f"Too low: {fact.why}."
    )
    if fine:
        reason = f"an eGFR of {patient.egfr} needs no change of {planned}"
        return _case_row(
            rng, facts, fact, planned=planned, thought=thought, patient=patient, proceed=reason
        )
    return _case_row(
        rng, facts, fact, planned=planned, thought=thought, patient=patient,
        subject=f"{planned} at an eGFR of {patient.egfr}",
    )  # fmt: skip


def _suiting(
    rng: random.Random, fact: Fact, stages: Sequence[int], *names: str, fine: bool
) -> Patient:
    """A patient in whom nothing contradicts what the row says is right."""
    while True:
        patient = draw_patient(rng, stages=stages, at_least=fact.at_least if fine else 0)
        # Labels: a lower dose for two of age 80, 60 kg and creatinine 1.5; a clearance of 60.
        lower_dose = patient.age_years >= 80 and patient.weight_kg <= 60
        too_little = "nitrofurantoin" in names and clearance(patient) < 60
        if not fine or not ((lower_dose and "apixaban" in names) or too_little):
            return patient


def _allergy(rng: random.Random, facts: SeedFacts, fact: Fact) -> Row:
    agent, planned = rng.choice(fact.allergic_to), rng.choice(fact.planned)
    reaction = rng.choice(fact.reactions)
    thought = f"Plan: {planned}. Allergy: {agent}, {reaction}. {_sentence(fact.why)}"
    return _case_row(
        rng, facts, fact, planned=planned, thought=thought, patient=draw_patient(rng),
        allergy=f"Allergy: {agent}, {reaction}.", subject=f"{planned} after {reaction} on {agent}",
    )  # fmt: skip


def _pregnancy(rng: random.Random, facts: SeedFacts, fact: Fact) -> Row:
    planned = rng.choice(fact.planned)
    patient = draw_patient(rng, pregnant=True)
    thought = f"Plan: {planned}. Pregnant, {patient.pregnant_weeks} weeks. {_sentence(fact.why)}"
    return _case_row(
        rng, facts, fact, planned=planned, thought=thought, patient=patient,
        subject=f"{planned} in pregnancy",
    )  # fmt: skip


def _high_alert(rng: random.Random, facts: SeedFacts, fact: Fact) -> Row:
    plan = rng.choice(fact.planned)
    thought = f"Plan: {plan}. High alert: {fact.why}."
    return _case_row(
        rng, facts, fact, planned=plan, thought=thought, patient=draw_patient(rng), subject=plan
    )


def _appropriate(rng: random.Random, facts: SeedFacts, fact: Fact) -> Row:
    taken, planned = rng.choice(fact.taken), rng.choice(fact.planned)
    patient = _suiting(rng, fact, fact.stages, taken, planned, fine=True)
    beside = rng.sample(fact.alongside, k=rng.randint(0, len(fact.alongside)))
    thought = (
        f"Plan: {planned}. Takes: {taken}. Kidneys: eGFR {patient.egfr}. {_sentence(fact.why)}"
    )
    return _case_row(
        rng, facts, fact, planned=planned, taken=(taken, *beside), thought=thought,
        patient=patient, proceed=fact.why,
    )  # fmt: skip


def _short(rng: random.Random, facts: SeedFacts, fact: Fact) -> Row:
    taken, planned = rng.choice(fact.taken), rng.choice(fact.planned)
    asked = rng.choice(
        (
            f"May {planned} be added to {taken}?",
            f"A patient on {taken} is to start {planned}. Is that safe?",
            f"What happens when {taken} and {planned} are taken together?",
        )
    )
    thought = f"Plan: {planned}. Takes: {taken}. Together: {fact.why}."
    return _row(asked, thought, _advice(fact, f"{planned} with {taken}", rng), "short", "change")


def _reading(rng: random.Random, facts: SeedFacts) -> Row:
    """Find the medicines of a chart and judge nothing: practice in reading any name."""
    names = [*facts.medicines, *facts.other_names]
    planned, *taken = rng.sample(names, k=rng.randint(2, 5))
    chart = Chart(
        allergy="No known allergies.",
        problem="medicines to list",
        history=_history(rng, facts),
        medicines=tuple(_listed(rng, facts, name) for name in taken),
        plan=_plan(rng, facts, planned, "", goes_on=False),
    )
    case = render_case(rng, draw_patient(rng), chart)
    asked = rng.choice(("Which medicine is planned, and which are taken?", "List the medicines."))
    prompt = "\n\n".join(part for part in (draw_instruction(rng), case, asked) if part)
    # No reasoning: an answer that begins to reason is then always one that judges the plan.
    listed = f"Planned: {planned}. Taken: {', '.join(taken)}."
    return Row(prompt, listed, "reading", None)


def _refuse(rng: random.Random, facts: SeedFacts) -> Row:
    refusal = rng.choice(facts.refusals)
    opening = rng.choice(("", "Please help. ", "Quick question. ", "I am a nurse. ", "Tell me. "))
    thought = "This would harm someone or deceive. Refuse and point to help."
    return _row(opening + refusal.asked, thought, refusal.answer, "refusals", "refuse")


def _case_row(
    rng: random.Random, facts: SeedFacts, fact: Fact, *, planned: str, thought: str,
    patient: Patient, taken: Sequence[str] = (), allergy: str = "", subject: str = "",
    proceed: str = "",
) -> Row:  # fmt: skip
    medicines = [_listed(rng, facts, name) for name in taken]
    if not proceed:
        others = _harmless(facts, patient, (*taken, planned), fact)
        medicines += [
            _listed(rng, facts, name)
            for name in rng.sample(others, k=min(len(others), rng.randint(0, 2)))
        ]
    medicines += rng.sample(facts.bystanders, k=rng.randint(0, 2))
    rng.shuffle(medicines)
    medicine = facts.medicines.get(planned)
    purpose = medicine.used_for if medicine else ""
    chart = Chart(
        allergy=allergy or rng.choice(("Allergies: none known.", "No known allergies.")),
        problem=purpose or "medication order to check",
        history=_history(rng, facts),
        medicines=tuple(medicines),
        plan=_plan(rng, facts, planned, purpose, goes_on=planned in taken),
    )
    case = render_case(rng, patient, chart)
    instruction, question = draw_instruction(rng), rng.choice(QUESTIONS)
    prompt = "\n\n".join(part for part in (instruction, case, question) if part)
    if proceed:
        answer = _approval(rng, planned, proceed, fact.monitoring)
        return _row(prompt, thought, answer, fact.kind, "proceed")
    return _row(prompt, thought, _advice(fact, subject, rng), fact.kind, "change")


def _history(rng: random.Random, facts: SeedFacts) -> tuple[str, ...]:
    """Sentences that change nothing, and notes in words that a chart may hold."""
    sentences = rng.sample(facts.history, k=rng.randint(0, 6))
    if rng.random() < 0.6:
        notes = ", ".join(rng.sample(facts.vocabulary, k=rng.randint(3, 14)))
        sentences.insert(rng.randint(0, len(sentences)), f"Notes: {notes}.")
    return tuple(sentences)


def _harmless(facts: SeedFacts, patient: Patient, present: Sequence[str], fact: Fact) -> list[str]:
    """Common medicines that add no second hazard to a chart."""
    if patient.pregnant_weeks:
        return []
    clashes = {
        name
        for fact in facts.facts["interactions"]
        for one, other in ((fact.taken, fact.planned), (fact.planned, fact.taken))
        if set(one) & set(present)
        for name in other
    }
    if patient.egfr < 45:
        clashes.add("metformin")
    if fact.allergic_to:  # nobody goes on with the class that they reacted to
        clashes |= {*fact.planned, *fact.allergic_to}
    return [name for name in facts.common if name not in clashes and name not in present]


def _listed(rng: random.Random, facts: SeedFacts, name: str) -> str:
    medicine = facts.medicines.get(name)
    chart = medicine.chart if medicine else "once daily"
    return f"{name} {_by_mouth(rng, chart)}"


def _by_mouth(rng: random.Random, chart: str) -> str:
    """The chart's words, in half of the charts with the route before the frequency."""
    for frequency in (" once", " twice", " three times", " four times"):
        if frequency in chart and rng.random() < 0.5:
            return chart.replace(frequency, f" by mouth{frequency}", 1)
    return chart


def _plan(
    rng: random.Random, facts: SeedFacts, planned: str, purpose: str, *, goes_on: bool
) -> str:
    verb = "Continue" if goes_on else rng.choice(("Start", "Add", "Begin", "Prescribe", "", ""))
    words = f"{verb} {planned}".strip()
    medicine = facts.medicines.get(planned)
    if medicine and rng.random() < 0.5:
        words += f" {_by_mouth(rng, medicine.chart)}"
    if purpose and rng.random() < 0.5:
        words += f" for {purpose}"
    words += rng.choice(
        ("", "", ", starting today", ", from tomorrow on", ", first dose this evening")
    )
    after = rng.sample(facts.afterthoughts, k=rng.randint(0, 3))
    return " ".join((words[0].upper() + words[1:] + ".", *after))


def _advice(fact: Fact, subject: str, rng: random.Random) -> str:
    opening = rng.choice(
        (
            f"The plan should be changed. The concern is {subject}: {fact.why}.",
            f"The plan should be changed. I would not go ahead with {subject}, because {fact.why}.",
        )
    )
    return f"{opening} My advice: {fact.action}. Please monitor: {fact.monitoring}."


def _approval(rng: random.Random, planned: str, reason: str, monitoring: str) -> str:
    opening = rng.choice(
        (
            f"The plan is appropriate. I would go ahead with {planned}, because {reason}.",
            f"The plan is appropriate. There is no need to change {planned}: {reason}.",
        )
    )
    return (
        f"{opening} No other drug and no change of dose is needed for this reason. "
        f"Please monitor: {monitoring}."
    )


def _row(prompt: str, thought: str, answer: str, kind: str, decision: str | None) -> Row:
    return Row(prompt, f"<think>\n{thought}\n</think>\n\n{answer}", kind, decision)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def _write(path: Path, rows: Sequence[Row]) -> Path:
    lines = [json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return path


if __name__ == "__main__":
    for written in write_corpus(Path(sys.argv[1]), Path(sys.argv[2])):
        print(written)
