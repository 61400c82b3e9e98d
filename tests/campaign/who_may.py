"""Who may: written once, by hand, from the design's table of roles."""

from __future__ import annotations

from collections.abc import Mapping

from tests.campaign.everybody import NOBODY, ROLES

EVERYBODY = (*ROLES, NOBODY)
Row = Mapping[str, int]
"""Role to the status it is answered with."""


def all_get(status: int) -> Row:
    """Everybody is answered alike."""
    return dict.fromkeys(EVERYBODY, status)


def signed_in_get(status: int, *, nobody: int) -> Row:
    """Whoever is signed in is answered alike."""
    return {**all_get(status), NOBODY: nobody}


def only(*roles: str, status: int = 200, others: int, nobody: int) -> Row:
    """Some roles may."""
    return {**signed_in_get(others, nobody=nobody), **dict.fromkeys(roles, status)}


MAY: dict[tuple[str, str], Row] = {
    ("GET", "/enter"): all_get(410),
    ("POST", "/enter"): all_get(410),
    ("GET", "/return"): all_get(200),
    ("POST", "/return"): all_get(401),
    ("POST", "/institution/unlink"): signed_in_get(303, nobody=303),
    ("GET", "/pause"): signed_in_get(200, nobody=303),
    ("GET", "/account"): signed_in_get(200, nobody=303),
    ("POST", "/account/end"): signed_in_get(303, nobody=303),
    ("POST", "/switch"): signed_in_get(403, nobody=401),
    ("POST", "/api/draft"): only("resident", others=403, nobody=401),
    ("POST", "/api/conduct"): only("resident", status=403, others=403, nobody=401),
    ("POST", "/api/rating-draft"): only("rater", others=403, nobody=401),
    ("POST", "/api/marking-draft"): only("rater", others=403, nobody=401),
    ("POST", "/api/adjudication-draft"): only("adjudicator", others=403, nobody=401),
    ("POST", "/api/review-draft"): only("auditor", others=403, nobody=401),
    ("GET", "/files/{study}/{name}"): only("investigator", others=404, nobody=404),
    ("GET", "/style/pages.css"): all_get(200),
    ("GET", "/script/form.js"): all_get(200),
    ("GET", "/health"): all_get(200),
    # Last, since they end the session: who answers or rates may leave the study.
    ("POST", "/account/leave"): only("resident", "rater", others=409, nobody=303),
    ("POST", "/sign-out"): all_get(303),
}
"""The invitation and the return code tried here are made up; conduct is not declared here."""
STAGE = {
    "/api/draft": "answering", "/api/conduct": "answering", "/api/rating-draft": "rating",
    "/api/marking-draft": "second_pass", "/api/adjudication-draft": "second_pass",
    "/files/{study}/{name}": "unblinded",
}  # fmt: skip
"""The study in which a route is open; the others are tried in the first."""
WATCH = ("investigator", "coordinator", "statistician")
STAGES = ("answering", "rating", "second_pass", "unblinded")
SECOND = ("investigator", "statistician", "custodian", "inspector")
SCREENS: dict[str, dict[str, tuple[str, ...]]] = {
    "Vignette 1 of": {"answering": ("resident",)},
    "Response 1 of": {"rating": ("rater",), "second_pass": ("adjudicator",)},
    "Second pass: response": {"second_pass": ("rater",)},
    "Reasoning, step by step": {"answering": ("auditor",)},
    "No row is waiting": dict.fromkeys(STAGES[1:], ("auditor",)),
    "What they gave is not shown": {"second_pass": ("adjudicator",)},
    "What needs you": dict.fromkeys(STAGES, WATCH),
    "Agreement so far": dict.fromkeys(STAGES[1:], WATCH),
    "Next step": dict.fromkeys(STAGES, ("investigator",)),
    "<h2>Invitations</h2>": dict.fromkeys(STAGES, ("investigator", "coordinator")),
    "Send the query": dict.fromkeys(STAGES, ("investigator", "coordinator")),
    "<h2>Accounts</h2>": dict.fromkeys(STAGES, ("investigator", "coordinator")),
    "Log it for good": dict.fromkeys(STAGES, WATCH),
    "I consent to lock": {"rating": SECOND, "second_pass": SECOND},
    "Emergency code-break": {"rating": SECOND, "second_pass": SECOND},
    "Break this code": dict.fromkeys(("rating", "second_pass"), ("investigator", "custodian")),
    "Erase personal data for good": dict.fromkeys(STAGES, ("investigator", "coordinator")),
    "Can the arms be told apart": dict.fromkeys(STAGES, ("custodian",)),
    "Newest events": dict.fromkeys(STAGES, ("inspector",)),
    "Download the dataset": {"unblinded": ("investigator",)},
}
"""Words that a screen alone has, to the stages and the roles that see it."""
OTHERS_PAGES = ("console", "rate", "custodian")
OPEN_DOORS = (
    "/", "/no/such/page", "/console", "/robots.txt", "/_stcore/health", "/_stcore/host-config",
    "/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent/openapi.json",
    "/_stcore/allowed-message-origins", "/_stcore/upload_file/x/y", "/media/none.csv",
    "/component/none/x.js", "/_stcore/bidi-components/none/x.js", "/auth/login", "/auth/logout",
    "/oauth2callback", "/docs", "/openapi.json", "/study.db", "/static/../study.db",
)  # fmt: skip
"""What Streamlit and others serve beside our routes, or would."""
