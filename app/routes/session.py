"""Pausing, signing out, and going on in another role of a tryout."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import services
from app.identity import COOKIE
from app.routes.guards import FOREIGN, forget, is_same_origin, person_of, remember
from app.routes.pages import page, refusal
from study.errors import NotAllowedError, SignInError, StorageError
from study.people import Role
from study.sign_in import WALKED, sign_out, switch_role

ROLES: dict[str, Role] = {role: role for role in WALKED}


async def pause(request: Request) -> Response:
    """Say that everything is kept, and offer to go on or to sign out."""
    if await person_of(request) is None:
        return RedirectResponse("/", 303)
    return page("pause")


async def leave(request: Request) -> Response:
    """End this browser's session."""
    if not is_same_origin(request):
        return refusal("Not done", FOREIGN, status=403)
    token = request.cookies.get(COOKIE, "")
    try:
        await run_in_threadpool(sign_out, services.store(), token)
    except StorageError as error:
        return refusal("Not signed out yet", str(error), status=503, go_on=True)
    response = RedirectResponse("/", 303, headers={"cache-control": "no-store"})
    forget(response)
    return response


async def switch(request: Request) -> Response:
    """In a tryout, go on in another role."""
    if not is_same_origin(request):
        return refusal("Not done", FOREIGN, status=403)
    form = await request.form()
    role = ROLES.get(str(form.get("walk_as", "")))
    if role is None:
        return refusal("Not done", "that is not a role you can go on in", status=400, go_on=True)
    token = request.cookies.get(COOKIE, "")
    try:
        entry = await run_in_threadpool(switch_role, services.store(), token, role)
    except SignInError as error:
        return refusal("Not signed in", str(error), status=401)
    except NotAllowedError as error:
        return refusal("Not in this study", str(error), status=403, go_on=True)
    except StorageError as error:
        return refusal("Out of order for the moment", str(error), status=503, go_on=True)
    response = RedirectResponse("/", 303, headers={"cache-control": "no-store"})
    remember(response, request, entry.session_token)
    return response
