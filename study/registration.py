"""Registering a protocol: from then on its words and its vignettes are frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

from sqlalchemy import Pool, bindparam, func, select
from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.calibration import check_practice
from study.canonical import canonical, sha256_hex
from study.errors import NotAllowedError, RealPersonEnrolledError, StudyError
from study.protocol import Protocol, parse_protocol
from study.randomness import public_id
from study.store import Store
from study.tables import PersonRow, RegistrationRow, StudyRow
from study.tables_custody import AmendmentRow
from study.vignette import Vignette

Kind = Literal["study", "tryout"]


@dataclass(frozen=True, slots=True)
class RegisteredStudy:
    """A study with its frozen protocol and vignettes."""

    study_id: str
    kind: Kind
    state: str
    simulated: bool
    protocol: Protocol
    vignettes: Mapping[str, Vignette]


class WrittenVignettes(Mapping[str, Vignette]):
    """The registered vignettes by id, each read when asked for: a page needs one of thirty."""

    def __init__(self, written: Mapping[str, Any]) -> None:
        self._written = written
        self._read: dict[str, Vignette] = {}

    def __getitem__(self, vignette_id: str) -> Vignette:
        if vignette_id not in self._read:
            self._read[vignette_id] = Vignette.from_json(self._written[vignette_id])
        return self._read[vignette_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)


HELD = "studies"
"""Key of a session's memory: the studies it has read."""
IN_FORCE = "protocol in force"
"""Key of a session's memory: digest of the protocol by study. Whoever amends it forgets it."""
Frozen = tuple[Protocol, WrittenVignettes]
_known: WeakKeyDictionary[Pool, dict[tuple[str, str], Frozen]] = WeakKeyDictionary()
"""What was read, by database, study and digest of the protocol; nothing of it ever changes."""


def register(
    store: Store,
    protocol: Protocol,
    vignettes: Mapping[str, Vignette],
    *,
    by: Actor,
    kind: Kind = "study",
    public_key: str | None = None,
    practice: Mapping[str, Any] | None = None,
) -> str:
    """Freeze a protocol and its vignettes, and return the new study's id.

    Args:
        store: The database.
        protocol: A checked protocol.
        vignettes: At least those the protocol lists.
        by: Who registers.
        kind: `tryout` is a study in which one person walks every role; no protocol can ask for
            it, and it is marked simulated for good.
        public_key: Of whoever will sign the bundles, in hexadecimal; it goes into the audit, so
            that a bundle signed by another key shows.
        practice: What raters practise on (`calibration.practice_of`), frozen with the rest; needed
            where the protocol asks for calibration.

    Raises:
        ProtocolError: If a vignette of the protocol, or what raters practise on, is not at hand.
    """
    check_practice(protocol, practice)
    parse_protocol(protocol.as_json(), vignettes_present=set(vignettes))
    chosen = {name: vignettes[name].as_json() for name in protocol.vignettes}
    study_id = public_id(store.source, "study")
    with store.write() as session:
        now = store.clock.now()
        simulated = kind == "tryout" or store.seeded
        session.add(
            StudyRow(
                study_id=study_id,
                kind=kind,
                state="registered",
                simulated=simulated,
                created_at=now,
            )
        )
        session.flush()
        session.add(
            RegistrationRow(
                study_id=study_id,
                protocol=protocol.as_json(),
                protocol_sha256=protocol.sha256,
                vignettes=chosen,
                practice=practice,
                registered_at=now,
            )
        )
        details: dict[str, Any] = {
            "protocol_sha256": protocol.sha256,
            "vignettes_sha256": sha256_hex(canonical(chosen)),
            "kind": kind,
            "simulated": simulated,
            "public_key": public_key,
        }
        if practice is not None:
            details["practice_sha256"] = sha256_hex(canonical(practice))
        record(session, store.clock, study_id, by, "register", study_id, details)
    return study_id


def load_study(session: Session, study_id: str) -> RegisteredStudy:
    """The study as registered, under the latest amendment of its protocol.

    Raises:
        StudyError: If there is none of that id.
    """
    study = study_row(session, study_id)
    protocol, vignettes = _frozen(session, study_id)
    return RegisteredStudy(
        study_id=study_id,
        kind="tryout" if study.kind == "tryout" else "study",
        state=study.state,
        simulated=study.simulated,
        protocol=protocol,
        vignettes=vignettes,
    )


def _frozen(session: Session, study_id: str) -> Frozen:
    """The protocol in force and the vignettes, read once for each digest of a protocol.

    Every page and every save asks for them, and reading the words of a whole study each time would
    cost more than all else. Digests are asked for at each look: another process may have amended.
    """
    in_force = session.info.setdefault(IN_FORCE, {})
    if study_id not in in_force:
        in_force[study_id] = session.scalars(_DIGEST, {"study": study_id}).one()
    sha256 = in_force[study_id]
    known = _known.setdefault(session.get_bind().engine.pool, {})
    if (study_id, sha256) not in known:
        known[study_id, sha256] = _read(session, study_id)
    return known[study_id, sha256]


