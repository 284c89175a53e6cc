"""Apply a recipe to quarantined events: audited amendments, of those that then pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.operations.choose_amendable import (
    Seen,
    Untouched,
    choose_amendable,
    look_at_amended,
)
from orchestrator.operations.preview_recipe import Tried, try_recipe
from orchestrator.operations.select_events import selected_chunks
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_events
from orchestrator.store.desk.recipes import note_amended, save_recipe
from orchestrator.store.quarantine.actions import amend
from orchestrator.store.quarantine.workflows import WorkflowShelf, require_live
from orchestrator.store.views.selection import Selection, by_workflow


@dataclass(kw_only=True)
class Amendments(Untouched):
    """What a recipe did."""

    ids: list[str] = field(default_factory=list)
    recipes: list[int] = field(default_factory=list)  # saved as, one a workflow
    refused: list[Tried] = field(default_factory=list)  # would not pass


def mend_events(
    store: Store,
    selection: Selection,
    recipe: Recipe,
    *,
    actor: str,
    again: bool = False,
    from_original: bool = False,
    seen: Seen | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Amendments:
    """Amend every selected event that the recipe lets pass contract and routes; no other.

    The payload as it came is kept; the recipe is saved with its author, and the audit says which
    it was. Nothing is replayed. What somebody else amended is passed over without `again`, and what
    is not as it was `seen` by a preview is left alone. `progress` gets, after each chunk, how many
    were looked at. Raises NotFound, Refused for a selection
    without a condition.
    """
    found, skipped = selected_chunks(store, selection)
    before = look_at_amended(store, found) if seen is None else seen
    done = Amendments(skipped=skipped)
    shelf = WorkflowShelf()
    looked_at = 0
    for chunk in found:
        with store.write() as tx:
            hold_events(tx, chunk)  # before their payloads are read: another may be amending them
            free = choose_amendable(tx, chunk, done, actor=actor, again=again, seen=before)
            for (client, name), ids in by_workflow(tx, free).items():
                workflow = shelf.take(tx, require_live(tx, client, name).id)
                tried = try_recipe(tx, ids, recipe, workflow, from_original=from_original)
                amended = {one.id: one.payload for one in tried if one.passes}
                done.ids += _amend(tx, amended, recipe, (client, name), actor, done)
                done.refused += [one for one in tried if not (one.passes or one.already)]
        looked_at += len(chunk)
        progress(looked_at)
    return done


def _amend(
    tx: Tx,
    amended: Mapping[str, object],
    recipe: Recipe,
    workflow: tuple[str, str],
    actor: str,
    done: Amendments,
) -> list[str]:
    """Amend events of one workflow, and save the recipe beside it."""
    if not amended:
        return []
    number = save_recipe(tx, recipe, *workflow, actor=actor)
    detail = {"recipe": number, "note": recipe.note} if recipe.note else {"recipe": number}
    moved = amend(tx, amended, actor=actor, detail=detail)
    note_amended(tx, number, len(moved))
    if number not in done.recipes:
        done.recipes.append(number)
    return moved
