"""What a recipe would make of quarantined events: before and after, and whether they then pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.documents import strict_json
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.operations.quarantine.select import selected_chunks
from orchestrator.operations.repair.choose_amendable import Untouched, choose_amendable
from orchestrator.operations.repair.try_on_payload import NOTHING, Tried, try_on_payload
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.actions import bodies_of_amended, effective_payloads
from orchestrator.store.quarantine.amendments import digests_of_amended
from orchestrator.store.quarantine.workflows import LiveWorkflow, WorkflowShelf, require_live
from orchestrator.store.views.quarantine.selection import Selection, by_workflow


@dataclass(frozen=True, kw_only=True, slots=True)
class TriedUnder:
    """A workflow whose events were tried."""

    client: str
    workflow: str  # its name
    version: int  # the live one


@dataclass(kw_only=True)
class Preview(Untouched):
    """What a recipe would do."""

    recipe: dict[str, object]  # as a file of recipes has it
    passing: int = 0
    already: int = 0  # amended so before
    refused: int = 0
    places: list[int] = field(default_factory=list)  # by step: in how many events it does something
    beyond: list[int] = field(default_factory=list)  # in how many of them where nothing broke
    not_standing: int = 0  # of the passing events, those that `amend` with it would not mend
    workflows: list[TriedUnder] = field(default_factory=list)
    events: list[Tried] = field(default_factory=list)

    @property
    def steps(self) -> list[Mapping[str, object]]:
        """The steps of the recipe, in their order."""
        steps = self.recipe["steps"]
        return steps if isinstance(steps, list) else []


def preview_recipe(
    store: Store,
    selection: Selection,
    recipe: Recipe,
    *,
    actor: Actor,
    again: bool = False,
    from_original: bool = False,
    seen: dict[str, str] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Preview:
    """Try a recipe on every selected event, against contract and routes of the live version.

    Nothing is changed. What somebody else than `actor` amended is passed over without `again`; with
    `from_original` the recipe works on what came. `seen` is filled with the state of the
    amended events, for `mend_events`. Raises NotFound, Refused for a selection without a condition.
    """
    found, skipped = selected_chunks(store, selection, actor=actor, act=Act.AMEND)
    none = [0] * len(recipe.steps)
    preview = Preview(recipe=recipe.describe(), places=none, beyond=[*none], skipped=skipped)
    shelf = WorkflowShelf()
    for chunk in found:
        with store.read() as tx:
            if seen is not None:
                seen.update(digests_of_amended(tx, chunk))
            free = choose_amendable(tx, chunk, preview, actor=actor, again=again)
            for (client, name), ids in by_workflow(tx, free).items():
                live = require_live(tx, client, name)
                _note_workflow(preview, live)
                workflow = shelf.take(tx, live.id)
                for tried in try_recipe(tx, ids, recipe, workflow, from_original=from_original):
                    _add(preview, tried)
        progress(preview.passing + preview.already + preview.refused)
    return preview


def try_recipe(
    tx: Tx,
    ids: Sequence[str],
    recipe: Recipe,
    workflow: CompiledWorkflow,
    *,
    from_original: bool = False,
) -> list[Tried]:
    """Each event with the recipe made on its payload as amended, or `from_original` as it came."""
    payloads = effective_payloads(tx, ids)
    came = bodies_of_amended(tx, ids)
    tried = []
    for one in ids:
        if one not in payloads:
            continue
        base = came.get(one, payloads[one]) if from_original else payloads[one]
        result = try_on_payload(one, base, recipe, workflow)
        if one in came:
            result = _or_already(result, came[one], payloads[one], recipe, workflow)
        tried.append(result)
    return tried


def _or_already(
    tried: Tried, came: object, now: object, recipe: Recipe, workflow: CompiledWorkflow
) -> Tried:
    """What the recipe makes of an amended event; `already` where that is how it is now.

    Where it finds nothing to change, what it makes of what came decides: an event that another
    amendment changed is not what the recipe would have made of it.
    """
    made = tried if tried.passes else None
    if tried.reason == NOTHING:
        made = try_on_payload(tried.id, came, recipe, workflow)
    if made and made.passes and strict_json.digest(made.payload) == strict_json.digest(now):
        return Tried(id=tried.id, passes=False, already=True, detail="it is amended so already")
    if tried.reason == NOTHING:
        return replace(tried, detail=_AMENDED_OTHERWISE)
    return tried


_AMENDED_OTHERWISE = (
    "no step finds anything to change in it as it is amended; --from-original works on what came"
)


def _note_workflow(preview: Preview, live: LiveWorkflow) -> None:
    told = TriedUnder(client=live.client, workflow=live.name, version=live.version)
    if told not in preview.workflows:
        preview.workflows.append(told)


def _add(preview: Preview, tried: Tried) -> None:
    preview.passing += tried.passes
    preview.already += tried.already
    preview.refused += not (tried.passes or tried.already)
    preview.not_standing += tried.stands is False
    for step in {one.step for one in tried.changes}:
        preview.places[step] += 1
    for step in {one.step for one in tried.changes if one.broke is False}:
        preview.beyond[step] += 1
    preview.events.append(replace(tried, payload=None))
