"""Whether a new contract takes every payload that the old one takes, from the schemas alone."""

from __future__ import annotations

from enum import StrEnum

from jsonschema_rs import (
    CanonicalSchema,
    FancyRegexOptions,
    ReferencingError,
    ValidationError,
    canonical,
    canonicalize,
)

from orchestrator.domain.contracts.document import DRAFT_7, draft_of
from orchestrator.domain.contracts.pattern_cost import BACKTRACKS
from orchestrator.domain.workflows.workflow import Workflow

_PATTERNS = FancyRegexOptions(backtrack_limit=BACKTRACKS)


class Covers(StrEnum):
    """Whether every payload that passes today passes then."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  # the schemas do not tell it; real events may


TOLD = {
    Covers.YES: "every payload that the contract takes today, it takes then",
    Covers.NO: "some payloads that the contract takes today, it refuses then",
    Covers.UNKNOWN: "whether it takes all that it takes today, the two contracts do not tell",
}


def covers(after: Workflow, before: Workflow) -> Covers:
    """Whether the contract of `after` takes every payload that the one of `before` takes."""
    if (after.contract, after.formats) == (before.contract, before.formats):
        return Covers.YES
    try:
        answer = _canonical(after).covers(_canonical(before))
    except (ValidationError, ReferencingError, canonical.CanonicalizationError, ValueError):
        return Covers.UNKNOWN
    return Covers(answer.value)


def _canonical(workflow: Workflow) -> CanonicalSchema:
    return canonicalize(
        workflow.contract,
        draft=7 if draft_of(workflow.contract) == DRAFT_7 else None,
        validate_formats=workflow.formats == "assert",
        pattern_options=_PATTERNS,
        offline=True,
    )
