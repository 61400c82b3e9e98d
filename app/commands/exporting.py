"""The verb `export`: the frozen dataset, and every other shape of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.bundle import SigningKey, key_beside
from app.commands.errors import InputError
from app.commands.output import DEFAULT_STORE, AsJson, StoreUrl, StudyId, say

if TYPE_CHECKING:
    from study.exports.frozen import Frozen
    from study.exports.public_readme import Choices
    from study.signing import Signer


class Format(StrEnum):
    """The shapes that an unblinded study can be written in."""

    FROZEN = "frozen"
    PLAIN = "plain"
    REDCAP = "redcap"
    ODM = "odm"
    CODEBOOK = "codebook"
    PUBLIC = "public"


SAID = {
    Format.PLAIN: "responses.csv and ratings.csv, in the columns that `safemed import` reads",
    Format.REDCAP: "REDCap data dictionary and data; README.txt says how they go in",
    Format.ODM: "odm.xml, CDISC ODM 1.3.2 with audit records",
    Format.CODEBOOK: "codebook.html to read, codebook.csv to compute with",
    Format.PUBLIC: "De-identified bundle; read its README.md before you give it to anybody",
}


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(export)


def export(
    out: Annotated[
        Path,
        typer.Option("--out", help="A new directory; only an older frozen dataset is replaced."),
    ],
    study: StudyId = None,
    shape: Annotated[
        Format,
        typer.Option(
            "--format",
            help="frozen: the record, signed, with digests and audit. plain: CSV that `safemed "
            "import` reads. redcap: data dictionary and data. odm: CDISC ODM 1.3.2. codebook: "
            "every column with meaning, codes and counts. public: de-identified.",
        ),
    ] = Format.FROZEN,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A frozen dataset written before; no database is opened."),
    ] = None,
    with_comments: Annotated[
        bool, typer.Option("--with-comments", help="public: keep comments. Read them first.")
    ] = False,
    without_texts: Annotated[
        bool, typer.Option("--without-texts", help="public: leave the responses out as well.")
    ] = False,
    store: StoreUrl = DEFAULT_STORE,
    signing_key: SigningKey = None,
    as_json: AsJson = False,
) -> None:
    """Write an unblinded study: its frozen dataset, or another shape of it.

    The frozen dataset is the record; every other shape is made of it. Without --from it is taken
    from the database, and the audit says in which shape.
    """
    from study.exports.public_readme import Choices

    _check_options(shape, source, study, with_comments or without_texts)
    if shape is Format.FROZEN:
        _frozen(out, study, store, signing_key, as_json)
        return
    choices = Choices(comments=with_comments, texts=not without_texts)
    signer = _signer(shape, source, store, signing_key)
    frozen, pseudonyms = _dataset(shape, source, study, store, out)
    _write(shape, frozen, out, choices, signer, pseudonyms)
    study_id = str(frozen.manifest["study_id"])
    say(
        as_json,
        {"study_id": study_id, "format": shape.value, "export": str(out),
         "public_key": signer.public_key if signer else None},
        [f"{out}: {SAID[shape]}"],
    )  # fmt: skip


def _check_options(shape: Format, source: Path | None, study: str | None, chose: bool) -> None:
    if source is not None and shape is Format.FROZEN:
        raise InputError(f"--from {source} is the frozen dataset; name another --format")
    if source is not None and study is not None:
        raise InputError(f"--from {source} says which study; leave {study} out")
    if chose and shape is not Format.PUBLIC:
        raise InputError("--with-comments and --without-texts are for --format public")


def _frozen(
    out: Path, study: str | None, store: str, signing_key: Path | None, as_json: bool
) -> None:
    from app.commands.study import open_named
    from app.resources import code_version
    from study.audit import OPERATOR
    from study.export import export as export_study
    from study.signing import signer_at

    opened, study_id = open_named(store, study)
    signer = signer_at(signing_key or key_beside(store))
    export_study(opened, study_id, out, by=OPERATOR, code_version=code_version(), signer=signer)
    say(
        as_json,
        {"study_id": study_id, "format": Format.FROZEN.value, "export": str(out),
         "public_key": signer.public_key},
        [f"Frozen dataset: {out}", f"Signed by {signer.public_key}"],
    )  # fmt: skip


def _signer(
    shape: Format, source: Path | None, store: str, signing_key: Path | None
) -> Signer | None:
    """Who signs a public bundle: the study's key; of one made from a directory, the key named."""
    from study.signing import signer_at

    if shape is not Format.PUBLIC or (source is not None and signing_key is None):
        return None
    return signer_at(signing_key or key_beside(store))


def _dataset(
    shape: Format, source: Path | None, study: str | None, store: str, out: Path
) -> tuple[Frozen, frozenset[str]]:
    """The frozen dataset that the shape is made of, and pseudonyms, which only a database has."""
    from app.commands.study import open_named
    from app.resources import code_version
    from study.audit import OPERATOR
    from study.export import export as export_study
    from study.exports.frozen import read_frozen
    from study.exports.places import require_fresh
    from study.people import pseudonyms_of

    require_fresh(out)
    if source is not None:
        return read_frozen(source, public_too=shape is Format.CODEBOOK), frozenset()
    opened, study_id = open_named(store, study)
    with TemporaryDirectory(prefix="safemed-") as beside:
        bundle = Path(beside) / "frozen"
        export_study(
            opened, study_id, bundle, by=OPERATOR, code_version=code_version(), what=shape.value
        )
        with opened.read() as session:
            return read_frozen(bundle), pseudonyms_of(session, study_id)


def _write(
    shape: Format, frozen: Frozen, out: Path, choices: Choices, signer: Signer | None,
    pseudonyms: frozenset[str],
) -> None:  # fmt: skip
    from app.resources import code_version
    from study.exports.codebook import write_codebook
    from study.exports.odm import write_odm
    from study.exports.plain import write_plain
    from study.exports.public import write_public
    from study.exports.redcap import write_redcap

    if shape is Format.PUBLIC:
        write_public(
            frozen, out, choices=choices, code_version=code_version(), signer=signer,
            pseudonyms=pseudonyms,
        )  # fmt: skip
        return
    write = {
        Format.PLAIN: write_plain, Format.REDCAP: write_redcap, Format.ODM: write_odm,
        Format.CODEBOOK: write_codebook,
    }[shape]  # fmt: skip
    write(frozen, out)
