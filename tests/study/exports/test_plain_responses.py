from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from study.audit import OPERATOR, Actor, events_of
from study.errors import LifeCycleError, NotAllowedError
from study.exports.answers_in import import_responses
from study.exports.plain_table import PlainTableError
from study.people import people_of
from study.store import Store
from study.tables import AnswerItemRow, ResponseRow
from tests.studies import join, register_example, to_answering
from tests.study.exports.walks import HARD_TEXTS, write_rows


def answers(name: str, **changes: object) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"respondent": name, "vignette_id": f"V0{n}", "text": f"Wait {n}.", "confidence": n}
        for n in (1, 2, 3)
    ]
    rows[0] |= changes
    return rows


def responses(store: Store) -> list[ResponseRow]:
    with store.read() as session:
        return list(session.scalars(select(ResponseRow)))


def test_answers_of_somebody_enrolled_come_in_word_for_word(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store, n_vignettes=3)
    resident = join(store, study_id, "resident", arm="residents")
    rows = answers(resident.pseudonym, text=HARD_TEXTS[1], answered_at="2026-01-31T09:30:00+01:00")
    rows[1]["text"] = HARD_TEXTS[3]
    done = import_responses(store, study_id, write_rows(tmp_path / "a.csv", rows), by=OPERATOR)
    assert (done.n_responses, dict(done.enrolled)) == (3, {})
    found = {row.vignette_id: row for row in responses(store)}
    assert {v: row.text for v, row in found.items()} == {r["vignette_id"]: r["text"] for r in rows}
    assert {row.person_id for row in found.values()} == {resident.person_id}
    assert found["V01"].submitted_at.isoformat() == "2026-01-31T08:30:00+00:00"
    assert [found[f"V0{n}"].confidence for n in (1, 2, 3)] == [1, 2, 3]


def test_each_imported_answer_is_marked_in_the_audit_by_row_and_file_without_a_name(
    store: Store, tmp_path: Path
) -> None:
    study_id = to_answering(store)
    path = write_rows(tmp_path / "a.csv", answers("Dr. Ada Lovelace"))
    import_responses(store, study_id, path, by=OPERATOR, enrol=True)
    with store.read() as session:
        events = events_of(session, study_id)
    marked = [event for event in events if event.action == "import answer"]
    assert {event.subject for event in marked} == {row.response_id for row in responses(store)}
    assert [event.details["row"] for event in marked] == [2, 3, 4]
    assert len({event.details["file_sha256"] for event in marked}) == 1
    assert [e.details for e in events if e.action == "import responses"] == [
        {"n_responses": 3, "n_enrolled": 1}
    ]
    assert "Lovelace" not in str([(e.actor, e.subject, e.details) for e in events])


def test_responses_of_an_unknown_respondent_are_refused_by_row_not_dropped_on_import(
    store: Store, tmp_path: Path
) -> None:
    study_id = to_answering(store)
    resident = join(store, study_id, "resident", arm="residents")
    rows = answers(resident.person_id) + answers("paper-2")
    path = write_rows(tmp_path / "a.csv", rows)
    with pytest.raises(PlainTableError, match=r"row 5, column respondent: 'paper-2' is nobody"):
        import_responses(store, study_id, path, by=OPERATOR)
    assert responses(store) == []
    done = import_responses(store, study_id, path, by=OPERATOR, enrol=True)
    assert done.n_responses == len(rows) == len(responses(store))
    assert list(done.enrolled) == ["paper-2"]


