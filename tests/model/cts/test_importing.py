from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.cts.importing import Origin, import_file
from model.cts.ledger import Ledger, create_ledger, faults
from model.errors import LedgerError
from tests.model.cts.rows import ORIGIN, candidate, ids_of, ledger_of, write_lines


def read_back(ledger: Ledger) -> list[dict[str, str]]:
    return ledger.read("candidates").to_pylist()


@pytest.mark.parametrize(
    ("layout", "row"),
    [
        ("jsonl", {"prompt": "Q", "completion": "<think>\nT\n</think>\n\nA"}),
        ("jsonl", {"prompt": "Q", "reasoning": "T", "answer": "A"}),
        ("alpaca", {"instruction": "Q", "input": "", "output": "<think>T</think>A"}),
        ("sharegpt", {"conversations": [{"from": "human", "value": "Q"},
                                        {"from": "gpt", "value": "<think>T</think>A"}]}),
        ("messages", {"messages": [{"role": "user", "content": "Q"},
                                   {"role": "assistant", "content": "<think>T</think>A"}]}),
    ],
)  # fmt: skip
def test_every_layout_gives_the_same_candidate(tmp_path: Path, layout, row) -> None:
    ledger = create_ledger(tmp_path / "ledger")
    assert import_file(ledger, write_lines(tmp_path / "r.jsonl", [row]), layout, ORIGIN) == 1
    (made,) = read_back(ledger)
    assert (made["prompt"], made["reasoning"], made["answer"]) == ("Q", "T", "A")
    assert (made["licence"], made["corpus"]) == ("CC0-1.0", "knowledge")


def test_a_json_list_is_read_as_lines_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([candidate(1), candidate(2)]))
    assert import_file(create_ledger(tmp_path / "ledger"), path, "jsonl", ORIGIN) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"prompt": "Q", "answer": "A", "licence": ""}\n', "no licence; name it in the row"),
        (b'{"prompt": "Q", "answer": "A", "corpus": "news"}\n', "corpus is 'news'; it is one of"),
        (b'{"prompt": "Q"}\n', "prompt or answer is empty"),
        (b'{"prompt": "Q", "answer": "<think>half"}\n', "never closed by </think>"),
        (b'{"prompt": "Q", "answer": "caf\xe9"}\n', "is not UTF-8 (0xe9); convert the file"),
        (b'{"prompt": "Q", "answer": "' + b"x" * (5 << 20) + b'"}\n', "a row may have 1,048,576"),
        (b'["Q", "A"]\n', "an object is wanted; got"),
        (b"{broken\n", "not JSON"),
        (b'{"prompt": 3, "answer": "A"}\n', "prompt is 3; text is wanted"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_nothing_of_its_file_comes_in(
    tmp_path: Path, content: bytes, words: str
) -> None:
    ledger = create_ledger(tmp_path / "ledger")
    path = tmp_path / "rows.jsonl"
    good = json.dumps(candidate(1)).encode() + b"\n"
    path.write_bytes(good + content)
    with pytest.raises(LedgerError) as refused:
        import_file(ledger, path, "jsonl", ORIGIN)
    assert "rows.jsonl, line 2" in str(refused.value) and words in str(refused.value)
    assert ids_of(ledger) == []


def test_a_row_that_is_there_already_is_refused_by_its_id(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, 2)
    path = write_lines(tmp_path / "again.jsonl", [candidate(5), candidate(1)])
    with pytest.raises(LedgerError, match=r"again.jsonl, line 2: the row r_[0-9a-f]{32} is there"):
        import_file(ledger, path, "jsonl", ORIGIN)
    assert len(ids_of(ledger)) == 2


def test_faults_beyond_twenty_are_counted(tmp_path: Path) -> None:
    ledger = create_ledger(tmp_path / "ledger")
    path = write_lines(tmp_path / "r.jsonl", [candidate(i) for i in range(30)])
    with pytest.raises(LedgerError, match="and 10 more"):
        import_file(ledger, path, "jsonl", Origin(source="s", licence=""))


def test_an_edited_or_removed_shard_and_a_cut_journal_are_found(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, 3)
    import_file(ledger, write_lines(tmp_path / "b.jsonl", [candidate(9)]), "jsonl", ORIGIN)
    assert list(faults(Ledger(ledger.directory))) == []
    first, second = ledger.paths("candidates")
    content = first.read_bytes()
    first.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    second.unlink()
    assert list(faults(Ledger(ledger.directory))) == [
        "candidates/000001.parquet was changed: its digest is not the journal's",
        "candidates/000002.parquet is missing",
    ]
    journal = ledger.directory / "journal.jsonl"
    lines = journal.read_bytes().split(b"\n")
    journal.write_bytes(b"\n".join(lines[1:]))
    with pytest.raises(LedgerError, match="does not follow the line before"):
        Ledger(ledger.directory)
    journal.write_bytes(b"\n".join(lines)[:-5])
    with pytest.raises(LedgerError, match="ends in half a line"):
        Ledger(ledger.directory)


def test_a_shard_left_by_a_kill_is_named_and_does_not_count(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, 3)
    path = ledger.paths("candidates")[0]
    (path.parent / "000009.parquet").write_bytes(path.read_bytes())
    assert len(ids_of(Ledger(ledger.directory))) == 3
    assert list(faults(ledger)) == [
        "candidates/000009.parquet is not in the journal: left by a kill, or put there by hand"
    ]


def test_a_full_disk_is_named_and_the_ledger_stays_whole(tmp_path: Path, monkeypatch) -> None:
    import pyarrow.parquet as pq

    ledger = ledger_of(tmp_path, 3)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    path = write_lines(tmp_path / "b.jsonl", [candidate(9)])
    with pytest.raises(LedgerError, match="No space left on device; free space and run the same"):
        import_file(ledger, path, "jsonl", ORIGIN)
    monkeypatch.undo()
    assert list(faults(Ledger(ledger.directory))) == []
    assert import_file(Ledger(ledger.directory), path, "jsonl", ORIGIN) == 1
