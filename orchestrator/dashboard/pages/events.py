"""Search of events: by id, key, client, workflow, state, reason, time and words."""

from __future__ import annotations

from dataclasses import replace

from tornado.web import authenticated

from orchestrator.dashboard.filters import HELD_STATE, PageFilters, read_filters
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.errors import Refused
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.check_filters import check_filters
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.destinations.list import blocked_circuits, is_seen
from orchestrator.store.views.events.show import list_events, name_workflows
from orchestrator.store.views.values import iso, now_of

PAGE_SIZE = 50


class EventsPage(StorePage):
    """The events that were asked for, the newest first."""

    @authenticated
    async def get(self) -> None:
        """Answer GET /events."""
        try:
            # Flower would escape what it reads; here it is escaped where it is written.
            filters = read_filters(lambda name: self.get_argument(name, "", escape=False))
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
            return
        if filters.refresh:
            self.set_header("Refresh", str(filters.refresh))
        await self.show("events.html", lambda tx, seen: self._look(tx, filters, seen))

    def _look(
        self, tx: Tx, filters: PageFilters, clients: frozenset[str] | None
    ) -> dict[str, object]:
        self.check_words(
            tx,
            filters.words,
            client=filters.client,
            workflow=filters.workflow,
            incident=None if filters.incident is None else int(filters.incident),
        )
        named = () if filters.client is None else (filters.client,)
        return look_for_events(tx, filters, clients) | {"offered": self.offered(tx, *named)}


def look_for_events(
    tx: Tx, filters: PageFilters, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the page shows. Raises Refused for a client or a workflow that never was there."""
    check_filters(tx, client=filters.client, workflow=filters.workflow, clients=clients)
    now = now_of(tx)
    wanted = filters.wanted(now, limit=PAGE_SIZE + 1)
    found = list_events(tx, replace(wanted, clients=clients))
    return {
        "filters": filters,
        "now": iso(now),
        "events": found[:PAGE_SIZE],
        "more": len(found) > PAGE_SIZE,
        "blocked": [one for one in blocked_circuits(tx) if is_seen(one.name, clients)],
        "workflows": name_workflows(tx, clients),
        "all_states": [*State, HELD_STATE],
        "all_reasons": list(Reason),
    }
