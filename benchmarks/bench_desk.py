"""The review desk with every clinician auditor at work at once, on PostgreSQL.

Scripted auditors of several specialties take row after row, keep a draft, mend and submit, each in
a thread of its own with its own connection's turns; at the end nothing may be lost or doubled, and
every edit must apply in the ledger.

    python -m benchmarks.bench_desk [--auditors 160] [--rows 1600] [--sqlite]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from model.cts.importing import Origin, import_file
from model.cts.ledger import Ledger, create_ledger
from model.cts.ledger import faults as ledger_faults
from model.cts.reviews import take_in, write_batch
from study.audit import OPERATOR, events_of, verify_chain
from study.people import Person
from study.review_batches import put_on_desk, write_reviews
from study.reviewing import ReviewService
from study.store import Store, create_store
from tests.model.cts.rows import agreed, candidate, ids_of, write_lines
from tests.studies import register_example
from tests.study.desk import all_at, auditor

N_SPECIALTIES = 14


def main(arguments: list[str] | None = None) -> None:
    """Fill the desk, let everybody work, take everything in, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--auditors", type=int, default=160)
    parser.add_argument("--rows", type=int, default=1600)
    parser.add_argument("--sqlite", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place, _database(options, place) as url:
        work = Path(place)
        store = create_store(url)
        study_id = register_example(store)
        ledger = _ledger(work, options.rows)
        write_batch(ledger, work / "batch.jsonl", n_rows=options.rows)
        put_on_desk(store, study_id, work / "batch.jsonl", by=OPERATOR)
        people = [
            auditor(store, study_id, f"specialty {number % N_SPECIALTIES}")
            for number in range(options.auditors)
        ]
        begun = time.perf_counter()
        with ThreadPoolExecutor(len(people)) as at_once:
            times_ms = [
                t for times in at_once.map(lambda p: _works(store, p), people) for t in times
            ]
        elapsed_s = time.perf_counter() - begun
        _check(store, study_id, ledger, work, n_expected=2 * options.rows)
        store.close()
    kind = "SQLite" if options.sqlite else "PostgreSQL"
    print(
        f"review desk, {kind}: {len(people)} auditors at once, {len(times_ms):,} reviews in "
        f"{elapsed_s:.0f} s ({len(times_ms) / elapsed_s:.0f}/s); next row, draft and submission "
        f"together p50 {statistics.median(times_ms):.0f} ms, p95 "
        f"{statistics.quantiles(times_ms, n=20)[18]:.0f} ms; none lost, none doubled, "
        "every edit applies"
    )


@contextmanager
def _database(options: argparse.Namespace, place: str) -> Iterator[str]:
    if options.sqlite:
        yield str(Path(place) / "study.db")
        return
    from tests.postgres import cluster

    with cluster() as address:
        yield f"{address}/postgres"


def _ledger(work: Path, n_rows: int) -> Ledger:
    ledger = create_ledger(work / "ledger")
    for specialty in range(N_SPECIALTIES):
        rows = [candidate(number) for number in range(specialty, n_rows, N_SPECIALTIES)]
        origin = Origin(source="bench", licence="CC0-1.0", specialty=f"specialty {specialty}")
        import_file(ledger, write_lines(work / f"{specialty}.jsonl", rows), "jsonl", origin)
    ledger.add_rows("reanswers", [agreed(row_id) for row_id in ids_of(ledger)])
    return ledger


def _works(store: Store, person: Person) -> list[float]:
    """Milliseconds of each row: getting it, keeping a draft, submitting it mended."""
    service, times_ms = ReviewService(store), []
    idle = 0
    while idle < 5:  # rows may be with others for a moment
        begun = time.perf_counter()
        task = service.next_task(person)
        if task is None:
            idle += 1
            time.sleep(0.5)
            continue
        idle = 0
        texts = {"reasoning": task.reasoning, "answer": f"{task.answer} {person.pseudonym}"}
        service.save_draft(person, task.item, all_at(3), texts, "", task.draft.revision)
        service.submit(person, task.item, all_at(4), texts, "")
        times_ms.append(1000 * (time.perf_counter() - begun))
    return times_ms


def _check(store: Store, study_id: str, ledger: Ledger, work: Path, *, n_expected: int) -> None:
    n_written = write_reviews(store, study_id, work / "reviews.jsonl")
    lines = [json.loads(line) for line in (work / "reviews.jsonl").read_bytes().splitlines()[1:]]
    pairs = {(line["row_id"], line["auditor"]) for line in lines}
    if not n_written == len(pairs) == n_expected:
        raise SystemExit(f"{n_written} reviews of {len(pairs)} pairs; {n_expected} were due")
    take_in(ledger, work / "reviews.jsonl")
    if found := list(ledger_faults(ledger)):
        raise SystemExit(f"the ledger is not whole: {found[:3]}")
    with store.read() as session:
        verify_chain(events_of(session, study_id))


if __name__ == "__main__":
    main()
