"""One workflow: whose it is, what it takes, where it leads, which versions there are, its map."""

from __future__ import annotations

import re

from tornado.web import authenticated

from orchestrator.dashboard.filters import PageFilters
from orchestrator.dashboard.given import searchable
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.dashboard.pages.workflows.drawing import draw_map
from orchestrator.dashboard.pages.workflows.list import WorkflowFilters
from orchestrator.dashboard.pages.workflows.said import told_workflow
from orchestrator.dashboard.pages.workflows.words import tell_last_event, tell_map
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.store.changes.views import open_changes_of
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.success_rates import rate_of
from orchestrator.store.views.values import iso_time, now_of
from orchestrator.store.views.workflow_versions import show_workflow
from orchestrator.store.views.workflows.flow import open_incidents, show_flow
from orchestrator.store.views.workflows.list import find_last_events

MOST_INCIDENTS = 10


class WorkflowPage(StorePage):
    """One workflow, in its live version or the one that was asked for."""

    tab = "workflows"

    @authenticated
    async def get(self, client: str, name: str) -> None:
        """Answer GET /workflows/CLIENT/NAME."""
        asked = self.get_argument("version", "", escape=False).strip()
        if asked and not re.fullmatch("[0-9]{1,9}", asked):
            fix = "write one such as 3"
            wrong = Refused(f"{asked!r} is not a version", field="version", fix=fix)
            self.tell(400, "That cannot be shown", wrong)
            return
        version = int(asked) if asked else None
        await self.show(
            "workflow.html",
            lambda tx, seen: look_at_workflow(
                tx, searchable(client), searchable(name), version, seen
            ),
            what="workflow",
        )


def look_at_workflow(
    tx: Tx,
    client: str,
    name: str,
    version: int | None = None,
    clients: frozenset[str] | None = None,
) -> dict[str, object]:
    """What the page shows. Raises NotFound."""
    found = show_workflow(tx, client, name, version=version)
    if found is None or not (clients is None or client in clients):
        which = f"version {version} of workflow" if version else "live workflow"
        raise NotFound(f"client {client!r} has no {which} {name!r}")
    now = now_of(tx)
    said, flow = told_workflow(found.shown.definition), show_flow(tx, client, name)
    incidents = open_incidents(tx, client, name, limit=MOST_INCIDENTS + 1)
    return {
        "now": iso_time(now),
        "page": found,
        "said": said,
        "flow": flow,
        "rows": {one.destination: one for one in flow.destinations},
        "map": draw_map(said, flow),
        "map_words": tell_map(said, flow),
        "last_event": tell_last_event(find_last_events(tx, [(client, name)])[client, name], now),
        "success_rate": rate_of(tx, (client, name)) if said.promises_rate else None,
        "changes": open_changes_of(tx, {(client, name)}).get((client, name), []),
        "incidents": incidents[:MOST_INCIDENTS],
        "more_incidents": len(incidents) > MOST_INCIDENTS,
        "at_workflow": PageFilters(client=client, workflow=name).at(),
        "at_client": WorkflowFilters(client=client).at(),
    }
