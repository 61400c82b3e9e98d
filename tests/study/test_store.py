from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from study.answering import AnsweringService
from study.errors import AnswerError, StaleDraftError, StorageError
from study.registration import study_ids, study_row
from study.store import Store, create_store, open_store
from tests.studies import join, register_example, to_answering


def test_a_missing_database_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no study database at .*; `safemed register` makes"):
        open_store(tmp_path / "nowhere.db")


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(StorageError, match="mysql is not supported"):
        create_store("mysql://localhost/study")


def test_a_server_that_does_not_answer_is_named_with_the_remedy() -> None:
    with pytest.raises(StorageError, match="the database server does not answer; check its addr"):
        create_store("postgresql://tests@127.0.0.1:1/study")


def test_an_empty_database_of_a_server_is_refused_until_it_is_made(postgres_server: str) -> None:
    with pytest.raises(StorageError, match="is at revision none"):
        open_store(f"{postgres_server}/postgres")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear editor, " * 100)
    with pytest.raises(StorageError, match="not a study database"):
        open_store(tmp_path / "letter.db")


def test_an_old_revision_is_refused_with_the_remedy(sqlite_store: Store, tmp_path: Path) -> None:
    sqlite_store.close()
    connection = sqlite3.connect(tmp_path / "study.db")
    connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.commit()
    connection.close()
    with pytest.raises(StorageError, match="is at revision 0000, this version of safemed needs"):
        open_store(tmp_path / "study.db")


