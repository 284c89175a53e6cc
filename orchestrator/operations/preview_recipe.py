"""What a recipe would make of quarantined events: before and after, and whether they then pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from orchestrator.domain.compiled import CompiledWorkflow
from orchestrator.domain.errors import NothingToChange, Refused
from orchestrator.domain.recipe import Change, Mended, Recipe, apply_recipe
from orchestrator.domain.verdicts import Rejected, Violation
from orchestrator.operations.select_events import selected_chunks
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import validate
from orchestrator.store.engine import Store, Tx
from orchestrator.store.quarantine import bodies_of_amended, effective_payloads
from orchestrator.store.selection import Selection, by_workflow
from orchestrator.store.workflows import LiveWorkflow, WorkflowShelf, require_live


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One event under a recipe: what changes in it, and where it would then go."""

    id: str
    passes: bool
    already: bool = False  # it was amended so before: as it came it would pass with the recipe
    changes: tuple[Change, ...] = ()
    to: tuple[str, ...] = ()  # the destinations of the route that it would take
    reason: str | None = None  # why it would not pass
    detail: str | None = None
    violations: tuple[Violation, ...] = ()
    payload: object = None  # after the recipe

    def as_json(self) -> dict[str, object]:
        """What is shown of it: the changes, and not the whole payload."""
        shown = asdict(self)
        del shown["payload"]
        return shown


@dataclass(kw_only=True)
class Preview:
    """What a recipe would do."""

    recipe: dict[str, object]
    passing: int = 0
    already: int = 0  # amended so before
    refused: int = 0
    places: list[int] = field(default_factory=list)  # by step: in how many events it does something
    workflows: list[dict[str, object]] = field(default_factory=list)  # client, workflow, version
    events: list[dict[str, object]] = field(default_factory=list)
    skipped: list[dict[str, object]] = field(default_factory=list)  # id, state: not standing here


def preview_recipe(
    store: Store,
    selection: Selection,
    recipe: Recipe,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Preview:
    """Try a recipe on every selected event, against contract and routes of the live version.

    Nothing is changed. Raises NotFound, Refused for a selection without a condition.
    """
    found, skipped = selected_chunks(store, selection)
    preview = Preview(recipe=recipe.describe(), places=[0] * len(recipe.steps), skipped=skipped)
    shelf = WorkflowShelf()
    for chunk in found:
        with store.read() as tx:
            for (client, name), ids in by_workflow(tx, chunk).items():
                live = require_live(tx, client, name)
                _note_workflow(preview, live)
                for tried in try_recipe(tx, ids, recipe, shelf.take(tx, live.id)):
                    _add(preview, tried)
        progress(preview.passing + preview.already + preview.refused)
    return preview


def try_recipe(
    tx: Tx, ids: Sequence[str], recipe: Recipe, workflow: CompiledWorkflow
) -> list[Tried]:
    """Each event with the recipe made on its payload, amended before or not."""
    payloads = effective_payloads(tx, ids)
    tried = [_try(one, payloads[one], recipe, workflow) for one in ids if one in payloads]
    came = bodies_of_amended(tx, [one.id for one in tried if one.reason == _NOTHING])
    return [
        Tried(id=one.id, passes=False, already=True, detail="it was amended so before")
        if one.id in came and _try(one.id, came[one.id], recipe, workflow).passes
        else one
        for one in tried
    ]


_NOTHING = "nothing_to_change"


def _try(event_id: str, payload: object, recipe: Recipe, workflow: CompiledWorkflow) -> Tried:
    try:
        mended = apply_recipe(payload, recipe)
    except NothingToChange as nothing:
        return Tried(id=event_id, passes=False, reason=_NOTHING, detail=str(nothing))
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
        to=tuple(one.destination for one in routed.deliveries),
        payload=mended.payload,
    )


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


def _note_workflow(preview: Preview, live: LiveWorkflow) -> None:
    told: dict[str, object] = {
        "client": live.client, "workflow": live.name, "version": live.version
    }  # fmt: skip
    if told not in preview.workflows:
        preview.workflows.append(told)


def _add(preview: Preview, tried: Tried) -> None:
    preview.passing += tried.passes
    preview.already += tried.already
    preview.refused += not (tried.passes or tried.already)
    for step in {one.step for one in tried.changes}:
        preview.places[step] += 1
    preview.events.append(tried.as_json())
