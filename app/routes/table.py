"""The list of routes."""

from __future__ import annotations

from starlette.routing import Route

from app.components.draft_form import SCRIPT
from app.routes import (
    account,
    drafts,
    entry,
    files,
    health,
    institution,
    returning,
    session,
    style,
)


def routes() -> list[Route]:
    """Every route of ours, in the order they are tried."""
    return [
        Route("/enter", entry.show, methods=["GET", "HEAD"]),
        Route("/enter", entry.accept, methods=["POST"]),
        Route("/return", returning.show, methods=["GET"]),
        Route("/return", returning.sign_in_again, methods=["POST"]),
        *institution.routes(),
        Route("/pause", session.pause, methods=["GET"]),
        Route("/sign-out", session.leave, methods=["POST"]),
        Route("/account", account.show, methods=["GET"]),
        Route("/account/end", account.end, methods=["POST"]),
        Route("/account/leave", account.leave_study, methods=["POST"]),
        Route("/switch", session.switch, methods=["POST"]),
        Route("/api/draft", drafts.save_answer_draft, methods=["POST"]),
        Route("/api/conduct", drafts.count_conduct, methods=["POST"]),
        Route("/api/rating-draft", drafts.save_rating_draft, methods=["POST"]),
        Route("/api/marking-draft", drafts.save_marking_draft, methods=["POST"]),
        Route("/api/adjudication-draft", drafts.save_adjudication_draft, methods=["POST"]),
        Route("/api/review-draft", drafts.save_review_draft, methods=["POST"]),
        Route("/files/{study}/{name}", files.send, methods=["GET"]),
        Route("/style/pages.css", style.pages, methods=["GET"]),
        Route(SCRIPT, style.form, methods=["GET"]),
        Route("/health", health.health, methods=["GET"]),
    ]