def test_the_migrations_make_the_tables_that_the_code_maps(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from study import tables_custody, tables_people, tables_rating, tables_review
    from study.tables import Base

    assert (
        tables_custody and tables_people and tables_rating and tables_review
    )  # mapped by importing them
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_a_full_database_refuses_by_name_and_keeps_what_was_saved(
    sqlite_store: Store, tmp_path: Path
) -> None:
    resident = join(sqlite_store, to_answering(sqlite_store), "resident", arm="residents")
    task = AnsweringService(sqlite_store).next_task(resident)
    assert task is not None
    AnsweringService(sqlite_store).save_draft(resident, task.item, "kept", 3, 0)
    sqlite_store.close()
    full = open_store(tmp_path / "study.db")
    with full.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    from sqlalchemy import event

    @event.listens_for(full.engine, "checkout")
    def limit(dbapi: sqlite3.Connection, *_: object) -> None:
        dbapi.execute(f"PRAGMA max_page_count = {pages}")

    service = AnsweringService(full)
    with pytest.raises(StorageError, match="nothing was saved: the disk or the database's size"):
        service.submit(resident, task.item, "word " * 200 + "x" * 15_000, 3)
    full.close()
    again = open_store(tmp_path / "study.db")
    draft = AnsweringService(again).next_task(resident)
    assert draft is not None
    assert draft.draft.text == "kept"
    assert AnsweringService(again).progress(resident).done == 0
    again.close()


WRITER = """
import resource, signal, sys
from study.answering import AnsweringService
from study.errors import StorageError
from study.sign_in import person_of_session
from study.store import open_store

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(sys.argv[1])
person = person_of_session(store, sys.argv[2])
service = AnsweringService(store)
item = service.next_task(person).item
limit = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    service.save_draft(person, item, "y" * 19_000, 3, 0)
except StorageError as error:
    print(error)
"""


def test_a_file_size_limit_refuses_by_name_and_loses_nothing(
    sqlite_store: Store, tmp_path: Path
) -> None:
    from study.audit import OPERATOR
    from study.invitations import accept_invitation, invite

    study_id = to_answering(sqlite_store)
    entry = accept_invitation(
        sqlite_store, invite(sqlite_store, study_id, "resident", by=OPERATOR, arm="residents")
    )
    sqlite_store.close()
    # The write-ahead log starts anew; 8 KiB hold less than the pages that the draft needs.
    run = subprocess.run(
        [sys.executable, "-c", WRITER, tmp_path / "study.db", entry.session_token, "8192"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "nothing was saved" in run.stdout
    again = open_store(tmp_path / "study.db")
    task = AnsweringService(again).next_task(entry.person)
    assert task is not None
    assert task.draft.text == ""
    again.close()
    assert signal.SIGXFSZ
    assert resource.RLIMIT_FSIZE


def test_a_read_only_database_can_be_read_and_refuses_writes_by_name(
    sqlite_store: Store, tmp_path: Path
) -> None:
    resident = join(sqlite_store, to_answering(sqlite_store), "resident", arm="residents")
    read_only = open_store(f"sqlite:///file:{tmp_path / 'study.db'}?mode=ro&uri=true")
    service = AnsweringService(read_only)
    task = service.next_task(resident)
    assert task is not None
    with pytest.raises(StorageError, match="opened read-only; give the process write access"):
        service.submit(resident, task.item, "Wait.", 3)
    read_only.close()


def test_fifty_saves_at_once_lose_none(store: Store, tmp_path: Path) -> None:
    resident = join(store, to_answering(store), "resident", arm="residents")
    service = AnsweringService(store)
    task = service.next_task(resident)
    assert task is not None
    saved: list[int] = []

    def save(number: int) -> None:
        revision = 0
        while True:
            try:
                draft = service.save_draft(resident, task.item, f"text {number}", 3, revision)
            except StaleDraftError as error:
                revision = error.draft.revision
                continue
            saved.append(draft.revision)
            return

    threads = [threading.Thread(target=save, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(saved) == list(range(1, 51))


def test_ten_submissions_at_once_leave_one_answer(store: Store) -> None:
    resident = join(store, to_answering(store), "resident", arm="residents")
    service = AnsweringService(store)
    task = service.next_task(resident)
    assert task is not None
    outcomes: list[str] = []

    def submit(number: int) -> None:
        try:
            service.submit(resident, task.item, f"answer {number}", 3)
            outcomes.append("saved")
        except AnswerError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("saved") == 1
    assert sum("already submitted" in outcome for outcome in outcomes) == 9


def test_naive_times_are_refused() -> None:
    from datetime import datetime

    from study.tables import AwareUtc

    with pytest.raises(ValueError, match="times are aware UTC"):
        AwareUtc().process_bind_param(datetime(2026, 1, 1), None)  # type: ignore[arg-type]


def test_a_database_is_made_where_its_folder_is_missing(tmp_path: Path) -> None:
    made = create_store(tmp_path / "deep" / "er" / "study.db")
    made.close()
    assert (tmp_path / "deep" / "er" / "study.db").is_file()


def test_questions_of_one_look_share_one_state_until_somebody_writes(store: Store) -> None:
    first = register_example(store)
    with store.looking():
        with store.read() as session:
            assert study_ids(session) == (first,)
            held, row = session, study_row(session, first)
        with store.read() as session:
            assert session is held
        second = register_example(store)  # through a session of its own
        with store.read() as session:
            assert set(study_ids(session)) == {first, second}
        assert row.state == "registered"  # what was read before is still there to be used
    with store.read() as session:
        assert session is not held


def test_a_look_does_not_see_what_another_process_writes_meanwhile(
    store: Store, tmp_path: Path
) -> None:
    first = register_example(store)
    with store.looking(), store.read() as session:
        assert study_ids(session) == (first,)
        with ThreadPoolExecutor(1) as elsewhere:  # a thread of its own has no look to share
            second = elsewhere.submit(register_example, store).result()
        assert study_ids(session) == (first,)
    with store.read() as session:
        assert set(study_ids(session)) == {first, second}


def test_a_server_that_ended_our_connections_is_reached_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("study.store.IDLE_S", 0.0)
    store, other = create_store(postgres_url), open_store(postgres_url)
    try:
        register_example(store)
        with other.write() as session:
            others = "pid <> pg_backend_pid() AND datname = current_database()"
            ended = session.scalars(
                text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
            ).all()
        assert True in ended
        with store.read() as session:
            assert len(study_ids(session)) == 1
    finally:
        store.close()
        other.close()


def test_a_look_s_end_keeps_the_prepared_statements_of_its_connection(postgres_url: str) -> None:
    store = create_store(postgres_url)
    try:
        study_id = register_example(store)
        for _ in range(8):
            with store.read() as session:
                study_row(session, study_id)
        with store.read() as session:
            prepared = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
        assert any("FROM study" in statement for statement in prepared)
    finally:
        store.close()


def test_what_a_read_changes_is_never_written(store: Store) -> None:
    study_id = register_example(store)
    with store.read() as session:
        study_row(session, study_id).state = "unblinded"
    with store.read() as session:
        assert study_row(session, study_id).state == "registered"
