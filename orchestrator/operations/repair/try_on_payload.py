"""What a recipe would make of one payload, and whether it would then pass."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.contracts.contract import TooDear
from orchestrator.domain.delivery.verdicts import Rejected, Violation
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.errors import NothingToChange, Refused
from orchestrator.domain.reasons import Reason
from orchestrator.domain.recipes.acting import PayloadChange
from orchestrator.domain.recipes.recipe import Mended, Recipe, apply_recipe, mend_broken
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import judge_of, validate

NOTHING = "nothing_to_change"
"""The reason of a payload in which no step finds anything."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One event under a recipe: what changes in it, and where it would then go."""

    id: str
    passes: bool
    already: bool = False  # it is so already: the recipe was made on it before
    changes: tuple[PayloadChange, ...] = ()
    stands: bool | None = None  # whether it would pass by itself with the recipe as `amend`
    to: tuple[str, ...] = ()  # the destinations of the route that it would take
    reason: str | None = None  # why it would not pass
    detail: str | None = None
    violations: tuple[Violation, ...] = ()
    payload: object = None  # after the recipe

    def as_json(self) -> dict[str, object]:
        """What is shown of it: the changes, and not the whole payload."""
        shown = fields_of(self)
        del shown["payload"]
        return shown


def try_on_payload(
    event_id: str, payload: object, recipe: Recipe, workflow: CompiledWorkflow
) -> Tried:
    """The event with the recipe made on a payload of it, held against contract and routes."""
    try:
        mended = apply_recipe(payload, recipe, judge=judge_of(workflow))
    except TooDear as dear:
        return Tried(id=event_id, passes=False, reason=Reason.CONTRACT_LIMIT, detail=str(dear))
    except NothingToChange as nothing:
        return Tried(id=event_id, passes=False, reason=NOTHING, detail=str(nothing))
    except Refused as refused:
        return Tried(id=event_id, passes=False, reason="recipe", detail=str(refused))
    verdict = validate(mended.payload, workflow)
    if isinstance(verdict, Rejected):
        return _stopped(event_id, mended, verdict)
    routed = route(mended.payload, workflow)
    if isinstance(routed, Rejected):
        return _stopped(event_id, mended, routed)
    return Tried(
        id=event_id,
        passes=True,
        changes=mended.changes,
        stands=_stands(payload, recipe, workflow, mended),
        to=tuple(one.destination for one in routed.deliveries),
        payload=mended.payload,
    )


def _stands(payload: object, recipe: Recipe, workflow: CompiledWorkflow, mended: Mended) -> bool:
    """Whether the workflow would mend the payload by itself if the recipe were its `amend`."""
    if all(change.broke for change in mended.changes):
        return True
    standing = workflow.workflow.amend
    steps = standing + tuple(one for one in recipe.steps if one not in standing)
    try:
        by_itself = mend_broken(payload, Recipe(steps=steps), judge_of(workflow))
    except (Refused, TooDear):
        return False
    return not isinstance(validate(by_itself.payload, workflow), Rejected)


def _stopped(event_id: str, mended: Mended, verdict: Rejected) -> Tried:
    return Tried(
        id=event_id,
        passes=False,
        changes=mended.changes,
        reason=verdict.reason,
        detail=verdict.detail,
        violations=verdict.violations,
        payload=mended.payload,
    )
