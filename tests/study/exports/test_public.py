from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from analysis.dataset import open_export
from study.answering import AnsweringService
from study.audit import OPERATOR
from study.consent import sign, withdraw
from study.deviations import report_deviation
from study.errors import BundleError, StudyError
from study.export import export
from study.exports.codebook import write_codebook
from study.exports.frozen import Frozen, read_frozen
from study.exports.meanings import DIMENSION, MEANINGS
from study.exports.public import write_public
from study.exports.public_columns import EMPTIED, TREATMENTS, Treatment
from study.exports.public_readme import Choices
from study.invitations import accept_invitation, invite
from study.lifecycle import take_step
from study.people import Person, pseudonyms_of
from study.rating import RatingService
from study.signing import signer_at
from study.store import Store
from study.tables import PersonRow
from study.verify import verify
from tests.analysis.frozen import panel
from tests.studies import DIMENSIONS, answer_as_model, join, lock_and_unblind, to_answering

NOT_PUBLISHED = (
    "amendments", "deviations", "approvals", "consents", "withdrawals", "attestations", "conduct",
    "rating_notes",
)  # fmt: skip
CONSENT = {
    "version": "1", "respondents": "You answer.", "raters": "You rate.",
    "withdrawal": "leave analysis",
}  # fmt: skip
SURNAME = "Quarterstone"


def finished(store: Store, work: Path, *, leaves: bool = False) -> str:
    """Five residents, three of PGY1 and two of PGY2, two raters; a code stands in a comment."""
    arms = [
        {"id": "residents", "kind": "clinicians", "label": "Residents", "n_respondents": 5,
         "strata": ["PGY1", "PGY2"]},
        {"id": "model", "kind": "model", "label": "Nano", "n_respondents": 1},
    ]  # fmt: skip
    study_id = to_answering(store, n_vignettes=2, more={"arms": arms, "consent": CONSENT})
    residents = [_resident(store, study_id, f"PGY{1 + n % 2}") for n in range(5)]
    for number, resident in enumerate(residents):
        _answer(store, resident, f"Dear colleague, resident {number} would wait.")
    answer_as_model(store, study_id, work)
    if leaves:
        withdraw(store, residents[0])
    take_step(store, study_id, "close", by=OPERATOR, reason="the end", force=True)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    raters = [join(store, study_id, "rater") for _ in range(2)]
    for rater in raters:
        sign(store, rater, f"{rater.pseudonym} {SURNAME}")
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR, reason="ruled on outside", force=True)
    for rater in raters:
        _rate(store, rater)
    coordinator = join(store, study_id, "coordinator")
    report_deviation(store, coordinator, "late", "began a day late", subject=raters[0].pseudonym)
    report_deviation(store, coordinator, "unclear", "reworded by hand", subject="V01")
    lock_and_unblind(store, study_id, reason=f"the end of {raters[0].person_id}'s work")
    return study_id


def _resident(store: Store, study_id: str, stratum: str) -> Person:
    token = invite(store, study_id, "resident", by=OPERATOR, arm="residents", stratum=stratum)
    person = accept_invitation(store, token).person
    sign(store, person, f"{person.pseudonym} {SURNAME}")
    return person


def _answer(store: Store, resident: Person, text: str) -> None:
    service = AnsweringService(store)
    while (task := service.next_task(resident)) is not None:
        service.submit(resident, task.item, f"{text} Case {task.text.split()[2]}", 3)


def _rate(store: Store, rater: Person) -> None:
    service, place = RatingService(store), 0
    while (task := service.next_task(rater)) is not None:
        scores = {name: 1 + (place + i) % 5 for i, name in enumerate(DIMENSIONS)}
        code = task.response.code
        comment = f"{code} is odd,\nsays {rater.pseudonym} of V01" if place == 1 else ""
        service.record(rater, code, scores, comment)
        place += 1


