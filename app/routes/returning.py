"""Coming back with a return code, on any device."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app import services
from app.routes.guards import FOREIGN, browser_of, is_same_origin, mark_browser, remember
from app.routes.pages import as_sentence, page, refusal
from study.errors import SignInError, StorageError
from study.sign_in import sign_in


async def show(_request: Request) -> Response:
    """The form that asks for the return code."""
    return page("return", problem="")


async def sign_in_again(request: Request) -> Response:
    """Sign the browser in, or say why not."""
    if not is_same_origin(request):
        return refusal("Not done", FOREIGN, status=403)
    form = await request.form()
    code = str(form.get("code", ""))
    try:
        browser = browser_of(request)
        entry = await run_in_threadpool(sign_in, services.store(), code, browser)
    except SignInError as error:
        return page("return", status=401, problem=as_sentence(str(error)))
    except StorageError as error:
        return page("return", status=503, problem=as_sentence(str(error)))
    response = RedirectResponse("/", 303, headers={"cache-control": "no-store"})
    remember(response, request, entry.session_token)
    mark_browser(response, request, browser)
    return response
