"""Verbs of a study's life: validate, register, open, tasks, take-in, close, mask, and so on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.bundle import SigningKey, key_beside
from app.commands.output import (
    DEFAULT_BASE_URL,
    DEFAULT_STORE,
    AsJson,
    BaseUrl,
    StoreUrl,
    StudyId,
    entry_link,
    say,
)

if TYPE_CHECKING:
    from model.facts.library import Library
    from study.lifecycle import StepResult, Verb
    from study.store import Store

ProtocolPath = Annotated[Path, typer.Argument(help="Protocol file (YAML).")]
OptionalProtocolPath = Annotated[
    Path | None, typer.Argument(help="Protocol file (YAML); without it, vignettes alone.")
]
FactsPath = Annotated[
    Path | None,
    typer.Option("--facts", help="Directory of drug facts; the shipped ones by default."),
]
VignettesPath = Annotated[
    Path | None,
    typer.Option("--vignettes", help="Directory of vignettes; the shipped ones by default."),
]
CalibrationPath = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        help="What raters practise on, where the protocol asks; the shipped one by default.",
    ),
]
RECEIPTED = ("lock", "unblind")
"""Steps after which the head of the audit is given out, as after registration."""
Reason = Annotated[str, typer.Option("--reason", help="Written into the audit.")]
AskSecondPerson = Annotated[
    bool,
    typer.Option(
        "--ask-second-person",
        help="Ask here for the return code of the second person, who consents by it.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command, in the order of a study's life."""
    app.command()(validate)
    app.command()(register)
    app.command("open")(open_)
    app.command()(tasks)
    app.command("take-in")(take_in)
    for verb in (close, mask, allocate, lock, unblind):
        app.command()(verb)
    app.command()(status)


def validate(
    protocol: OptionalProtocolPath = None,
    vignettes: VignettesPath = None,
    facts: FactsPath = None,
    as_json: AsJson = False,
) -> None:
    """Check a protocol with its vignettes, or a directory of vignettes; name every fault at once.

    Doses are checked against the drug facts, which are checked as well.
    """
    from app.vignettes import checked_study, checked_vignettes

    if protocol is None:
        at_hand, library = checked_vignettes(vignettes, facts)
        summary = {"vignettes": list(at_hand), "n_facts": len(list(library.facts()))}
        say(as_json, summary, [f"{len(at_hand)} vignettes. No fault found.", _in_words(library)])
        return
    loaded, _, library = checked_study(protocol, vignettes, facts)
    say(
        as_json,
        {"protocol": loaded.protocol_id, "sha256": loaded.sha256, "vignettes": loaded.vignettes},
        [
            f"{loaded.title}: {len(loaded.vignettes)} vignettes, "
            f"{len(loaded.arms)} arms, {len(loaded.rating.dimensions)} dimensions. No fault found.",
            _in_words(library),
            f"Digest {loaded.sha256}",
        ],
    )


def _in_words(library: Library) -> str:
    n_facts = len(list(library.facts()))
    return f"Checked against {n_facts} facts about {len(library.drugs)} drugs."