@pytest.fixture
def frozen(sqlite_store: Store, tmp_path: Path) -> Frozen:
    study_id = finished(sqlite_store, tmp_path / "work")
    export(sqlite_store, study_id, tmp_path / "frozen", by=OPERATOR, code_version="test")
    return read_frozen(tmp_path / "frozen")


def made(frozen: Frozen, out: Path, **choices: bool) -> Frozen:
    write_public(frozen, out, choices=Choices(**choices), code_version="test")
    return read_frozen(out, public_too=True)


def everything_written(directory: Path, bundle: Frozen) -> Iterator[str]:
    """All text of the bundle's files, and every cell of its Parquet files."""
    for path in directory.iterdir():
        if path.suffix != ".parquet":
            yield path.read_text(encoding="utf-8")
    for table in bundle.tables.values():
        yield from (str(cell) for row in table.rows for cell in row)


def old_names(frozen: Frozen, store: Store) -> set[str]:
    """Ids, codes and pseudonyms of the source: of people, responses, ratings, whoever acted."""
    columns = {
        "respondent_id", "rater_id", "response_id", "rating_id", "blinding_code", "actor",
        "person_id", "deviation_id", "approved_by", "reported_by",
    }  # fmt: skip
    found = {
        str(row[column])
        for name in frozen.tables
        for row in frozen.rows(name)
        for column in columns & row.keys()
        if row[column] not in (None, "operator", "system")
    }
    with store.read() as session:
        found |= set(session.scalars(select(PersonRow.person_id)))
    return found


@pytest.mark.parametrize("comments", [False, True])
def test_no_pseudonym_of_the_source_bundle_appears_anywhere_in_the_public_one(
    frozen: Frozen, sqlite_store: Store, tmp_path: Path, comments: bool
) -> None:
    """Raters re-identifiable from initials and department in the published file (Medieval)."""
    with sqlite_store.read() as session:
        pseudonyms = pseudonyms_of(session, str(frozen.manifest["study_id"]))
    write_public(
        frozen, tmp_path / "public", choices=Choices(comments=comments), code_version="test",
        pseudonyms=pseudonyms,
    )  # fmt: skip
    bundle = read_frozen(tmp_path / "public", public_too=True)
    old = old_names(frozen, sqlite_store) | pseudonyms
    # 6 respondents, 12 responses, 12 codes, 24 ratings, 2 raters and all their pseudonyms at least.
    assert len(old) > 60
    written = "\n".join(everything_written(tmp_path / "public", bundle))
    assert not old & set(re.findall(r"[\w-]+", written))
    assert SURNAME not in written
    unblinding = bundle.manifest["unblindings"][0]
    new = {str(row["rater_id"]) for row in bundle.rows("raters")}
    assert re.fullmatch(r"the end of (\w+)'s work", unblinding["reason"])[1] in new
    assert (unblinding["by"], unblinding["second_person"]) == (
        "host",
        "named in the frozen dataset",
    )


def test_a_specialty_cell_below_five_is_merged_in_the_public_bundle(tmp_path: Path) -> None:
    """Pseudonyms are random; a specialty cell below 5 is merged."""
    source = panel(n_vignettes=3, n_residents=11)
    specialties = ["cardiology"] * 6 + ["surgery"] * 3 + ["paediatrics"] * 2
    source.tables["respondents"] = [
        {"respondent_id": f"P{n + 1}", "arm": "people", "kind": "clinician", "stratum": specialty,
         "scripted": False}
        for n, specialty in enumerate(specialties)
    ]  # fmt: skip
    frozen = read_frozen(source.write(tmp_path / "frozen"))
    bundle = made(frozen, tmp_path / "public")
    strata = Counter(row["stratum"] for row in bundle.rows("respondents"))
    assert strata == {"cardiology": 6, "paediatrics or surgery": 5}
    readme = (tmp_path / "public" / "README.md").read_text()
    assert "paediatrics, surgery became one stratum, 'paediatrics or surgery', of 5" in readme


