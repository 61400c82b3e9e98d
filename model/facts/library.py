"""Reading the drug facts: every file of a directory, checked on its own and against the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import yaml
from pydantic import ValidationError

from model.errors import DrugFactsError
from model.facts.schema import ClassFile, Drug, Fact, Source

CLASS_PREFIX = "class: "


@dataclass(frozen=True, slots=True)
class PlacedFact:
    """A fact with its file and its document."""

    fact_id: str
    """Drug, kind and what sets it apart: it stays when other facts come or go."""
    class_: str
    fact: Fact
    source: Source


@dataclass(frozen=True, slots=True)
class Library:
    """All drug facts."""

    files: Mapping[str, ClassFile]
    """By class."""

    @property
    def drugs(self) -> dict[str, Drug]:
        """Every medicine by its international name."""
        return {name: drug for file in self.files.values() for name, drug in file.drugs.items()}

    def class_of(self, drug: str) -> str:
        """The class whose file holds a medicine."""
        return next(class_ for class_, file in self.files.items() if drug in file.drugs)

    def facts(self) -> Iterator[PlacedFact]:
        """Every fact, file by file."""
        for class_, file in self.files.items():
            for fact in file.facts:
                yield PlacedFact(fact_id(fact), class_, fact, file.sources[fact.source])

    def members(self, other: str) -> tuple[str, ...]:
        """The medicines meant by a name or by `class: name`."""
        if other.startswith(CLASS_PREFIX):
            return tuple(self.files[other.removeprefix(CLASS_PREFIX)].drugs)
        return (other,)

    def members_or_none(self, other: str) -> tuple[str, ...]:
        """Likewise; none for a class that no file holds."""
        known = other.removeprefix(CLASS_PREFIX) in self.files
        return self.members(other) if known or not other.startswith(CLASS_PREFIX) else ()


def fact_id(fact: Fact) -> str:
    """What a fact is about, as one word of its own: drug, kind, and 8 digits of its subject."""
    apart = {key: value for key, value in fact.model_dump(mode="json").items() if key in _SUBJECT}
    digest = sha256(repr(sorted(apart.items())).encode()).hexdigest()[:8]
    return f"{fact.drug.replace(' ', '_')}.{fact.kind}.{digest}"


_SUBJECT = (
    "other", "measure", "at_least", "below", "child_pugh", "allergic_to", "reaction", "period",
    "condition", "from_months", "to_months", "indication", "route", "wrong_plan",
)  # fmt: skip


def read_files(directory: Path) -> dict[str, ClassFile]:
    """Read every file of a directory.

    Raises:
        DrugFactsError: With every fault of every file, each with its path and the value.
    """
    files: dict[str, ClassFile] = {}
    faults: list[str] = []
    for path in sorted(directory.glob("*.yaml")):
        try:
            file = ClassFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            faults.append(f"{path.name} is not readable YAML: {error}")
            continue
        except ValidationError as error:
            faults += [f"{path.name}: {fault}" for fault in _in_words(error)]
            continue
        if file.class_ != path.stem:
            faults.append(f"{path.name}: class is {file.class_!r}; name file and class alike")
        files[file.class_] = file
    if faults:
        raise DrugFactsError("drug facts cannot be used:\n- " + "\n- ".join(faults))
    if not files:
        raise DrugFactsError(
            f"{directory} holds no drug facts (*.yaml); name a directory that does"
        )
    return files


def load_library(directory: Path) -> Library:
    """Read and check the drug facts of a directory.

    Raises:
        DrugFactsError: With every fault at once.
    """
    from model.facts.checks import faults_of

    library = Library(read_files(directory))
    faults = faults_of(library)
    if faults:
        raise DrugFactsError("drug facts cannot be used:\n- " + "\n- ".join(faults))
    return library


def _in_words(error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors(include_url=False):
        path = ".".join(str(part) for part in fault["loc"])
        is_plain = isinstance(fault["input"], str | int | float | bool | None)
        found = f" (found {fault['input']!r})" if is_plain else ""
        lines.append(f"{path}: {fault['msg'].removeprefix('Value error, ')}{found}")
    return lines
