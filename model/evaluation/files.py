"""The directory of an evaluation: samples, verdicts, and a manifest written last.

`docs/contracts.md` defines the files; `analysis` reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from model.canonical import canonical, file_sha256, sha256_hex
from model.errors import EvaluationError
from model.evaluation.journal import Journal
from model.safety.scales import Scale
from model.safety.verdicts import Verdict
from model.whole_files import write_whole

SCHEMA = "safemed.evaluation/1"
MANIFEST, SAMPLES, VERDICTS = "evaluation.json", "samples.jsonl", "verdicts.jsonl"
CALLS, _PLAN = "calls.jsonl", "unfinished.json"
Record = dict[str, Any]


def scale_record(scale: Scale) -> Record:
    """A scale as the manifest states it, direction and all."""
    return {
        "name": scale.name, "version": scale.version, "minimum": scale.minimum,
        "maximum": scale.maximum, "direction": scale.direction,
    }  # fmt: skip


def verdict_record(sample_id: str, verdict: Verdict, choice: Sequence[str] | None = None) -> Record:
    """One line of `verdicts.jsonl`.

    Args:
        sample_id: Of the sample judged.
        verdict: What the judge said.
        choice: The options chosen, by their own letters; only in exams.
    """
    return {
        "sample_id": sample_id,
        "judge": verdict.judge,
        "status": verdict.status,
        "score": verdict.score.value if verdict.score else None,
        "choice": list(choice) if choice is not None else None,
        "detail": verdict.detail,
        "reply": verdict.reply,
    }


class Directory:
    """An evaluation under way: its plan, its journal, and the files it ends with."""

    def __init__(self, path: Path, identity: Mapping[str, Any], secret: str) -> None:
        """Begin, or take up what was killed.

        Args:
            path: A directory to make, an empty one, or that of a killed run.
            identity: What has to be the same for a run to go on.
            secret: Drawn for the judges' fences; a resumed run keeps the first one.

        Raises:
            EvaluationError: If it holds a finished evaluation, another one, or anything else.
        """
        if (path / MANIFEST).exists():
            raise EvaluationError(
                f"{path} holds a finished evaluation; it is never overwritten. Name another "
                "directory"
            )
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        if (path / _PLAN).exists():
            self.secret = self._same(identity)
        elif any(path.iterdir()):
            raise EvaluationError(f"{path} is not empty; name another directory")
        else:
            self.secret = secret
            plan = {"identity": dict(identity), "secret": secret}
            write_whole(path / _PLAN, json.dumps(plan, indent=2, ensure_ascii=False) + "\n")
        self.journal = Journal(path / CALLS)

    def finish(
        self, manifest: Mapping[str, Any], samples: Iterable[Record], verdicts: Iterable[Record]
    ) -> None:
        """Write samples, verdicts and, last, the manifest with their digests."""
        self.journal.close()
        write_evaluation(self.path, manifest, samples, verdicts)
        (self.path / _PLAN).unlink()

    def _same(self, identity: Mapping[str, Any]) -> str:
        plan = json.loads((self.path / _PLAN).read_text(encoding="utf-8"))
        now = json.loads(canonical(dict(identity)))
        for name in sorted({*plan["identity"], *now}):
            before = plan["identity"].get(name)
            if before != now.get(name):
                raise EvaluationError(
                    f"{self.path} holds an unfinished evaluation with {name} {before!r:.200}; this "
                    f"one has {now.get(name)!r:.200}. Repeat the same command, or name another "
                    "directory"
                )
        return str(plan["secret"])


def write_evaluation(
    path: Path, manifest: Mapping[str, Any], samples: Iterable[Record] | bytes,
    verdicts: Iterable[Record],
) -> None:  # fmt: skip
    """Write the three files of a finished evaluation, the manifest last.

    Args:
        path: An existing directory.
        manifest: All but schema and digests.
        samples: Records, or a file's bytes as they are.
        verdicts: Records.
    """
    digests = {}
    for name, records in ((SAMPLES, samples), (VERDICTS, verdicts)):
        content = (
            records
            if isinstance(records, bytes)
            else b"".join(canonical(record) + b"\n" for record in records)
        )
        digests[name] = sha256_hex(content)
        write_whole(path / name, content.decode("utf-8"))
    written = {"schema": SCHEMA, **manifest, "sha256": digests}
    write_whole(path / MANIFEST, json.dumps(written, indent=2, ensure_ascii=False) + "\n")


def read_manifest(path: Path) -> Record:
    """The manifest of a finished evaluation.

    Raises:
        EvaluationError: If there is none, or it is of another schema.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"{path} holds no finished evaluation ({error}); name a directory that `safemed eval` "
            "finished"
        ) from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise EvaluationError(f"{path / MANIFEST} is not of the schema {SCHEMA}")
    return manifest


def read_lines(path: Path, name: str, manifest: Mapping[str, Any]) -> list[Record]:
    """Samples or verdicts, after a check of their digest.

    Raises:
        EvaluationError: If the file was changed after it was written.
    """
    found, wanted = file_sha256(path / name), manifest["sha256"][name]
    if found != wanted:
        raise EvaluationError(
            f"{path / name} was changed after it was written: its digest is {found}, the manifest "
            f"says {wanted}"
        )
    content = (path / name).read_text(encoding="utf-8")
    # Not splitlines(): a text may hold a Unicode line separator.
    return [json.loads(line) for line in content.split("\n")[:-1]]
