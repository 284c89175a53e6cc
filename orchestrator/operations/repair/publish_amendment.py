"""Publish the next version of a workflow with a recipe in it, so that no event fails so again."""

from __future__ import annotations

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import ChangeKind
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.recipes.steps import MOST_STEPS
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.access.allow import allow
from orchestrator.operations.publish_workflow import Published, publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.desk.recipes import note_published, save_recipe
from orchestrator.store.quarantine.workflows import definition_of, require_live


def publish_amendment(
    store: Store, client: str, name: str, recipe: Recipe, *, actor: Actor
) -> Published:
    """Propose a version that has the recipe's steps after those that the live one has.

    Where the client's changes need no approval it is live at once. Raises NotFound without a live
    version, Refused where it would have too many steps, WorkflowConflict where another version
    comes between.
    """
    with store.read() as tx:
        allow(tx, actor, Act.PUBLISH_AMENDMENT, [client])
        live = require_live(tx, client, name)
        workflow = Workflow.from_published(orjson.loads(definition_of(tx, live.id)))
    added = tuple(one for one in recipe.steps if one not in workflow.amend)
    steps = workflow.amend + added
    if len(steps) > MOST_STEPS:
        raise Refused(
            f"the workflow would have {len(steps)} steps",
            field="amend",
            fix=f"keep at most {MOST_STEPS}: take out of the workflow's file what came to its end",
        )
    amended = workflow.model_copy(update={"amend": steps})
    with store.write() as tx:  # first, so that its author is one of the change's
        number = save_recipe(tx, recipe, client, name, actor=actor.name)
    published = publish_workflow(
        store, amended, actor=actor, instead_of=live.version, kind=ChangeKind.AMEND, why=recipe.note
    )
    if published.version is not None:
        with store.write() as tx:
            note_published(tx, number, published.version)
    return published
