"""The page of one destination, connector or action: what stops it, what it holds, what to do."""

from __future__ import annotations

from tornado.web import authenticated

from orchestrator.dashboard.filters import searchable
from orchestrator.dashboard.pages import StorePage
from orchestrator.domain.delivery.breakers import FAILING
from orchestrator.domain.errors import NotFound
from orchestrator.domain.incidents.advice import advise
from orchestrator.domain.incidents.incident import HELD
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.destination_page import show_destination
from orchestrator.store.views.destinations import DestinationRow
from orchestrator.store.views.incidents import IncidentRow, Sought, list_incidents
from orchestrator.store.views.values import iso, now_of


class DestinationPage(StorePage):
    """What stands in the way of one destination, and how it goes on."""

    @authenticated
    async def get(self, name: str) -> None:
        """Answer GET /destinations/NAME."""
        await self.show(
            "destination.html", lambda tx: _one(tx, searchable(name)), what="destination"
        )


def _one(tx: Tx, name: str) -> dict[str, object]:
    """What the page shows. Raises NotFound."""
    found = show_destination(tx, name)
    if found is None:
        raise NotFound(f"no live workflow has a destination or a connector {name!r}")
    reasons = {one.name: one.reason or FAILING for one in found.blockers}
    return {
        "page": found,
        "now": iso(now_of(tx)),
        "steps": advise(HELD, client="", workflow="", blockers=reasons) if reasons else (),
        "incidents": _incidents(tx, found.destination),
    }


def _incidents(tx: Tx, row: DestinationRow | None) -> list[IncidentRow]:
    """The open incidents of a destination."""
    if row is None:
        return []
    sought = Sought(client=row.client, workflow=row.workflow)
    return [one for one in list_incidents(tx, sought) if one.destination == row.destination]
