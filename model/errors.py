"""What can go wrong with the model, each under its own name; every message can be shown."""

from __future__ import annotations


class ModelError(Exception):
    """Base of all errors of the model. Its text names the thing, the value and the remedy."""


class TaskError(ModelError):
    """A tasks directory cannot be used."""


class RespondError(ModelError):
    """A run of answers cannot start or go on."""


class EndpointError(ModelError):
    """An endpoint does not come up, or its port is taken."""


class CheckpointError(ModelError):
    """A checkpoint directory cannot be used."""


class TrainingError(ModelError):
    """A training run's TOML, its corpus or its output directory cannot be used."""


class FirewallError(ModelError):
    """Training rows hold text they must not hold, or what to compare with is missing."""


class LedgerError(ModelError):
    """The ledger of training rows cannot be used, or refuses what it was given."""


class DrugFactsError(ModelError):
    """The drug facts cannot be used."""


class ItemError(ModelError):
    """A file of evaluation items cannot be used; the text names file, place and value."""


class EvaluationError(ModelError):
    """An evaluation cannot start, go on or be read."""


class JudgeError(ModelError):
    """A judge may not grade this benchmark, or cannot be asked."""


class SignatureError(ModelError):
    """A signing key cannot be used."""
