"""Keeping what is being typed or scored, on the server, before it is submitted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from app import services
from app.harm_points import as_points, given_of, harm_asked
from app.identity import COOKIE, person_of_token
from app.routes.guards import FOREIGN, is_same_origin
from app.routes.pages import as_sentence
from study.adjudication import AdjudicationDraft, AdjudicationService
from study.answering import AnsweringService, Draft
from study.conduct import NAMES, Conduct
from study.errors import (
    LifeCycleError,
    NotAllowedError,
    StaleDraftError,
    StorageError,
    StudyError,
)
from study.marking import MarkingDraft, MarkingService
from study.people import Person
from study.protocol_trial import Harm
from study.rating import RatingDraft, RatingService
from study.reviewing import ReviewDraft, ReviewService

MAX_BYTES = 200_000
"""Of a request: 20,000 characters in any script and quoting fit."""
MAX_REVIEW_BYTES = 1_000_000
"""Of a review: two texts of 50,000 characters fit."""

Body = Mapping[str, Any]
Save = Callable[[Person, Body], dict[str, Any]]


class BadBodyError(Exception):
    """The request is not the JSON object the page sends."""


class BodyTooLargeError(Exception):
    """The request is larger than any draft may be."""


async def save_answer_draft(request: Request) -> JSONResponse:
    """Keep an answer: `item`, `text`, `confidence`, `revision`."""
    return await _save(request, _save_answer)


async def count_conduct(request: Request) -> JSONResponse:
    """Keep totals of pastes and looks away: `item` and each of `study.conduct.NAMES`."""
    return await _save(request, _count_conduct)


async def save_rating_draft(request: Request) -> JSONResponse:
    """Keep a rating: `code`, `scores`, `comment`, `revision`."""
    return await _save(request, _save_rating)


async def save_marking_draft(request: Request) -> JSONResponse:
    """Keep marks of the second pass: `code`, `scores`, `revision`."""
    return await _save(request, _save_marking)


async def save_adjudication_draft(request: Request) -> JSONResponse:
    """Keep an adjudicator's scores: `code`, `scores`, `comment`, `revision`."""
    return await _save(request, _save_adjudication)


async def save_review_draft(request: Request) -> JSONResponse:
    """Keep a review of a training row: `code`, `scores`, `texts`, `comment`, `revision`."""
    return await _save(request, _save_review, most=MAX_REVIEW_BYTES)


async def _save(request: Request, save: Save, *, most: int = MAX_BYTES) -> JSONResponse:
    if not is_same_origin(request):
        return _error(403, FOREIGN)
    try:
        token, body = request.cookies.get(COOKIE), await _body(request, most)
        return await run_in_threadpool(_saved, token, save, body)
    except BodyTooLargeError as error:
        return _error(413, str(error))
    except BadBodyError as error:
        return _error(400, str(error))
    except StudyError as error:
        return _refused(error)


def _saved(token: str | None, save: Save, body: Body) -> JSONResponse:
    """Save for whoever is signed in, with one look at the database before the write."""
    with services.store().looking():
        person = person_of_token(token)
        if person is None:
            return _error(401, "you are signed out here; sign in again in another tab, then go on")
        return _json(200, save(person, body))


def _refused(error: StudyError) -> JSONResponse:
    if isinstance(error, StaleDraftError):
        return _error(409, str(error), draft=_as_json(error.draft))
    if isinstance(error, StorageError):
        return _error(507, str(error))
    if isinstance(error, NotAllowedError):
        return _error(403, str(error))
    if isinstance(error, LifeCycleError):
        return _error(423, str(error))
    return _error(413 if "characters" in str(error) else 422, str(error))


def _save_answer(person: Person, body: Body) -> dict[str, Any]:
    confidence = body.get("confidence")
    if confidence is not None:
        confidence = _whole(confidence, "confidence")
    draft = AnsweringService(services.store()).save_draft(
        person,
        _words(body, "item"),
        _words(body, "text"),
        confidence,
        _whole(body.get("revision"), "revision"),
    )
    return _as_json(draft)


