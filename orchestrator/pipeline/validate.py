"""The first stage: does the payload satisfy its workflow's contract, as it came or amended?"""

from __future__ import annotations

from orchestrator.domain.contracts.contract import MOST_VIOLATIONS, TooDear
from orchestrator.domain.delivery.verdicts import Amended, Rejected, Valid, Violation
from orchestrator.domain.errors import Refused
from orchestrator.domain.reasons import Reason
from orchestrator.domain.recipes.recipe import Recipe, apply_recipe
from orchestrator.domain.text.abbreviate import shorten
from orchestrator.domain.workflows.compiled import CompiledWorkflow

_VALID = Valid()
_LONGEST_PLACE = 300  # characters; the violation itself has the whole


def validate_or_amend(payload: object, workflow: CompiledWorkflow) -> Valid | Amended | Rejected:
    """Valid as it is, Amended by the workflow's own recipe, or Rejected as it came.

    A payload that satisfies the contract is never touched.
    """
    verdict = validate(payload, workflow)
    steps = workflow.workflow.amend
    if isinstance(verdict, Valid) or not steps:
        return verdict
    try:
        mended = apply_recipe(payload, Recipe(steps=steps))
    except Refused:
        return verdict
    if isinstance(validate(mended.payload, workflow), Rejected):
        return verdict
    made = sorted({one.step for one in mended.changes})
    return Amended(payload=mended.payload, steps=tuple(made))


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
