"""How well a machine tells the arms apart from the masked texts: for the custodian's eyes only."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from sqlalchemy import select

from study.audit import record
from study.canonical import canonical, sha256_hex
from study.masked import shown_text
from study.people import Person, actor_of
from study.registration import load_study, require_role
from study.store import Store
from study.tables import MaskedResponseRow, PersonRow, ResponseRow

SEED = 1


@dataclass(frozen=True, slots=True)
class Told:
    """What came out, in words, for one pair of arms."""

    words: str
    is_done: bool


@dataclass(slots=True)
class _Work:
    """One computation at a time for each set of texts; it runs beside the requests."""

    found: dict[str, str] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


_work = _Work()


def separability(store: Store, person: Person) -> Told:
    """The area under the curve of a text classifier on the masked texts, with its interval.

    The first call begins the computation; later ones give its result.

    Raises:
        NotAllowedError: If the person is not the custodian: the figure alone tells about arms.
    """
    require_role(person.role, "custodian", what="the separability of the arms")
    with store.read() as session:
        protocol = load_study(session, person.study_id).protocol
        rows = session.execute(
            select(MaskedResponseRow, PersonRow.arm)
            .join(ResponseRow, ResponseRow.response_id == MaskedResponseRow.response_id)
            .join(PersonRow, PersonRow.person_id == ResponseRow.person_id)
            .where(MaskedResponseRow.study_id == person.study_id)
            .order_by(MaskedResponseRow.code)
        ).all()
        texts = [(shown_text(session, masked), masked.vignette_id, arm) for masked, arm in rows]
    if not texts:
        return Told("Nothing is masked yet.", True)
    key = sha256_hex(canonical([person.study_id, [list(t) for t in texts]]))
    first, second = protocol.contrast.first, protocol.contrast.second
    with _work.lock:
        if key in _work.found:
            return Told(_work.found[key], True)
        if key not in _work.running:
            _work.running.add(key)
            pair = [t for t in texts if t[2] in (first, second)]
            threading.Thread(target=_compute, args=(key, pair, first), daemon=True).start()
    return Told("Computing. Reload this page in half a minute.", False)


def note_seen(store: Store, person: Person) -> None:
    """The custodian looked at the figure: an audit event without it."""
    with store.write() as session:
        record(
            session, store.clock, person.study_id, actor_of(person), "see separability",
            person.study_id,
        )  # fmt: skip


def _compute(key: str, texts: list[tuple[str, str, str | None]], first: str) -> None:
    from analysis.errors import UndefinedError
    from analysis.separability import text_separability

    try:
        found = text_separability(
            [text for text, _, _ in texts], first=[arm == first for _, _, arm in texts],
            vignettes=[vignette for _, vignette, _ in texts], seed=SEED,
        )  # fmt: skip
        limits = "" if found.low is None else f" ({found.low:.2f} to {found.high:.2f})"
        words = (
            f"Area under the curve {found.auc:.2f}{limits}, over {found.n_folds} folds of whole "
            "vignettes. 0.5 means that the texts do not tell; 1 that they tell everything."
        )
    except UndefinedError as error:
        words = f"Not computable: {error}."
    except Exception:  # the custodian is told, whatever it was; the log has the rest
        words = "The computation failed; the log of the server says why."
        raise
    finally:
        with _work.lock:
            _work.found[key] = words
            _work.running.discard(key)