def test_a_respondent_made_by_import_keeps_arm_stratum_order_and_what_was_left_unanswered(
    store: Store, tmp_path: Path
) -> None:
    study_id = to_answering(store)
    rows = answers("p", arm="residents", stratum="PGY2", position=3)
    rows[1] |= {"position": 1, "status": "missing", "text": "", "confidence": ""}
    rows[2] |= {"position": 2}
    for row in rows:
        row |= {"arm": "residents", "stratum": "PGY2"}
    path = write_rows(tmp_path / "a.csv", rows, delimiter=";")
    done = import_responses(store, study_id, path, by=OPERATOR, enrol=True)
    with store.read() as session:
        (person,) = people_of(session, study_id, "resident")
        items = session.scalars(select(AnswerItemRow).order_by(AnswerItemRow.position))
        assert [item.vignette_id for item in items] == ["V02", "V03", "V01"]
    assert (person.arm, person.stratum) == ("residents", "PGY2")
    assert (done.n_responses, done.enrolled["p"]) == (2, person.person_id)
    assert {row.vignette_id for row in responses(store)} == {"V01", "V03"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vignette_id": "V77"}, "row 2, column vignette_id: 'V77' is no vignette"),
        ({"vignette_id": "V02"}, "row 3, column vignette_id: p answers V02 twice"),
        ({"text": "  "}, "row 2, column text: it is blank; write the answer, or missing"),
        ({"text": "word " * 251}, "row 2, column text: it has 251 words; the limit"),
        ({"confidence": ""}, "row 2, column confidence: it is missing; give 1 to 5"),
        ({"confidence": 9}, "row 2, column confidence: 9 is off the scale"),
        ({"confidence": "2.5"}, "row 2, column confidence: '2.5' is no whole number"),
        ({"answered_at": "yesterday"}, "row 2, column answered_at: 'yesterday' is no time"),
        ({"answered_at": "2026-01-01T10:00"}, "row 2, column answered_at: .* no time zone"),
        ({"answered_at": "2999-01-01T10:00Z"}, "row 2, column answered_at: .* not come yet"),
        ({"status": "skipped"}, "row 2, column status: 'skipped' is unknown"),
        ({"status": "missing"}, "row 2, column text: the status is missing, yet"),
        ({"arm": "model"}, "row 2, column arm: 'model' is no arm of clinicians"),
        ({"stratum": "PGY9"}, "row 2, column stratum: 'PGY9' is not the protocol's; PGY1, PGY2"),
        ({"site": "north"}, "row 2, column site: 'north' is not the protocol's; none is"),
        ({"position": 2}, r"row 2, column position: the places are \[2, None, None\]"),
        ({"colour": "green"}, "row 1: the column 'colour' is unknown; known are respondent"),
        ({"respondent": ""}, "row 2, column respondent: it is blank"),
    ],
)
def test_a_bad_value_is_refused_by_row_column_and_remedy_and_nothing_is_half_imported(
    sqlite_store: Store, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    study_id = to_answering(sqlite_store)
    path = write_rows(tmp_path / "a.csv", answers("p", **changes))
    with pytest.raises(PlainTableError, match=words):
        import_responses(sqlite_store, study_id, path, by=OPERATOR, enrol=True)
    assert responses(sqlite_store) == []
    with sqlite_store.read() as session:
        assert people_of(session, study_id, "resident") == ()
        assert "import" not in str([event.action for event in events_of(session, study_id)])


def test_every_fault_is_named_at_once(sqlite_store: Store, tmp_path: Path) -> None:
    study_id = to_answering(sqlite_store)
    rows = answers("p", confidence=9)
    rows[2]["text"] = ""
    with pytest.raises(PlainTableError) as refused:
        import_responses(
            sqlite_store, study_id, write_rows(tmp_path / "a.csv", rows), by=OPERATOR, enrol=True
        )
    assert "row 2, column confidence" in str(refused.value)
    assert "row 4, column text" in str(refused.value)


def test_an_answer_that_is_in_already_is_never_replaced(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store)
    resident = join(store, study_id, "resident", arm="residents")
    path = write_rows(tmp_path / "a.csv", answers(resident.pseudonym))
    import_responses(store, study_id, path, by=OPERATOR)
    with pytest.raises(PlainTableError, match="row 2, column vignette_id: V01 is answered already"):
        import_responses(store, study_id, path, by=OPERATOR)
    assert len(responses(store)) == 3


def test_no_more_respondents_are_made_than_the_protocol_plans(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store, n_residents=1)
    path = write_rows(tmp_path / "a.csv", answers("p") + answers("q"))
    with pytest.raises(PlainTableError, match="row 5, column arm: q would be number 2 of"):
        import_responses(store, study_id, path, by=OPERATOR, enrol=True)


def test_a_model_s_answers_go_by_take_in_alone(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store)
    with store.read() as session:
        (model,) = people_of(session, study_id, "model")
    path = write_rows(tmp_path / "a.csv", answers(model.person_id))
    with pytest.raises(PlainTableError, match="is a model; use `safemed take-in`"):
        import_responses(store, study_id, path, by=OPERATOR, enrol=True)


def test_answers_come_in_only_while_answering_and_only_by_those_who_may(
    store: Store, tmp_path: Path
) -> None:
    study_id = register_example(store)
    path = write_rows(tmp_path / "a.csv", answers("p"))
    with pytest.raises(LifeCycleError, match="'answering'"):
        import_responses(store, study_id, path, by=OPERATOR, enrol=True)
    with pytest.raises(NotAllowedError, match="importing responses is for the roles host"):
        import_responses(store, study_id, path, by=Actor("x", "rater"), enrol=True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"respondent,vignette_id\np,V01\n", "there is no column text; add it"),
        (b"respondent,vignette_id,text,text\n", "the column text stands twice"),
        (b"respondent,vignette_id,text\np,V01\n", "row 2, column vignette_id: the row has 2"),
        (b"respondent,vignette_id,text\np,V01,caf\xe9\n", "is not UTF-8"),
        (b'respondent,vignette_id,text\np,V01,"open\n', "is no readable CSV"),
        (b"respondent,vignette_id,text\np,V01,a\0b\n", "NUL"),
    ],
)
def test_a_file_that_is_no_plain_table_is_refused_by_name(
    sqlite_store: Store, tmp_path: Path, content: bytes, words: str
) -> None:
    study_id = to_answering(sqlite_store)
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(PlainTableError, match=words):
        import_responses(sqlite_store, study_id, tmp_path / "a.csv", by=OPERATOR, enrol=True)
