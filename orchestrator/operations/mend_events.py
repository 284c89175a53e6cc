"""Apply a recipe to quarantined events: audited amendments, of those that then pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from orchestrator.domain.recipe import Recipe
from orchestrator.operations.preview_recipe import try_recipe
from orchestrator.operations.select_events import selected_chunks
from orchestrator.store.engine import Store
from orchestrator.store.quarantine import amend
from orchestrator.store.selection import Selection, by_workflow
from orchestrator.store.workflows import WorkflowShelf, require_live


@dataclass(kw_only=True)
class Amendments:
    """What a recipe did."""

    ids: list[str] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)  # id, reason, detail, violations
    skipped: list[dict[str, object]] = field(default_factory=list)  # id, state: not standing here


def mend_events(
    store: Store,
    selection: Selection,
    recipe: Recipe,
    *,
    actor: str,
    progress: Callable[[int], None] = lambda _: None,
) -> Amendments:
    """Amend every selected event that the recipe lets pass contract and routes; no other.

    The payload as it came is kept, and the audit has the recipe with its author. Nothing is
    replayed. Raises NotFound, Refused for a selection without a condition.
    """
    found, skipped = selected_chunks(store, selection)
    done = Amendments(skipped=skipped)
    detail = {"recipe": replace(recipe, author=recipe.author or actor).describe()}
    shelf = WorkflowShelf()
    for chunk in found:
        with store.write() as tx:
            for (client, name), ids in by_workflow(tx, chunk).items():
                workflow = shelf.take(tx, require_live(tx, client, name).id)
                tried = try_recipe(tx, ids, recipe, workflow)
                amended = {one.id: one.payload for one in tried if one.passes}
                done.ids += amend(tx, amended, actor=actor, detail=detail)
                done.refused += [one.as_json() for one in tried if not one.passes]
        progress(len(done.ids) + len(done.refused))
    return done
