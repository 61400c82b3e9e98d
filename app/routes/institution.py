"""Coming back by an institution's account, linking one and letting it go."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app import services
from app.configuration import installation_secret
from app.faults import log_fault
from app.identity import COOKIE
from app.oidc import CALLBACK, FLOW_S, NotConfirmedError, ProviderDownError
from app.routes.guards import (
    FOREIGN,
    browser_of,
    is_same_origin,
    mark_browser,
    person_of,
    remember,
)
from app.routes.pages import page, refusal
from study.canonical import sha256_hex
from study.errors import InstitutionAccountError, SignInError
from study.institution_accounts import (
    NOT_LINKED,
    InstitutionAccount,
    link_account,
    sign_in_with,
    studies_of,
    unlink_account,
)
from study.sign_in import secret_sha256

FLOW_COOKIE = "safemed_institution"
PATH = "/institution"
"""Of the pages, and of the cookie, which goes nowhere else."""
NEW_HERE = "If you are new here, open the invitation link that the study team sent you first."
CODE_WORKS = "Your return code works all the same."


def routes() -> list[Route]:
    """Signing in and linking where an institution is configured; unlinking everywhere."""
    provider = services.current().provider
    letting_go = Route(f"{PATH}/unlink", unlink, methods=["POST"])
    if provider is None:
        return [letting_go]
    secret = installation_secret(services.current().store_url)
    marked = [
        Middleware(
            SessionMiddleware,
            secret_key=sha256_hex(f"institution {secret}".encode()),
            session_cookie=FLOW_COOKIE,
            max_age=int(FLOW_S),
            path=PATH,
            same_site="lax",
            https_only=(provider.institution.base_url or "").startswith("https:"),
        )
    ]
    return [
        Route(PATH, begin, methods=["GET"], middleware=marked),
        Route(CALLBACK, come_back, methods=["GET"], middleware=marked),
        Route(f"{PATH}/choose", choose, methods=["POST"], middleware=marked),
        Route(f"{PATH}/link", link, methods=["POST"], middleware=marked),
        letting_go,
    ]


async def begin(request: Request) -> Response:
    """Send the browser to the provider, to sign in."""
    try:
        return _to(await services.provider().begin(request))
    except ProviderDownError as error:
        return await _down(request, error)


async def link(request: Request) -> Response:
    """Say what is about to happen, and lead to the provider.

    A page and no redirect: our policy lets no form of ours end on another site.
    """
    if not is_same_origin(request):
        return refusal("Not done", FOREIGN, status=403)
    if await person_of(request) is None:
        return _to("/return")
    try:
        here = secret_sha256(request.cookies.get(COOKIE, ""))
        there = await services.provider().begin(request, linking=here)
    except ProviderDownError as error:
        return await _down(request, error)
    return page("institution", there=there)


async def unlink(request: Request) -> Response:
    """From now on the return code alone signs the person in."""
    if not is_same_origin(request):
        return refusal("Not done", FOREIGN, status=403)
    person = await person_of(request)
    if person is None:
        return _to("/return")
    await run_in_threadpool(unlink_account, services.store(), person)
    return _to("/account")


async def come_back(request: Request) -> Response:
    """The provider has sent the browser back: sign in or link whom it names."""
    try:
        account, linking = await services.provider().finish(request)
    except ProviderDownError as error:
        return await _down(request, error)
    except NotConfirmedError as error:
        log_fault("an institution's sign-in", error.__cause__ or error)
        return refusal(
            "Not signed in",
            f"{services.institution()} has not confirmed who you are",
            status=400,
            remedy=f"Begin again: an answer from there is good once and for ten minutes. "
            f"{CODE_WORKS}",
            go_on=await person_of(request) is not None,
        )
    return await (_link(request, account, linking) if linking else _sign_in(request, account))


async def choose(request: Request) -> Response:
    """Go into one of several studies with the account just confirmed."""
    if not is_same_origin(request):
        return refusal("Not done", FOREIGN, status=403)
    form = await request.form()
    account = await services.provider().take(request)
    if account is None:
        return _to(PATH)
    return await _enter(request, account, str(form.get("study", "")))


async def _link(request: Request, account: InstitutionAccount, linking: str) -> Response:
    person = await person_of(request)
    if person is None or secret_sha256(request.cookies.get(COOKIE, "")) != linking:
        return refusal(
            "Not linked",
            "the sign-in changed in this browser while you were away",
            status=409,
            remedy="Sign in again and begin linking anew, under “Where you are signed in”.",
            go_on=person is not None,
        )
    try:
        await run_in_threadpool(link_account, services.store(), person, account)
    except InstitutionAccountError as error:
        return refusal("Not linked", str(error), status=409, go_on=True)
    return _to("/account")


async def _sign_in(request: Request, account: InstitutionAccount) -> Response:
    studies = await run_in_threadpool(studies_of, services.store(), account)
    if len(studies) > 1:
        await services.provider().keep(request, account)
        return page("choose", studies=studies)
    return await _enter(request, account, studies[0].study_id if studies else "")


async def _enter(request: Request, account: InstitutionAccount, study_id: str) -> Response:
    browser = browser_of(request)
    try:
        entry = await run_in_threadpool(sign_in_with, services.store(), account, study_id, browser)
    except SignInError:
        return refusal(
            "Not linked yet", NOT_LINKED, status=403, remedy=NEW_HERE,
            go_on=await person_of(request) is not None,
        )  # fmt: skip
    response = _to("/")
    remember(response, request, entry.session_token)
    mark_browser(response, request, browser)
    return response


async def _down(request: Request, error: ProviderDownError) -> Response:
    log_fault("an institution's sign-in", error.__cause__ or error)
    return refusal(
        "Out of order for the moment",
        f"the sign-in of {services.institution()} does not answer",
        status=503,
        remedy=f"Try again in a few minutes. {CODE_WORKS}",
        go_on=await person_of(request) is not None,
    )


def _to(where: str) -> RedirectResponse:
    return RedirectResponse(where, 303, headers={"cache-control": "no-store"})