def register(
    protocol: ProtocolPath,
    vignettes: VignettesPath = None,
    facts: FactsPath = None,
    calibration: CalibrationPath = None,
    store: StoreUrl = DEFAULT_STORE,
    base_url: BaseUrl = DEFAULT_BASE_URL,
    signing_key: SigningKey = None,
    amends: Annotated[
        str | None,
        typer.Option("--amends", help="Id of a study whose protocol this replaces, with --reason."),
    ] = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Freeze a protocol that `validate` passes, and make the investigator's link.

    With --amends it becomes the next version of a registered study's protocol instead: numbered,
    with a reason, and refused where what changed has begun to act.
    """
    if amends is not None:
        _amend(protocol, vignettes, facts, store, amends, reason, as_json)
        return
    from app.vignettes import checked_study, practice_for
    from study.audit import OPERATOR
    from study.invitations import invite
    from study.registration import register as register_study
    from study.signing import signer_at
    from study.store import create_store

    loaded, at_hand, _ = checked_study(protocol, vignettes, facts)
    practice = practice_for(loaded, calibration)
    opened, signer = create_store(store), signer_at(signing_key or key_beside(store))
    study_id = register_study(
        opened, loaded, at_hand, by=OPERATOR, public_key=signer.public_key, practice=practice
    )
    receipt = _receipt(opened, study_id)
    link = entry_link(base_url, invite(opened, study_id, "investigator", by=OPERATOR))
    say(
        as_json,
        {
            "study_id": study_id,
            "protocol_sha256": loaded.sha256,
            "investigator": link,
            "public_key": signer.public_key,
            "receipt": receipt,
        },
        [
            f"Registered {study_id}: {loaded.title}",
            f"Protocol digest {loaded.sha256}",
            f"Investigator's link, good once: {link}",
            f"Keep elsewhere, for the registry and the second person: receipt {receipt}, "
            f"signer's public key {signer.public_key}",
        ],
    )


def _amend(
    protocol: Path, vignettes: Path | None, facts: Path | None, url: str, study: str, reason: str,
    as_json: bool,
) -> None:  # fmt: skip
    from app.vignettes import checked_study
    from study.amendments import amend
    from study.audit import OPERATOR

    loaded, _, _ = checked_study(protocol, vignettes, facts)
    opened, study_id = open_named(url, study)
    number = amend(opened, study_id, loaded, by=OPERATOR, reason=reason)
    receipt = _receipt(opened, study_id)
    said = {"study_id": study_id, "amendment": number, "protocol_sha256": loaded.sha256}
    say(as_json, {**said, "receipt": receipt}, [
        f"Amendment {number} of {study_id}: version {loaded.version}, digest {loaded.sha256}",
        f"Keep elsewhere, for the registry and the second person: receipt {receipt}",
    ])  # fmt: skip


def open_(
    study: StudyId = None,
    store: StoreUrl = DEFAULT_STORE,
    base_url: BaseUrl = DEFAULT_BASE_URL,
    as_json: AsJson = False,
) -> None:
    """Open answering or, after masking and allocation, rating."""
    _step(store, study, "open", base_url=base_url, as_json=as_json)


def close(
    study: StudyId = None,
    reason: Reason = "",
    store: StoreUrl = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Close answering; with a reason also while answers are outstanding."""
    _step(store, study, "close", reason=reason, as_json=as_json)


def mask(
    study: StudyId = None,
    store: StoreUrl = DEFAULT_STORE,
    base_url: BaseUrl = DEFAULT_BASE_URL,
    as_json: AsJson = False,
) -> None:
    """Mask the responses and make the raters' links."""
    _step(store, study, "mask", base_url=base_url, as_json=as_json)


def allocate(
    study: StudyId = None,
    reason: Reason = "",
    store: StoreUrl = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Allocate the masked responses to the raters who have joined, and say how evenly."""
    from study.balance import arm_free_balance

    _step(store, study, "allocate", reason=reason, as_json=as_json)
    if not as_json:
        opened, study_id = open_named(store, study)
        with opened.read() as session:
            for line in arm_free_balance(session, study_id).in_words():
                typer.echo(line)


def lock(
    study: StudyId = None,
    reason: Reason = "",
    ask_second_person: AskSecondPerson = False,
    store: StoreUrl = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Lock the data; with a reason also while ratings are outstanding."""
    if ask_second_person:
        _consent_here(store, study, "lock", reason)
    _step(store, study, "lock", reason=reason, as_json=as_json)


def unblind(
    reason: Annotated[str, typer.Option("--reason", help="Why; printed on every later table.")],
    study: StudyId = None,
    ask_second_person: AskSecondPerson = False,
    store: StoreUrl = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Join blinding codes to arms, once, and reveal the sealed seeds."""
    if ask_second_person:
        _consent_here(store, study, "unblind", reason)
    _step(store, study, "unblind", reason=reason, as_json=as_json)


def tasks(
    out: Annotated[Path, typer.Option("--out", help="A new directory.")],
    arm: Annotated[str, typer.Option("--arm", help="Id of the model arm.")] = "model",
    study: StudyId = None,
    store: StoreUrl = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Write the tasks that a model reads, and nothing else."""
    from study.audit import OPERATOR
    from study.tasks import write_tasks

    opened, study_id = open_named(store, study)
    write_tasks(opened, study_id, arm, out, by=OPERATOR)
    say(as_json, {"study_id": study_id, "tasks": str(out)}, [f"Tasks written to {out}"])


def take_in(
    directory: Annotated[Path, typer.Argument(help="Directory that `model respond` wrote.")],
    study: StudyId = None,
    store: StoreUrl = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Take a model's responses in, all or none."""
    from study.audit import OPERATOR
    from study.take_in import take_in as take_responses_in

    opened, study_id = open_named(store, study)
    count = take_responses_in(opened, study_id, directory, by=OPERATOR)
    say(as_json, {"study_id": study_id, "n_taken_in": count}, [f"Took in {count} responses."])


def status(store: StoreUrl = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Show every study of the database and how far it is, without arms."""
    from study.overview import study_cards, study_progress
    from study.store import open_store

    opened = open_store(store)
    rows = []
    for card in study_cards(opened):
        with opened.read() as session:
            now = study_progress(session, card.study_id, opened)
        rows.append(
            {
                "study_id": card.study_id,
                "title": card.title,
                "state": card.state,
                "simulated": card.simulated,
                "n_answers": now.n_answers,
                "n_answers_due": now.n_answers_due,
                "n_ratings": now.n_ratings,
                "n_ratings_due": now.n_ratings_due,
                "next": now.next_step.verb if now.next_step else None,
            }
        )
    lines = [
        f"{r['study_id']}  {r['state']}{'  simulated' if r['simulated'] else ''}\n  {r['title']}\n"
        f"  answers {r['n_answers']} of {r['n_answers_due']}, "
        f"ratings {r['n_ratings']} of {r['n_ratings_due']}, next: {r['next'] or 'nothing'}"
        for r in rows
    ]
    say(as_json, {"studies": rows}, lines or ["No study yet; `safemed register` makes one."])


def open_named(url: str, study: str | None) -> tuple[Store, str]:
    """The database, and the study named or the only one there is."""
    from study.errors import StudyError
    from study.overview import study_cards
    from study.store import open_store

    opened = open_store(url)
    ids = [card.study_id for card in study_cards(opened)]
    if study is None and len(ids) != 1:
        raise StudyError(
            f"the database holds {len(ids)} studies; name one: {', '.join(ids) or 'none yet'}"
        )
    return opened, study or ids[0]


def _step(
    url: str,
    study: str | None,
    verb: Verb,
    *,
    as_json: bool,
    reason: str = "",
    base_url: str = DEFAULT_BASE_URL,
) -> None:
    from study.audit import OPERATOR
    from study.lifecycle import take_step

    opened, study_id = open_named(url, study)
    result = take_step(opened, study_id, verb, by=OPERATOR, reason=reason, force=bool(reason))
    receipt = _receipt(opened, study_id) if verb in RECEIPTED else None
    _say_step(study_id, result, base_url, as_json, receipt)


def _consent_here(url: str, study: str | None, verb: str, reason: str) -> None:
    """The second person, at this terminal, proves who they are by their return code."""
    from study.approvals import approve
    from study.errors import SignInError
    from study.sign_in import sign_in, sign_out

    opened, study_id = open_named(url, study)
    code = typer.prompt(
        f"Return code of the second person, who consents to {verb}", hide_input=True
    )
    entry = sign_in(opened, code)
    sign_out(opened, entry.session_token)
    if entry.person.study_id != study_id:
        raise SignInError(f"that return code belongs to another study than {study_id}")
    approve(opened, entry.person, verb, reason=reason or "consented at the command line")


def _receipt(store: Store, study_id: str) -> str:
    from study.audit import receipt

    with store.read() as session:
        return receipt(session, study_id)


def _say_step(
    study_id: str, result: StepResult, base_url: str, as_json: bool, receipt: str | None
) -> None:
    links = [
        {"role": i.role, "stratum": i.stratum, "link": entry_link(base_url, i.token)}
        for i in result.invitations
    ]
    lines = [f"{study_id} is now: {result.state}"]
    lines += [f"{link['role']} {link['stratum'] or ''} {link['link']}" for link in links]
    said: dict[str, object] = {"study_id": study_id, "state": result.state, "invitations": links}
    if receipt is not None:
        lines.append(f"Keep elsewhere, to verify the bundle with: receipt {receipt}")
        said["receipt"] = receipt
    say(as_json, said, lines)
