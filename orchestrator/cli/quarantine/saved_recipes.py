"""`meshline quarantine recipes`: the fixes that were used, by whom, and on how many events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Limit, OnlyClient, OnlyWorkflow
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.who import seen_clients
from orchestrator.presenting.moments import age
from orchestrator.presenting.recipes import told_of_step

if TYPE_CHECKING:
    from orchestrator.store.desk.recipes import SavedRecipe


def recipes(
    client: OnlyClient = None,
    workflow: OnlyWorkflow = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List the recipes that were applied or published, those used last first.

    `quarantine recipe --saved N` uses one again.
    """
    with opened_store() as store:
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.desk.recipes import list_recipes
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        with store.read() as tx:
            now = now_of(tx)
            check_filters(tx, client=client, workflow=workflow, clients=clients)
            found = list_recipes(tx, client=client, workflow=workflow, clients=clients, limit=limit)
        found = shown_here(store, found)
    if as_json:
        put_json({"recipes": found})
        return
    if not found:
        put("no recipe was saved")
        note("`meshline quarantine recipe … --apply` saves one")
        return
    put_table(
        ("RECIPE", "EVENTS", "USED", "WORKFLOW", "AUTHOR", "STEPS", "WHY"),
        [
            (
                one.recipe,
                one.events,
                f"{age(one.used_at, now)} ago" if one.used_at else None,
                _whose(one),
                one.author,
                "\n".join(map(told_of_step, one.steps)),
                one.note,
            )
            for one in found
        ],
        below=("STEPS", "WHY"),
    )


def _whose(one: SavedRecipe) -> str:
    version = f", version {one.version}" if one.version else ""
    return f"{one.client}/{one.workflow}{version}"
