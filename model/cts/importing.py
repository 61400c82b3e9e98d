"""Candidates come in from the layouts in use: JSON lines, Alpaca, ShareGPT and `messages`.

All rows of a file come in or none does. A row that cannot be used is named with its line, the
value and the remedy; so is a row that the ledger already holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from model.cts.ledger import Ledger
from model.cts.tables import CORPORA, LARGEST_ROW, TABLES, row_id_of
from model.errors import LedgerError

Layout = Literal["jsonl", "alpaca", "sharegpt", "messages"]
MAX_NAMED = 20
"""Faults named before the rest is counted."""
OPEN, CLOSE = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Origin:
    """What is true of every row of a file unless the row says otherwise."""

    source: str
    licence: str
    corpus: str = "knowledge"
    specialty: str = "general"
    language: str = "en"
    generator: str = "not stated"


class _RowFault(Exception):
    """Why one row cannot be used."""


def import_file(ledger: Ledger, path: Path, layout: Layout, origin: Origin) -> int:
    """Read a file and add its rows as candidates; returns how many.

    Args:
        ledger: Where they go.
        path: JSON lines, or one JSON list.
        layout: How a row is written.
        origin: Source, licence and so on of the rows that do not name their own.

    Raises:
        LedgerError: Naming up to 20 faults by line; nothing is added then.
    """
    seen = set(ledger.read("candidates", ["row_id"]).column(0).to_pylist())
    columns: dict[str, list[Any]] = {name: [] for name in TABLES["candidates"].names}
    faults: list[str] = []
    for number, raw in _lines(path):
        try:
            row = _candidate(_parsed(raw), LAYOUTS[layout], origin)
            if row["row_id"] in seen:
                raise _RowFault(f"the row {row['row_id']} is there already; remove the duplicate")
        except _RowFault as fault:
            faults.append(f"{path.name}, line {number}: {fault}")
            continue
        seen.add(row["row_id"])
        for name, values in columns.items():
            values.append(row[name])
    if faults:
        rest = f"\nand {len(faults) - MAX_NAMED} more" if len(faults) > MAX_NAMED else ""
        raise LedgerError("nothing was imported:\n" + "\n".join(faults[:MAX_NAMED]) + rest)
    if not columns["row_id"]:
        raise LedgerError(f"{path} holds no row")
    ledger.add("candidates", pa.table(columns, schema=TABLES["candidates"]))
    return len(columns["row_id"])


def _lines(path: Path) -> Iterator[tuple[int, bytes | Mapping[str, Any]]]:
    try:
        with path.open("rb") as file:
            if file.read(1) == b"[":
                file.seek(0)
                yield from enumerate(json.loads(file.read().decode("utf-8")), start=1)
                return
            file.seek(0)
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise LedgerError(f"{path} is neither JSON lines nor one JSON list: {error}") from error


def _parsed(raw: bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(raw, bytes):
        row: Any = raw
    elif len(raw) > LARGEST_ROW:
        raise _RowFault(
            f"{len(raw):,} bytes; a row may have {LARGEST_ROW:,}: split it or leave it out"
        )
    else:
        try:
            row = json.loads(raw.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise _RowFault(
                f"byte {error.start} is not UTF-8 (0x{raw[error.start]:02x}); convert the file"
            ) from None
        except ValueError as error:
            raise _RowFault(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise _RowFault(f"an object is wanted; got {type(row).__name__}")
    return row


def _candidate(
    row: Mapping[str, Any], read: Callable[[Mapping[str, Any]], tuple[str, str]], origin: Origin
) -> dict[str, Any]:
    prompt, completion = read(row)
    reasoning, answer = _split_reasoning(row, completion)
    made = {
        "prompt": prompt, "reasoning": reasoning, "answer": answer,
        **{
            name: _words(row, name, getattr(origin, name))
            for name in ("corpus", "specialty", "language", "source", "licence", "generator")
        },
    }  # fmt: skip
    if not made["licence"]:
        raise _RowFault("no licence; name it in the row or with --licence")
    if not made["source"]:
        raise _RowFault("no source; name it in the row or with --source")
    if made["corpus"] not in CORPORA:
        raise _RowFault(f"corpus is {made['corpus']!r}; it is one of {', '.join(CORPORA)}")
    if not prompt.strip() or not answer.strip():
        raise _RowFault("prompt or answer is empty")
    return {"row_id": row_id_of(made), **made}


def _split_reasoning(row: Mapping[str, Any], completion: str) -> tuple[str, str]:
    """Reasoning and answer: from a field of its own, or from between the tags."""
    own = row.get("reasoning")
    if isinstance(own, str) and own.strip():
        return own.strip(), completion.strip()
    if OPEN in completion:
        before, closed, after = completion.partition(CLOSE)
        if not closed:
            raise _RowFault(f"the reasoning is opened by {OPEN} and never closed by {CLOSE}")
        return before.partition(OPEN)[2].strip(), after.strip()
    return "", completion.strip()


def _words(row: Mapping[str, Any], name: str, otherwise: str = "") -> str:
    value = row.get(name, otherwise)
    if not isinstance(value, str):
        raise _RowFault(f"{name} is {value!r}; text is wanted")
    return value


def _from_jsonl(row: Mapping[str, Any]) -> tuple[str, str]:
    return _words(row, "prompt"), _words(row, "completion") or _words(row, "answer")


def _from_alpaca(row: Mapping[str, Any]) -> tuple[str, str]:
    parts = (_words(row, "instruction"), _words(row, "input"))
    return "\n\n".join(part for part in parts if part), _words(row, "output")


def _from_sharegpt(row: Mapping[str, Any]) -> tuple[str, str]:
    return _from_turns(row.get("conversations"), "from", "value", ("human", "user"), ("gpt",))


def _from_messages(row: Mapping[str, Any]) -> tuple[str, str]:
    return _from_turns(row.get("messages"), "role", "content", ("user",), ("assistant",))


def _from_turns(
    turns: object, who: str, what: str, asks: tuple[str, ...], answers: tuple[str, ...]
) -> tuple[str, str]:
    """One question and one answer; a system turn goes before the question."""
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise _RowFault(f"a list of turns is wanted; got {turns!r:.60}")
    spoken = [(str(turn.get(who)), _words(turn, what)) for turn in turns]
    system = [said for name, said in spoken if name == "system"]
    rest = [(name, said) for name, said in spoken if name != "system"]
    if len(rest) != 2 or rest[0][0] not in asks or rest[1][0] not in answers:
        order = ", ".join(name for name, _ in spoken)
        raise _RowFault(f"one question and one answer are wanted; the turns are {order or 'none'}")
    return "\n\n".join([*system, rest[0][1]]), rest[1][1]


LAYOUTS: Mapping[Layout, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "jsonl": _from_jsonl,
    "alpaca": _from_alpaca,
    "sharegpt": _from_sharegpt,
    "messages": _from_messages,
}
