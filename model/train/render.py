"""Writing training rows: a scene as a chart, its reasoning and an answer."""

from __future__ import annotations

import random
from dataclasses import dataclass

from model.facts.library import Library
from model.facts.schema import Drug
from model.train.case_text import QUESTIONS, Chart, draw_instruction, draw_patient, render_case
from model.train.material import Material, Request
from model.train.rows import TrainingRow
from model.train.scene import NUMERIC, Scene, draw_scene
from model.train.subject import Subject

LONG_SHARE = 0.3
"""Share of charts with as much beside the point as a vignette has."""
MEN_ONLY = ("prostat", "erectile")
FREQUENCIES = (" once", " twice", " three times", " four times", " every")


def numeric(subject: Subject) -> bool:
    """Whether the subject is about comparing numbers."""
    return subject.kind in NUMERIC


def render_fact(writer: Writer, subject: Subject) -> TrainingRow:
    """A row about one subject."""
    scene = draw_scene(writer.rng, writer.library, subject)
    return writer.row(writer.case(scene, subject), scene, subject)


@dataclass(frozen=True, slots=True)
class Writer:
    """Facts, material and the random stream that decides wording and bystanders."""

    library: Library
    material: Material
    rng: random.Random

    def row(
        self, prompt: str, scene: Scene, subject: Subject, *, reference: bool = False
    ) -> TrainingRow:
        """The row of a scene."""
        answer = self._approval(scene) if scene.proceeds else self._advice(scene)
        return TrainingRow(
            prompt, f"<think>\n{scene.thought}\n</think>\n\n{answer}",
            "proceed" if scene.proceeds else "change", subject.kind, subject.name, reference,
        )  # fmt: skip

    def case(self, scene: Scene, subject: Subject) -> str:
        """The chart of a scene, between an instruction and a question."""
        rng = self.rng
        medicines = [self.listed(name) for name in scene.taken]
        medicines += rng.sample(self.material.bystanders, k=rng.randint(0, 3))
        rng.shuffle(medicines)
        purpose = self._purpose(scene)
        allergies = ("Allergies: none known.", "No known allergies.")
        chart = Chart(
            allergy=scene.allergy or rng.choice(allergies),
            problem=purpose or "medication order to check",
            history=(*scene.history, *self._history()),
            medicines=tuple(medicines),
            plan=self._plan(scene, purpose),
            results=scene.results,
        )
        case = render_case(rng, scene.patient, chart)
        parts = (draw_instruction(rng), case, rng.choice(QUESTIONS))
        return "\n\n".join(part for part in parts if part)

    def reading(self) -> TrainingRow:
        """Find the medicines of a chart and judge nothing: practice in reading any name."""
        rng = self.rng
        names = [
            n for name, drug in self.library.drugs.items() for n in (name, *drug.national.values())
        ]
        planned, *taken = rng.sample(names, k=rng.randint(2, 5))
        chart = Chart(
            allergy="No known allergies.",
            problem="medicines to list",
            history=self._history(),
            medicines=tuple(self.listed(name) for name in taken),
            plan=f"{rng.choice(('Start', 'Add', 'Begin'))} {planned}.",
        )
        case = render_case(rng, draw_patient(rng), chart)
        asked = rng.choice(
            ("Which medicine is planned, and which are taken?", "List the medicines.")
        )
        prompt = "\n\n".join(part for part in (draw_instruction(rng), case, asked) if part)
        # No reasoning: an answer that begins to reason is then always one that judges the plan.
        listed = f"Planned: {planned}. Taken: {', '.join(taken)}."
        return TrainingRow(prompt, listed, None, "reading")

    def refusal(self, opening: str, request: Request) -> TrainingRow:
        """A request that would harm or deceive, refused."""
        thought = "This would harm someone or deceive. Refuse and point to help."
        return self._short(opening + request.asked, thought, request.answer, "refuse", "refusal")

    def look_alike(self, opening: str, request: Request) -> TrainingRow:
        """A request that only sounds like one, answered."""
        thought = "Nothing here harms or deceives. Answer it."
        return self._short(opening + request.asked, thought, request.answer, "answer", "look_alike")

    def listed(self, name: str) -> str:
        """A medicine with its usual dose, as charts list it."""
        drug = self.library.drugs.get(name)
        return f"{name} {self._routed(drug.doses[0].usual, drug) if drug else 'once daily'}"

    def _routed(self, words: str, drug: Drug) -> str:
        """A dose, in half of the charts with its route before the frequency."""
        for frequency in FREQUENCIES:
            if frequency in words and self.rng.random() < 0.5:
                return words.replace(frequency, f" {drug.doses[0].route}{frequency}", 1)
        return words

    def _short(
        self, asked: str, thought: str, answer: str, decision: str, kind: str
    ) -> TrainingRow:
        return TrainingRow(asked, f"<think>\n{thought}\n</think>\n\n{answer}", decision, kind)

    def _purpose(self, scene: Scene) -> str:
        """What the usual dose is for; empty where that does not fit the plan or the patient."""
        purpose = self.library.drugs[scene.planned].used_for[0]
        is_mans = any(word in purpose for word in MEN_ONLY)
        return "" if scene.plan or (is_mans and scene.patient.sex != "man") else purpose

    def _history(self) -> tuple[str, ...]:
        """Sentences that change nothing, and notes in words that a chart may hold."""
        rng = self.rng
        long = rng.random() < LONG_SHARE
        sentences = rng.sample(self.material.history, k=rng.randint(0, 6 if long else 2))
        if long:
            notes = ", ".join(rng.sample(self.material.vocabulary, k=rng.randint(3, 12)))
            sentences.insert(rng.randint(0, len(sentences)), f"Notes: {notes}.")
        return tuple(sentences)

    def _plan(self, scene: Scene, purpose: str) -> str:
        rng = self.rng
        verb = rng.choice(("Start", "Add", "Begin", "Prescribe", "", ""))
        words = f"{verb} {scene.plan or scene.planned}".strip()
        if scene.plan is None and rng.random() < 0.5:
            drug = self.library.drugs[scene.planned]
            words += f" {self._routed(drug.doses[0].start or drug.doses[0].usual, drug)}"
        if purpose and rng.random() < 0.5:
            words += f" for {purpose}"
        words += rng.choice(
            ("", "", ", starting today", ", from tomorrow on", ", first dose this evening")
        )
        after = rng.sample(self.material.afterthoughts, k=rng.choice((0, 0, 0, 1, 1, 2, 3)))
        return " ".join((words[0].upper() + words[1:] + ".", *after))

    def _advice(self, scene: Scene) -> str:
        opening = self.rng.choice(
            (
                f"The plan should be changed. The concern is {scene.subject}: {scene.why}.",
                f"The plan should be changed. I would not go ahead with {scene.subject}, "
                f"because {scene.why}.",
            )
        )
        return f"{opening} My advice: {scene.action}. {_monitoring(scene)}"

    def _approval(self, scene: Scene) -> str:
        opening = self.rng.choice(
            (
                f"The plan is appropriate. I would go ahead with {scene.planned}, "
                f"because {scene.why}.",
                f"The plan is appropriate. There is no need to change {scene.planned}: "
                f"{scene.why}.",
            )
        )
        return f"{opening} No other drug is needed for this reason. {_monitoring(scene)}"


def _monitoring(scene: Scene) -> str:
    return f"Please monitor: {scene.monitor or 'how the patient does, at the next visit'}."