_AMENDED = (
    select(AmendmentRow.protocol_sha256)
    .where(AmendmentRow.study_id == bindparam("study"))
    .order_by(AmendmentRow.number.desc())
    .limit(1)
    .scalar_subquery()
)
_IN_FORCE = func.coalesce(_AMENDED, RegistrationRow.protocol_sha256).label("in_force")
_STUDY = (
    select(StudyRow, _IN_FORCE)
    .join(RegistrationRow, RegistrationRow.study_id == StudyRow.study_id)
    .where(StudyRow.study_id == bindparam("study"))
)
"""The study and the digest of its protocol in force: asked by every page and save, and made once,
since making it costs more than asking."""
_DIGEST = select(_IN_FORCE).where(RegistrationRow.study_id == bindparam("study"))


def _read(session: Session, study_id: str) -> Frozen:
    registration = session.get_one(RegistrationRow, study_id)
    amended = session.scalars(
        select(AmendmentRow.protocol)
        .where(AmendmentRow.study_id == study_id)
        .order_by(AmendmentRow.number.desc())
        .limit(1)
    ).first()
    protocol = parse_protocol(amended or registration.protocol)
    return protocol, WrittenVignettes(registration.vignettes)


def n_amendments(session: Session, study_id: str) -> int:
    """How often the protocol was amended."""
    query = select(func.count()).where(AmendmentRow.study_id == study_id)
    return session.scalar(query) or 0


def study_row(session: Session, study_id: str) -> StudyRow:
    """The study's row.

    Raises:
        StudyError: If there is none of that id.
    """
    # A session remembers rows weakly: held here, the next question of this look costs nothing.
    held: dict[str, StudyRow] = session.info.setdefault(HELD, {})
    if study_id not in held:
        found = session.execute(_STUDY, {"study": study_id}).first()
        if found is None:
            raise StudyError(f"there is no study {study_id!r} here; `safemed status` lists them")
        held[study_id] = found.StudyRow
        session.info.setdefault(IN_FORCE, {})[study_id] = found.in_force
    return held[study_id]


def study_ids(session: Session) -> tuple[str, ...]:
    """Every study of the database, oldest first."""
    return tuple(session.scalars(select(StudyRow.study_id).order_by(StudyRow.created_at)))


def has_real_person(session: Session, study_id: str) -> bool:
    """Whether anyone who is not scripted takes part as resident or rater."""
    query = select(PersonRow.person_id).where(
        PersonRow.study_id == study_id,
        PersonRow.role.in_(("resident", "rater")),
        PersonRow.scripted.is_(False),
        PersonRow.joined_at.is_not(None),
    )
    return session.scalars(query.limit(1)).first() is not None


def admit_simulation(session: Session, store: Store, study_id: str, *, what: str) -> None:
    """Let a simulated act happen, and mark the study simulated for good.

    Raises:
        RealPersonEnrolledError: If a real person is enrolled.
    """
    study = study_row(session, study_id)
    if has_real_person(session, study_id) and study.kind != "tryout":
        raise RealPersonEnrolledError(
            f"{what} is refused: a real person is enrolled in {study_id}; simulate in a study "
            "of its own"
        )
    if not study.simulated:
        study.simulated = True
        record(
            session,
            store.clock,
            study_id,
            Actor("simulator", "host"),
            "mark simulated",
            study_id,
            {"because": what},
        )


def guard_injected(session: Session, store: Store, study_id: str) -> None:
    """Refuse an injected clock or seeded source once a real person is enrolled.

    Raises:
        RealPersonEnrolledError: If this store injects either and a real person is enrolled.
    """
    if store.seeded:
        admit_simulation(session, store, study_id, what="an injected clock or seeded source")


def require_state(study: StudyRow, wanted: str, *, otherwise: type[StudyError], what: str) -> None:
    """Refuse what the study's state does not allow.

    Raises:
        StudyError: Of the type given, saying what is needed.
    """
    if study.state != wanted:
        raise otherwise(
            f"{what} is possible while the study is in {wanted!r}; it is in {study.state!r}"
        )


def require_role(person_role: str, *wanted: str, what: str) -> None:
    """Refuse what the person's role does not allow.

    Raises:
        NotAllowedError: Naming the role that may, or each that may.
    """
    if person_role not in wanted:
        roles = f"role{'' if len(wanted) == 1 else 's'} {', '.join(wanted)}"
        raise NotAllowedError(f"{what} is for the {roles}; you are signed in as {person_role}")