def test_what_merging_does_to_a_study_of_five_residents_is_said(
    frozen: Frozen, tmp_path: Path
) -> None:
    bundle = made(frozen, tmp_path / "public")
    strata = {r["stratum"] for r in bundle.rows("respondents") if r["kind"] == "clinician"}
    assert strata == {"PGY1 or PGY2"}
    readme = (tmp_path / "public" / "README.md").read_text()
    assert "residents has 5 people. All of them are one stratum now: what differed" in readme
    assert "The texts that residents wrote are themselves quasi-identifying" in readme
    assert "There are 2 raters, too few to hide among" in readme


def test_times_comments_originals_audit_and_seeds_are_left_out(
    frozen: Frozen, tmp_path: Path
) -> None:
    bundle = made(frozen, tmp_path / "public")
    times = [f"{name}.{c}" for name, t in bundle.tables.items() for c, k in t.columns
             if k == "datetime" and name not in EMPTIED]  # fmt: skip
    gone = {*times, "responses.text", "ratings.comment"}
    assert "ratings.submitted_at" in gone
    for name, column in (words.split(".") for words in gone):
        assert {row[column] for row in bundle.rows(name)} <= {None}
    assert gone <= bundle.left_out
    assert bundle.rows("audit") == bundle.rows("masking_changes") == []
    assert (bundle.manifest["seeds"], bundle.manifest["audit_head"]) == ([], None)
    shown = {row["masked_text"] for row in bundle.rows("responses")}
    assert shown == {row["masked_text"] for row in frozen.rows("responses")}
    assert not any("Dear colleague" in str(text) for text in shown)
    assert not set(NOT_PUBLISHED) & bundle.tables.keys()


def test_texts_go_and_comments_stay_by_choice(frozen: Frozen, tmp_path: Path) -> None:
    bundle = made(frozen, tmp_path / "public", comments=True, texts=False)
    assert {row["masked_text"] for row in bundle.rows("responses")} == {None}
    comments = {row["comment"] for row in bundle.rows("ratings")} - {None}
    codes = {row["blinding_code"] for row in bundle.rows("responses")}
    # One comment of each rater; the code in it is the new one, its line break stays.
    assert len(comments) == 2
    assert {str(c).partition(" ")[0] for c in comments} <= codes
    # The first rater is the subject of a deviation, so that pseudonym is known to the dataset; V01,
    # of which another deviation speaks, is nobody's name and stays.
    assert sum(str(c).endswith(" is odd,\nsays [removed] of V01") for c in comments) == 1
    assert all(str(c).endswith(" of V01") for c in comments)


def test_scores_and_who_rated_what_are_the_same_under_the_new_names(
    frozen: Frozen, tmp_path: Path
) -> None:
    bundle = made(frozen, tmp_path / "public")

    def profile(dataset: Frozen) -> Counter[tuple[object, ...]]:
        of = {r["blinding_code"]: r for r in dataset.rows("responses")}
        return Counter(
            (of[r["blinding_code"]]["masked_text"], of[r["blinding_code"]]["arm"], r["position"],
             r["revision"], r["final"], *(r[name] for name in DIMENSIONS))
            for r in dataset.rows("ratings")
        )  # fmt: skip

    assert profile(bundle) == profile(frozen)
    for name in ("respondents", "raters", "responses", "assignments", "ratings"):
        assert len(bundle.rows(name)) == len(frozen.rows(name))


def test_rows_stand_in_the_order_of_the_new_names_and_two_bundles_share_none(
    frozen: Frozen, tmp_path: Path
) -> None:
    first, second = made(frozen, tmp_path / "a"), made(frozen, tmp_path / "b")
    names = [[r["response_id"] for r in bundle.rows("responses")] for bundle in (first, second)]
    assert all(each == sorted(map(str, each)) for each in names)
    assert not set(names[0]) & set(names[1])


