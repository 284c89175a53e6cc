"""The first stage: does the payload satisfy its workflow's contract, as it came or amended?"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.contracts.broken import broken_places
from orchestrator.domain.contracts.contract import MOST_VIOLATIONS, TooDear
from orchestrator.domain.delivery.verdicts import Amended, Rejected, Valid, Violation
from orchestrator.domain.errors import NothingToChange, Refused
from orchestrator.domain.reasons import Reason
from orchestrator.domain.recipes.recipe import Judge, Recipe, mend_broken
from orchestrator.domain.text.abbreviate import shorten
from orchestrator.domain.workflows.compiled import CompiledWorkflow

_VALID = Valid()
_LONGEST_PLACE = 300  # characters; the violation itself has the whole


def validate_or_amend(payload: object, workflow: CompiledWorkflow) -> Valid | Amended | Rejected:
    """Valid as it is, Amended by the workflow's own recipe, or Rejected as it came.

    A payload that satisfies the contract is never touched, and in one that breaks it each step acts
    only where its own place does. Where a step does not fit, the detail of the rejection says so.
    """
    verdict = validate(payload, workflow)
    steps = workflow.workflow.amend
    if isinstance(verdict, Valid) or not steps:
        return verdict
    try:
        mended = mend_broken(payload, Recipe(steps=steps), judge_of(workflow))
    except (NothingToChange, TooDear):
        return verdict
    except Refused as refused:
        return replace(verdict, detail=f"{verdict.detail}; {_unfit(refused)}")
    if isinstance(validate(mended.payload, workflow), Rejected):
        return verdict
    made = sorted({one.step for one in mended.changes})
    return Amended(payload=mended.payload, steps=tuple(made))


def _unfit(refused: Refused) -> str:
    where = f"{shorten(refused.field, _LONGEST_PLACE)}: " if refused.field else ""
    return f"`amend` does not fit: {where}{refused.detail}"


def judge_of(workflow: CompiledWorkflow) -> Judge:
    """Which places of a payload break a workflow's contract; asking raises TooDear."""
    return lambda payload: broken_places(workflow.contract, payload).holds


def validate(payload: object, workflow: CompiledWorkflow) -> Valid | Rejected:
    """Valid, or Rejected with every violation of the contract, or for what it would cost."""
    try:
        violations = workflow.contract.violations(payload)
    except TooDear as error:
        return Rejected(reason=Reason.CONTRACT_LIMIT, detail=str(error))
    if not violations:
        return _VALID
    return Rejected(
        reason=Reason.CONTRACT_VIOLATION, detail=_sentence(violations), violations=violations
    )


def _sentence(violations: tuple[Violation, ...]) -> str:
    first, more = violations[0], len(violations) - 1
    where = f"{shorten(first.path, _LONGEST_PLACE)}: " if first.path else ""
    at_least = "at least " if len(violations) == MOST_VIOLATIONS else ""
    rest = f" (and {at_least}{more} more)" if more else ""
    return f"{where}{first.message}{rest}"
