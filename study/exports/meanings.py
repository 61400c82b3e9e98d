"""What each column of the frozen dataset means, in the words of `docs/data_dictionary.md`."""

from __future__ import annotations

MEANINGS: dict[str, dict[str, str]] = {
    "vignettes": {
        "vignette_id": "such as V03",
        "version": "of the vignette's text and key",
        "title": "neutral title",
        "category": "hazard category",
        "plan_appropriate": "true for a GO vignette",
        "difficulty": "low, medium or high: an estimate",
        "text_sha256": "digest of the words shown",
    },
    "respondents": {
        "respondent_id": "random; the person's or checkpoint's",
        "arm": "id of the arm",
        "kind": "clinician or model",
        "stratum": "such as PGY1",
        "scripted": "true for a simulated person",
        "model": "name of the served model",
        "weights_sha256": "digest of its weights, as its endpoint stated it",
    },
    "raters": {
        "rater_id": "random",
        "scripted": "true for a simulated person",
    },
    "responses": {
        "response_id": "random; `missing:...` for a response that should exist and does not",
        "vignette_id": "the vignette",
        "respondent_id": "who answered",
        "arm": "id of the arm",
        "status": "submitted, failed or missing",
        "failure": "kind of a failed generation",
        "blinding_code": "what raters saw as its name",
        "text": "as submitted",
        "masked_text": "as raters saw it",
        "n_masking_changes": "how many changes masking made",
        "confidence": "of a clinician, 1 not at all to 5 certain",
        "position": "in the clinician's own order, from 1",
        "submitted_at": "when it was submitted or taken in",
        "prompt_tokens": "of a model",
        "completion_tokens": "of a model",
    },
    "assignments": {
        "rater_id": "the rater",
        "blinding_code": "the masked response",
        "position": "in the rater's own order, from 1",
        "status": "rated or missing",
    },
    "ratings": {
        "rating_id": "random",
        "rater_id": "the rater",
        "blinding_code": "the masked response",
        "vignette_id": "its vignette",
        "position": "in the rater's own order",
        "revision": "1 for the first submission",
        "final": "true for the rating that is analysed",
        "(one column a dimension)": "the score, named by the protocol's dimension id",
        "comment": "the rater's words",
        "submitted_at": "when it was submitted",
    },
    "masking_changes": {
        "blinding_code": "the masked response",
        "number": (
            "order of the change, from 1; undone from last to first, they give the submitted text"
        ),
        "rule": "salutation, self_identification, layout, typography or custodian",
        "start": "place in the text as it stood when the change was made, in characters",
        "before": "what stood there",
        "after": "what stands there now",
    },
    "audit": {
        "number": "from 1, without gaps",
        "at": "when",
        "actor": "who",
        "role": "in which role",
        "action": "what",
        "subject": "on what",
        "details": "canonical JSON",
        "previous_sha256": "digest of the event before",
        "sha256": "digest of this event's content and of the one before",
    },
    "amendments": {
        "number": "from 1",
        "version": "of the protocol it made",
        "protocol_sha256": "digest of that version",
        "changed": "paths in the protocol, a JSON list",
        "reason": "why",
        "amended_by": "who",
        "amended_at": "when",
    },
    "deviations": {
        "deviation_id": "random",
        "kind": "a few words",
        "subject": "pseudonym or blinding code; missing where it is about none",
        "description": "what happened",
        "reported_by": "who logged it; `system` where a service noticed it",
        "reported_at": "when",
    },
    "approvals": {
        "verb": "lock, unblind or code break",
        "subject": "the blinding code of a code break; else missing",
        "reason": "why the second person consented",
        "approved_by": "the second person",
        "approved_at": "when",
    },
    "consents": {
        "person_id": "who signed; the name as typed is not in the dataset",
        "version": "of the consent",
        "text_sha256": "digest of the words that were signed",
        "signed_at": "when",
    },
    "withdrawals": {
        "person_id": "who left",
        "role": "resident or rater",
        "disposition": (
            "keep submitted, or leave analysis: then the analysis reads none of this "
            "person's answers or ratings"
        ),
        "withdrawn_at": "when",
    },
    "same_person": {
        "first_id": "one account",
        "second_id": "another that shares its browser or signature",
        "same": (
            "whether they were decided to be one human being; then the analysis drops the "
            "second account's ratings of responses that the first rated too"
        ),
        "reason": "why",
        "decided_at": "when",
    },
    "attestations": {
        "person_id": "the respondent",
        "conditions_sha256": "digest of the conditions that were confirmed",
        "kept": "whether those of the sitting before were kept; true in the first",
        "remark": "what was not",
        "attested_at": "when",
    },
    "conduct": {
        "respondent_id": "who answered",
        "vignette_id": "the vignette",
        "first_shown_at": (
            "when the vignette was first shown to the respondent; missing without a time limit"
        ),
        "seconds_late": ("whole seconds after the limit, 0 in time; missing without a time limit"),
        "pastes": "pastes into the answer; missing where they are not counted",
        "pasted_characters": "characters in those pastes",
        "focus_losses": "times the page was left for another window, tab or a locked screen",
        "seconds_away": "seconds away altogether",
    },
    "rating_notes": {
        "rater_id": "the rater",
        "blinding_code": "the masked response",
        "kind": "flag (told to the study team) or conflict (given back; its rating is missing)",
        "text": "the rater's words",
        "written_at": "when",
    },
    "marks": {
        "rater_id": "the rater",
        "blinding_code": "the masked response",
        "kind": (
            "harm_any, harm_severe, must_met, should_met, bonus_met, critical_error, "
            "omission, over_caution, or the name of an error kind"
        ),
        "item": "a key point's id; missing where the kind has none",
        "marked": "true or false",
    },
    "guesses": {
        "rater_id": "the rater",
        "blinding_code": "the masked response",
        "guess": 'id of an arm; missing for "don\'t know"',
        "confidence": "1 not at all to 5 certain",
    },
    "harms": {
        "rater_id": "the rater",
        "blinding_code": "the masked response",
        "severity": "id of the protocol's level",
        "likelihood": "id of the protocol's level; missing where there is no harm",
    },
    "calibrations": {
        "rater_id": "the rater",
        "number": "of the attempt, from 1",
        "share_within_one": "share of scores within one point of the agreed ones",
        "passed": "whether it reached the pass mark",
        "attempted_at": "when",
    },
    "adjudications": {
        "adjudicator_id": "who decided",
        "blinding_code": "the masked response",
        "dimension": "in dispute",
        "score": "the decision",
        "comment": "the adjudicator's words",
        "decided_at": "when",
    },
    "repeat_ratings": {
        "rater_id": "the rater",
        "blinding_code": "the response's own code",
        "repeat_code": "the code under which the rater saw it again",
        "position": "of the second presentation in the rater's order",
        "(one column a dimension)": "score",
        "submitted_at": "when",
    },
    "cue_pairs": {
        "first_vignette": "of the pair, by id",
        "second_vignette": "the other",
    },
}
ROWS: dict[str, str] = {
    "vignettes": "a vignette",
    "respondents": "somebody who answers: one clinician, or one model checkpoint",
    "raters": "a rater who has joined",
    "responses": "a respondent's vignette, answered or not",
    "assignments": "a masked response in a rater's queue, its first presentation",
    "ratings": "a submitted rating; a correction is a row of its own, and `final` marks the last",
    "masking_changes": "a change that masking or the custodian made to a response",
    "audit": "an event of the study's audit chain",
    "amendments": "an amendment of the protocol",
    "deviations": "a logged deviation",
    "approvals": "a second person's consent to a final step",
    "consents": "a signature under the consent",
    "withdrawals": "somebody who left",
    "same_person": "a pair of accounts that was looked into",
    "attestations": "a sitting whose conditions were confirmed",
    "conduct": "a clinician's submitted answer",
    "rating_notes": "a note of a rater on a masked response",
    "marks": "a yes-or-no mark of a rater on a masked response",
    "guesses": "a rater's guess of who wrote a masked response",
    "harms": "a rater's last words on harm for a masked response",
    "calibrations": "an attempt of a rater at the practice responses",
    "adjudications": "a disputed score that was decided",
    "repeat_ratings": "the second rating of a hidden repeat",
    "cue_pairs": "two vignettes that are kept apart",
}
"""What one row of each table is."""
DIMENSION = "(one column a dimension)"
"""Stands in the tables of scores for each dimension of the protocol."""
MISSING: dict[str, str] = {
    "respondents.stratum": "no stratum is declared for the arm, or none was given",
    "respondents.model": "a clinician, or a model whose responses were never taken in",
    "respondents.weights_sha256": "a clinician, or a model whose responses were never taken in",
    "responses.failure": "not a failed generation",
    "responses.blinding_code": "there is no text that could be rated",
    "responses.text": "a failed generation or an unanswered vignette; never an empty text",
    "responses.masked_text": "there is no text that could be rated",
    "responses.n_masking_changes": "there is no text that could be masked",
    "responses.confidence": "a model, an unanswered vignette, or the protocol does not ask",
    "responses.position": "a model, which has no order, or a vignette never dealt",
    "responses.submitted_at": "an unanswered vignette",
    "responses.prompt_tokens": "a clinician, or the endpoint did not say",
    "responses.completion_tokens": "a clinician, or the endpoint did not say",
    "ratings.comment": "the rater wrote none",
    "marks.item": "the kind has no items",
    "guesses.guess": "the rater did not know",
    "guesses.confidence": "the rater did not know",
    "harms.likelihood": "no harm",
    "deviations.subject": "it is about nobody in particular",
    "approvals.subject": "the step is about no single response",
    "adjudications.comment": "the adjudicator wrote none",
    "attestations.remark": "nothing was remarked",
    "conduct.first_shown_at": "there is no time limit",
    "conduct.seconds_late": "there is no time limit",
    "conduct.pastes": "not counted in this study",
    "conduct.pasted_characters": "not counted in this study",
    "conduct.focus_losses": "not counted in this study",
    "conduct.seconds_away": "not counted in this study",
}
"""What a missing value says, where one can occur."""
NEVER = "never missing"
CONFIDENCE = "1 not at all sure to 5 certain"
UNITS: dict[str, str] = {
    "responses.confidence": CONFIDENCE,
    "guesses.confidence": CONFIDENCE,
    "calibrations.share_within_one": "share, 0 to 1",
    "masking_changes.start": "characters from 0",
    "responses.prompt_tokens": "tokens",
    "responses.completion_tokens": "tokens",
    "responses.n_masking_changes": "changes",
    "conduct.seconds_late": "seconds",
    "conduct.seconds_away": "seconds",
    "conduct.pasted_characters": "characters",
}
"""Unit or scale of a number; times are aware UTC, positions and numbers count from 1."""
COUNTED = ("position", "number", "revision", "version")


def meaning_of(table: str, column: str) -> str:
    """What a column holds; a column that nobody described says so.

    Args:
        table: Of the frozen dataset.
        column: Of the table; a dimension's id means its score.
    """
    known = MEANINGS.get(table, {})
    if column in known:
        return known[column]
    return known.get(DIMENSION, "not described; see the program that wrote it")


def is_described(table: str, column: str) -> bool:
    """Whether the column has words of its own."""
    return column in MEANINGS.get(table, {})
