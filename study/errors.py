"""What can go wrong in a study, each under its own name; every message can be shown to a person."""

from __future__ import annotations


class StudyError(Exception):
    """Base of all errors of a study. Its text names the thing, the value and the remedy."""


class ProtocolError(StudyError):
    """The protocol file cannot be used."""


class VignetteError(StudyError):
    """A vignette file cannot be used."""


class QuantityError(StudyError):
    """What should be a number with a unit is none, or a formula cannot be applied."""


class DrugFactsError(StudyError):
    """The dose ranges of the drug facts cannot be read."""


class ReadingError(StudyError):
    """A reading of vignettes, or its marks, cannot be used."""


class CalibrationError(StudyError):
    """The calibration of raters cannot be used."""


class InvitationError(StudyError):
    """An invitation link is unknown, used or expired."""


class SignInError(StudyError):
    """A return code was not accepted."""


class InstitutionAccountError(StudyError):
    """An institution's account cannot be linked to this person."""


class NotAllowedError(StudyError):
    """The person's role does not permit this."""


class ConsentError(NotAllowedError):
    """The person has not consented, or has withdrawn."""


class AttestationError(NotAllowedError):
    """The conditions of the sitting are not confirmed yet, or nothing is to be confirmed."""


class AnswerError(StudyError):
    """An answer was refused; nothing changed."""


class RatingError(StudyError):
    """A rating was refused; nothing changed."""


class ReviewError(StudyError):
    """A batch, a review or a vote at the review desk cannot be taken."""


class StaleDraftError(StudyError):
    """A newer draft exists, from another tab or device."""

    def __init__(self, message: str, draft: object) -> None:
        """Keep the newer draft beside the message, so that nothing is lost unseen."""
        super().__init__(message)
        self.draft = draft


class LifeCycleError(StudyError):
    """The step is not possible in the study's present state."""


class AllocationError(StudyError):
    """No allocation satisfies the design."""


class TakeInError(StudyError):
    """A responses directory was refused; nothing was taken in."""


class StillBlindedError(StudyError):
    """Arms were asked for before unblinding."""


class RealPersonEnrolledError(StudyError):
    """Simulation is refused because a real person is enrolled."""


class AuditError(StudyError):
    """The audit chain does not hold."""


class SigningError(StudyError):
    """A signing key cannot be used."""


class BundleError(StudyError):
    """A bundle cannot be read at all, so nothing about it can be verified."""


class StorageError(StudyError):
    """The database could not write or be read; nothing was saved."""
