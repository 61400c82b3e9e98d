"""A person's own account: signed-in browsers, and leaving the study."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import services
from app.identity import COOKIE
from app.routes.guards import FOREIGN, forget, is_same_origin, person_of
from app.routes.pages import page, refusal
from study.consent import CONSENTING, DEFAULT, DISPOSITIONS, withdraw
from study.errors import StudyError
from study.institution_accounts import linked_since
from study.people import Person
from study.registration import load_study
from study.sessions import end_sessions, sessions_of


async def show(request: Request) -> Response:
    """Where one is signed in, and what leaving would mean."""
    person = await person_of(request)
    if person is None:
        return RedirectResponse("/return", 303)
    token = request.cookies.get(COOKIE, "")
    sessions = await run_in_threadpool(sessions_of, services.store(), person, token)
    return page(
        "account",
        sessions=[
            {"handle": s.handle, "device": s.device, "since": f"{s.started_at:%d %B, %H:%M} UTC",
             "here": s.is_this}
            for s in sessions
        ],
        linked=await run_in_threadpool(_linked, person),
        withdrawal=await run_in_threadpool(_withdrawal, person),
    )  # fmt: skip


async def end(request: Request) -> Response:
    """End another browser's session, or all others."""
    if not is_same_origin(request):
        return refusal("Not done", FOREIGN, status=403)
    person = await person_of(request)
    if person is None:
        return RedirectResponse("/return", 303)
    form = await request.form()
    handle = str(form.get("handle", ""))
    token = request.cookies.get(COOKIE, "")
    await run_in_threadpool(end_sessions, services.store(), person, token, handle)
    return RedirectResponse("/account", 303, headers={"cache-control": "no-store"})


async def leave_study(request: Request) -> Response:
    """Withdraw, for good; asked once by a box that has to be ticked."""
    if not is_same_origin(request):
        return refusal("Not done", FOREIGN, status=403)
    person = await person_of(request)
    if person is None:
        return RedirectResponse("/return", 303)
    form = await request.form()
    if form.get("sure") != "yes":
        return refusal(
            "Not done", "tick the box that says you want to leave, then press the button again",
            status=400, go_on=True,
        )  # fmt: skip
    try:
        words = await run_in_threadpool(
            withdraw, services.store(), person, str(form.get("reason", ""))[:1_000]
        )
    except StudyError as error:
        return refusal("Not done", str(error), status=409, go_on=True)
    response = page("left", words=words)
    forget(response)
    return response


def _linked(person: Person) -> str:
    """Since when an institution's account signs the person in; empty if none does."""
    since = linked_since(services.store(), person)
    return f"{since:%d %B %Y}" if since else ""


def _withdrawal(person: Person) -> str:
    """What leaving would mean; empty for a role that does not answer or rate."""
    if person.role not in CONSENTING:
        return ""
    with services.store().read() as session:
        consent = load_study(session, person.study_id).protocol.consent
    return DISPOSITIONS[consent.withdrawal if consent else DEFAULT]
