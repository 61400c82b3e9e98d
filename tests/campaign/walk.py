"""A rater and an adjudicator walk every screen they have, and everything that reaches them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import MessageToDict

from study.disputes import put_to_adjudicators
from study.sign_in import Entry
from study.store import Store
from tests.browser.capture import opened, parsed
from tests.campaign.client import Answered, Form, Shown, Tab, ask, save_draft, scores_of
from tests.studies import HARM, SECOND_PASS, practice

CONSENT = {
    "version": "1", "respondents": "You will answer.", "raters": "You will rate.",
    "withdrawal": "keep submitted",
}  # fmt: skip
RATING = {
    "harm": HARM, "calibration": {"pass_share": 0.25}, "comment_at": [1, 5],
    "second_pass": SECOND_PASS, "adjudication": {"distance": 2, "n_adjudicators": 1},
}  # fmt: skip
EVERYTHING: dict[str, Any] = {
    "rating": RATING, "practice": practice(), "more": {"consent": CONSENT}, "n_vignettes": 1,
    "n_residents": 1,
}  # fmt: skip
"""A study in which every screen of a rater comes up: two responses by two raters."""
SCREENS = ("consent", "question", "practice", "rating", "correction", "note", "marking", "guess",
           "adjudication", "done")  # fmt: skip


@dataclass(slots=True)
class Received:
    """What reached somebody, by screen; `http` holds what routes answered."""

    shown: dict[str, list[Shown]] = field(default_factory=dict)
    http: list[Answered] = field(default_factory=list)

    def keep(self, screen: str, shown: Shown) -> Shown:
        """Keep what one run of a screen sent."""
        self.shown.setdefault(screen, []).append(shown)
        return shown

    def messages(self, *, without: str = "") -> list[dict[str, Any]]:
        """Every frame decoded, in order, the screens whose name is given left out."""
        return [
            MessageToDict(parsed(frame))
            for screen, runs in self.shown.items()
            if screen != without
            for shown in runs
            for frame in shown.frames
        ]

    def everything(self, *, without: str = "") -> bytes:
        """All of it in one piece, to search: raw, decoded, and nested texts opened."""
        parts = [
            frame
            for screen, runs in self.shown.items()
            if screen != without
            for shown in runs
            for frame in shown.frames
        ]
        for message in self.messages(without=without):
            parts.append(json.dumps(message, ensure_ascii=False).encode())
            parts += opened(message)
        for answer in self.http:
            parts += [answer.body, repr(sorted(answer.headers.items())).encode()]
        return b"\n".join(parts)


@dataclass(slots=True)
class Walker:
    """Somebody at a browser who does everything that can be done, and some that cannot."""

    base: str
    token: str
    point: int
    received: Received

    def rates(self) -> None:
        """From the consent to the last source guess."""
        with Tab(self.base, self.token) as tab:
            shown = self._begins(tab)
            while shown.form is None or shown.form.kind == "practice":
                shown = self._practises(tab, shown)
            shown = self._scores(tab, shown)
            while shown.form is not None:
                shown = self._marks(tab, shown, shown.form)
            self.received.keep("done", tab.load())
        self.asks_around()

    def adjudicates(self) -> None:
        """Decide everything in dispute."""
        with Tab(self.base, self.token) as tab:
            shown = self.received.keep("adjudication", tab.load())
            while shown.form is not None:
                given = {"scores": scores_of(shown.form, self.point), "comment": "Because"}
                self._drafts(shown.form, given)
                self.received.keep("adjudication", tab.submit(shown.form, {}))  # refused
                shown = self.received.keep("adjudication", tab.submit(shown.form, given))
            self.received.keep("done", shown)
        self.asks_around()

    def asks_around(self) -> None:
        """Pages beside the study, and what is refused."""
        for path in ("/account", "/pause", "/enter?t=WRONG", "/files/none/export.zip", "/none"):
            self.received.http.append(ask(self.base, self.token, "GET", path))
        body = {"code": "AAA-BBB", "scores": {"medication_safety": 6}, "comment": "", "revision": 0}
        for path in ("/api/rating-draft", "/api/marking-draft", "/api/adjudication-draft"):
            self.received.http.append(ask(self.base, self.token, "POST", path, body=body))

    def _begins(self, tab: Tab) -> Shown:
        shown = self.received.keep("consent", tab.load())
        label = "I have read this and agree"
        shown = self.received.keep("consent", tab.press(shown, label, Type_your_full_name=""))
        shown = self.received.keep("question", tab.press(shown, label, Type_your_full_name="A B"))
        if "Send the answer" in shown.buttons:
            shown = tab.press(shown, "Send the answer", Your_answer="It was so")
            self.received.keep("question", shown)
        return shown

    def _practises(self, tab: Tab, shown: Shown) -> Shown:
        if shown.form is None:
            [label] = [b for b in shown.buttons if b in ("Next practice response", "Begin rating")]
            return self.received.keep("practice", tab.press(shown, label))
        given = {"scores": scores_of(shown.form, 3)}
        return self.received.keep("practice", tab.submit(shown.form, given))

    def _scores(self, tab: Tab, shown: Shown) -> Shown:
        """Both responses: flagged, given back without a reason, refused, scored, corrected."""
        for number in (1, 2):
            assert shown.form is not None and shown.form.kind == "rating"
            self.received.keep("rating", shown)
            what = {"What_is_the_matter": "Cut off?"} if number == 1 else {}
            for label, said in (("Tell the study team", what), ("Give it back", {})):
                shown = self._opens_note(tab, shown)
                button = next(b for b in shown.buttons if b.startswith(label))
                shown = self.received.keep("note", tab.press(shown, button, **said))
            assert shown.form is not None
            given = {"scores": self._points(shown.form), "comment": "A comment"}
            self._drafts(shown.form, given)
            self.received.keep("rating", tab.submit(shown.form, {**given, "comment": ""}))
            if number == 2:
                shown = self._corrects(tab, shown)
                assert shown.form is not None
            shown = self.received.keep("rating", tab.submit(shown.form, given))
        return shown

    def _opens_note(self, tab: Tab, shown: Shown) -> Shown:
        asks = [b for b in shown.buttons if b.startswith("Something is wrong")]
        return self.received.keep("note", tab.press(shown, asks[0])) if asks else shown

    def _corrects(self, tab: Tab, shown: Shown) -> Shown:
        back = self.received.keep("correction", tab.press(shown, "Correct my last rating"))
        assert back.form is not None
        given = {"scores": self._points(back.form), "comment": "Corrected"}
        self.received.keep("correction", tab.submit(back.form, {"scores": {}}))  # refused
        return self.received.keep("correction", tab.submit(back.form, given))

    def _marks(self, tab: Tab, shown: Shown, form: Form) -> Shown:
        self.received.keep(form.kind, shown)
        given = {"scores": scores_of(form, 1)}
        if form.kind == "marking":
            self._drafts(form, {**given, "comment": ""})
        self.received.keep(form.kind, tab.submit(form, {"scores": {}}))  # refused
        return tab.submit(form, given)

    def _points(self, form: Form) -> dict[str, int]:
        """The walker's point on every dimension, and some harm."""
        return {**scores_of(form, self.point), "harm_severity": 1, "harm_likelihood": 0}

    def _drafts(self, form: Form, given: Mapping[str, Any]) -> None:
        self.received.http.append(save_draft(self.base, self.token, form, given, form.revision))
        stale = {**given, "scores": {}}
        self.received.http.append(save_draft(self.base, self.token, form, stale, 99))


def walk(base: str, store: Store, raters: tuple[Entry, ...], coordinator: Entry,
         adjudicator: Entry) -> Received:  # fmt: skip
    """Two raters whose scores lie apart, then the adjudicator; what reached all three."""
    received = Received()
    for entry, point in zip(raters, (1, 5), strict=True):
        Walker(base, entry.session_token, point, received).rates()
    put_to_adjudicators(store, coordinator.person)
    Walker(base, adjudicator.session_token, 3, received).adjudicates()
    assert set(received.shown) == set(SCREENS), "a screen was not walked"
    return received
