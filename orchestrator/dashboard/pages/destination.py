"""The page of one destination, connector or action: what stops it, what it holds, what to do."""

from __future__ import annotations

from tornado.web import authenticated

from orchestrator.dashboard.given import searchable
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.delivery.breakers import FAILING
from orchestrator.domain.errors import NotFound
from orchestrator.domain.incidents.advice import advise
from orchestrator.domain.incidents.incident import HELD
from orchestrator.operations.preview_switch import preview_switch
from orchestrator.operations.switch_destinations import client_of
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.destinations.list import DestinationRow, is_seen
from orchestrator.store.views.destinations.page import show_destination
from orchestrator.store.views.values import iso, now_of
from orchestrator.store.views.workflows.flow import OpenIncident, open_incidents

MOST_INCIDENTS = 10


class DestinationPage(StorePage):
    """What blocks one destination, and how it goes on."""

    tab = "destinations"

    @authenticated
    async def get(self, name: str) -> None:
        """Answer GET /destinations/NAME."""
        await self.show(
            "destination.html",
            lambda tx, seen: (
                look_at_destination(tx, searchable(name), seen)
                | {"offered": self.offered(tx, client_of(searchable(name)))}
            ),
            what="destination",
        )


def look_at_destination(
    tx: Tx, name: str, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the page shows. Raises NotFound."""
    found = show_destination(tx, name) if is_seen(name, clients) else None
    if found is None:
        raise NotFound(f"no live workflow has a destination or a connector {name!r}")
    reasons = {one.name: one.reason or FAILING for one in found.blockers}
    return {
        "page": found,
        "preview": preview_switch(tx, found),
        "now": iso(now_of(tx)),
        "steps": advise(HELD, client="", workflow="", blockers=reasons) if reasons else (),
        "incidents": _incidents(tx, found.destination),
    }


def _incidents(tx: Tx, row: DestinationRow | None) -> list[OpenIncident]:
    """The open incidents of a destination."""
    if row is None or not (row.client and row.workflow):
        return []
    return open_incidents(
        tx, row.client, row.workflow, destination=row.destination, limit=MOST_INCIDENTS
    )
