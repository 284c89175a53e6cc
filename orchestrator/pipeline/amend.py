"""The first stage with a standing amendment: what breaks the contract is mended by it, or not."""

from __future__ import annotations

from orchestrator.domain.delivery.verdicts import Amended, Rejected, Valid
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.recipe import Recipe, apply_recipe
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.pipeline.validate import validate


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
