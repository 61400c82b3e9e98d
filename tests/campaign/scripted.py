"""Scripted people for the campaign: what each does, and what was acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.campaign.client import Form, Tab, save_draft, scores_of

CLICKS = (1, 4)
"""Points clicked on the way to the one that is meant."""


@dataclass(slots=True)
class Person:
    """Someone at a browser."""

    base: str
    token: str
    person_id: str
    number: int
    items: list[str] = field(default_factory=list)
    """Tasks in the order in which they were shown."""
    meant: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What was submitted and acknowledged, by task."""

    def tab(self) -> Tab:
        """Open a tab."""
        return Tab(self.base, self.token)

    def gives(self, form: Form) -> dict[str, Any]:
        """What this person means for the task: it differs by person and task."""
        place = len(self.items) + self.number
        if form.kind == "answer":
            return {"text": f"Person {self.number} about {form.item}", "confidence": place % 5 + 1}
        return {"scores": scores_of(form, place % 5 + 1), "comment": f"Comment {self.number}"}

    def works_through(self) -> None:
        """Every task, each clicked around and submitted three times at once from two tabs."""
        with self.tab() as tab:
            form = tab.load().form
            while form is not None:
                self._one_task(tab, form)
                after = tab.load().form
                assert after is None or after.item != form.item
                form = after

    def _one_task(self, tab: Tab, form: Form) -> None:
        self.items.append(form.item)
        given = self.gives(form)
        with self.tab() as other:
            beside = other.load().form
            assert beside is not None and beside.item == form.item
            self.drafts(form, given)
            other.send(beside, given)
            other.send(beside, given)  # a double click, or a retry after a time-out
            tab.submit(form, given)
            other.read()
        self.meant[form.item] = given

    def drafts(self, form: Form, given: Mapping[str, Any]) -> int:
        """Keep what is clicked and typed on the way, and a save that is sent twice."""
        revision = form.revision
        for point in CLICKS:
            on_the_way = self._on_the_way(form, point)
            kept = save_draft(self.base, self.token, form, on_the_way, revision)
            assert kept.status == 200, kept.body
            revision = kept.json()["revision"]
        for known in (revision, revision):  # the second did not hear the answer to the first
            kept = save_draft(self.base, self.token, form, given, known)
            assert kept.status == 200, kept.body
        return int(kept.json()["revision"])

    def _on_the_way(self, form: Form, point: int) -> dict[str, Any]:
        if form.kind == "answer":
            return {"text": f"On the way {point}", "confidence": point}
        return {"scores": scores_of(form, point), "comment": ""}
