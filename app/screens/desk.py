"""The task on a person's desk: an opaque key for its form, and why a submission was refused."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from html import escape
from typing import Any

import streamlit as st

from app.components.draft_form import Problem

DESK, NOTICE = "_desk", "_notice"


@dataclass(slots=True)
class Desk:
    """What a session remembers about the task it shows."""

    item: str
    key: str
    """Random: the browser sees it, and learns nothing from it."""
    is_next: bool
    """Whether another task stood here before."""
    problem: Problem | None = None

    def refuse(self, words: str) -> None:
        """Say why the submission was refused."""
        self.problem = Problem((self.problem.number if self.problem else 0) + 1, words)
        # For the case that the task is done elsewhere and another one comes up now.
        leave_notice(words)


def desk_for(item: str) -> Desk:
    """The desk with that task on it; a new one when the task is new."""
    there = desk_here()
    if there is not None and there.item == item:
        return there
    fresh = Desk(item, f"f{secrets.token_hex(8)}", is_next=there is not None)
    st.session_state[DESK] = fresh
    return fresh


def desk_here() -> Desk | None:
    """The desk of this session, or None before any task."""
    there = st.session_state.get(DESK)
    return there if isinstance(there, Desk) else None


def submitted(desk: Desk) -> dict[str, Any]:
    """What the browser has just submitted; empty if this session has forgotten it."""
    given = getattr(st.session_state.get(desk.key), "submitted", None)
    return given if isinstance(given, dict) else {}


def leave_notice(words: str) -> None:
    """Say something once, above whatever comes next."""
    st.session_state[NOTICE] = words


def show_notice(desk: Desk) -> None:
    """Show what was left to say, unless the form itself says what went wrong."""
    words = st.session_state.pop(NOTICE, None) if desk.problem is None else None
    st.html(f'<p class="sm-quiet" role="status">{escape(words)}</p>' if words else "<span></span>")
