"""Saved recipes: one by its number, and those that would let some events of an incident pass."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.errors import NotFound
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.operations.repair.preview_recipe import try_recipe
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.recipes import SavedRecipe, find_recipe, list_recipes

_MOST_TRIED = 20  # the recipes used last


def saved_recipe(store: Store, number: int, *, clients: frozenset[str] | None = None) -> Recipe:
    """The recipe of a number, of one of these `clients` (None: any). Raises NotFound."""
    with store.read() as tx:
        found = find_recipe(tx, number)
    if found is None or not (clients is None or found.client in clients):
        raise NotFound(
            f"there is no recipe {number}", field="saved", fix="see `meshline quarantine recipes`"
        )
    return recipe_of(found.steps, note=found.note)


def recipes_that_help(tx: Tx, live: CompiledWorkflow, ids: Sequence[str]) -> list[SavedRecipe]:
    """The saved recipes of a workflow under which these events of it would pass, the last first.

    They are tried, as `preview_recipe` does it; nothing is changed.
    """
    client, name = live.workflow.client, live.workflow.name
    return [
        one
        for one in list_recipes(tx, client=client, workflow=name, limit=_MOST_TRIED)
        if all(tried.passes for tried in try_recipe(tx, ids, recipe_of(one.steps), live))
    ]