def _count_conduct(person: Person, body: Body) -> dict[str, Any]:
    totals = Conduct(*(_whole(body.get(name), name) for name in NAMES))
    AnsweringService(services.store()).count_conduct(person, _words(body, "item"), totals)
    return {}


def _save_rating(person: Person, body: Body) -> dict[str, Any]:
    harm = harm_asked(person)
    given = given_of(harm, _scores(body))
    try:
        draft = RatingService(services.store()).save_draft(
            person, _words(body, "code"), given.scores, _words(body, "comment"),
            _whole(body.get("revision"), "revision"), harm=given.harm,
        )  # fmt: skip
    except StaleDraftError as error:
        raise StaleDraftError(str(error), _rating_json(harm, error.draft)) from error
    return _rating_json(harm, draft)


def _rating_json(harm: Harm | None, draft: object) -> dict[str, Any]:
    assert isinstance(draft, RatingDraft)
    return {**_as_json(draft), "scores": as_points(harm, draft.scores, draft.harm)}


def _save_marking(person: Person, body: Body) -> dict[str, Any]:
    draft = MarkingService(services.store()).save_draft(
        person, _words(body, "code"), _scores(body), _whole(body.get("revision"), "revision")
    )
    return _as_json(draft)


def _save_adjudication(person: Person, body: Body) -> dict[str, Any]:
    draft = AdjudicationService(services.store()).save_draft(
        person, _words(body, "code"), _scores(body), _words(body, "comment"),
        _whole(body.get("revision"), "revision"),
    )  # fmt: skip
    return _as_json(draft)


def _save_review(person: Person, body: Body) -> dict[str, Any]:
    texts = body.get("texts")
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise BadBodyError("texts must be an object of field to text")
    draft = ReviewService(services.store()).save_draft(
        person, _words(body, "code"), _scores(body), texts, _words(body, "comment"),
        _whole(body.get("revision"), "revision"),
    )  # fmt: skip
    return _as_json(draft)


def _scores(body: Body) -> dict[str, int]:
    scores = body.get("scores")
    if not isinstance(scores, dict):
        raise BadBodyError("scores must be an object of dimension to score")
    return {str(name): _whole(score, str(name)) for name, score in scores.items()}


async def _body(request: Request, most: int) -> Body:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise BadBodyError("send the draft as application/json")
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > most:
            raise BodyTooLargeError(f"the draft is larger than {most:,} bytes; shorten the text")
    try:
        body = json.loads(received)
    except ValueError:
        raise BadBodyError("the draft is not JSON; reload the page to go on") from None
    if not isinstance(body, dict):
        raise BadBodyError("the draft is not a JSON object; reload the page to go on")
    return body


def _words(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise BadBodyError(f"{name} must be text")
    return value


def _whole(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadBodyError(f"{name} must be a whole number")
    return value


def _as_json(draft: object) -> dict[str, Any]:
    if isinstance(draft, dict):
        return draft
    own: dict[str, Any]
    if isinstance(draft, Draft):
        own = {"text": draft.text, "confidence": draft.confidence}
    elif isinstance(draft, ReviewDraft):
        own = {
            "scores": dict(draft.scores), "comment": draft.comment, "texts": dict(draft.texts),
        }  # fmt: skip
    elif isinstance(draft, RatingDraft | MarkingDraft | AdjudicationDraft):
        own = {"scores": dict(draft.scores), "comment": draft.comment}
    else:
        raise TypeError(f"not a draft: {type(draft).__name__}")
    return {**own, "revision": draft.revision, "saved_at": _moment(draft.saved_at)}


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _error(status: int, words: str, **more: Any) -> JSONResponse:
    return _json(status, {"error": as_sentence(words), **more})


def _json(status: int, content: Mapping[str, Any]) -> JSONResponse:
    return JSONResponse(content, status, headers={"cache-control": "no-store"})