def test_who_left_the_analysis_is_not_in_the_public_bundle(
    sqlite_store: Store, tmp_path: Path
) -> None:
    study_id = finished(sqlite_store, tmp_path / "work", leaves=True)
    export(sqlite_store, study_id, tmp_path / "frozen", by=OPERATOR, code_version="test")
    frozen = read_frozen(tmp_path / "frozen")
    assert len(frozen.rows("withdrawals")) == 1
    bundle = made(frozen, tmp_path / "public")
    assert len(bundle.rows("respondents")) == 5
    assert not any("resident 0" in str(r["masked_text"]) for r in bundle.rows("responses"))
    # Four residents and the model, two vignettes, two raters each.
    assert len(bundle.rows("ratings")) == 20
    # Of four people no stratum is told: together they are fewer than five.
    assert {r["stratum"] for r in bundle.rows("respondents")} == {None}
    assert "residents has 4" in (tmp_path / "public" / "README.md").read_text()


def test_every_column_of_the_data_dictionary_has_been_decided_on() -> None:
    for table, columns in MEANINGS.items():
        if table in (*EMPTIED, *NOT_PUBLISHED):
            assert table not in TREATMENTS
        else:
            assert TREATMENTS[table].keys() == columns.keys() - {DIMENSION}, table


def test_a_column_that_nobody_decided_on_is_left_out() -> None:
    from study.exports.public_columns import treatment_of

    assert treatment_of("raters", "home_address", frozenset()) is Treatment.LEFT_OUT


def test_the_analysis_reads_the_bundle_and_says_that_it_is_public(
    frozen: Frozen, tmp_path: Path
) -> None:
    made(frozen, tmp_path / "public")
    dataset = open_export(tmp_path / "public")
    assert dataset.unblinding_note.endswith("From the de-identified public bundle.")
    assert len(dataset.final_ratings()) == 24
    assert dataset.protocol == open_export(tmp_path / "frozen").protocol


def test_files_and_signature_of_a_public_bundle_are_verified_and_the_rest_said_to_be_open(
    frozen: Frozen, tmp_path: Path
) -> None:
    signer = signer_at(tmp_path / "key")
    out = write_public(frozen, tmp_path / "public", code_version="test", signer=signer)
    outcomes = {c.name: c.outcome for c in verify(out, public_key=signer.public_key)}
    assert outcomes == {
        "files": "holds", "audit": "open", "receipts": "open", "masking": "open",
        "allocation": "open", "signature": "holds",
    }  # fmt: skip
    path = out / "ratings.csv"
    path.write_text(path.read_text().replace(",true,5,", ",true,4,", 1))
    assert {c.name: c.outcome for c in verify(out)}["files"] == "fault"


def test_the_bundle_has_its_codebook_which_says_what_was_left_out(
    frozen: Frozen, tmp_path: Path
) -> None:
    bundle = made(frozen, tmp_path / "public")
    again = write_codebook(bundle, tmp_path / "again")
    for name in ("codebook.csv", "codebook.html"):
        assert (again / name).read_bytes() == (tmp_path / "public" / name).read_bytes()
    words = (again / "codebook.csv").read_text()
    assert "left out of the public bundle" in words


def test_a_public_bundle_is_not_taken_for_the_frozen_dataset(
    frozen: Frozen, sqlite_store: Store, tmp_path: Path
) -> None:
    made(frozen, tmp_path / "public")
    with pytest.raises(BundleError, match="is a public bundle, which lacks texts and audit"):
        read_frozen(tmp_path / "public")
    with pytest.raises(StudyError, match="something that is not an export"):
        export(
            sqlite_store, str(frozen.manifest["study_id"]), tmp_path / "public", by=OPERATOR,
            code_version="test",
        )  # fmt: skip
    manifest = json.loads((tmp_path / "public" / "manifest.json").read_text())
    assert manifest["public"]["from_manifest_sha256"] == frozen.manifest_sha256
