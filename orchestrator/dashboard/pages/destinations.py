"""All destinations: whether calls go out, what waits there, and what failed last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tornado.web import authenticated

from orchestrator.dashboard.filters import ANYTHING, PageFilters
from orchestrator.dashboard.given import one_of, query_of, values_of
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.errors import Refused
from orchestrator.operations.check_filters import check_filters
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.destinations.failures import last_failures
from orchestrator.store.views.destinations.list import DestinationRow, list_destinations
from orchestrator.store.views.events.show import name_workflows
from orchestrator.store.views.values import iso, now_of

PAGE_SIZE = 50

_KINDS: dict[str, Callable[[DestinationRow], bool]] = {
    "stopped": lambda one: one.block is not None or one.postponed_until is not None,
    "waiting": lambda one: bool(one.held or one.waiting or one.after_others),
    "failing": lambda one: one.failing > 0,
}
"""What may be asked for, and what it means."""


@dataclass(frozen=True, kw_only=True)
class DestinationFilters:
    """Which destinations; the fields are the names in the address."""

    show: str | None = None  # stopped, waiting or failing; None: all
    client: str | None = None
    workflow: str | None = None
    after: str | None = None  # the last name of the page before

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return replace(self, after=None) != DestinationFilters()

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed."""
        return query_of(replace(self, **changed))


class DestinationsPage(StorePage):
    """The destinations that were asked for."""

    tab = "destinations"

    @authenticated
    async def get(self) -> None:
        """Answer GET /destinations."""
        given = values_of(lambda name: self.get_argument(name, "", escape=False))
        try:
            filters = DestinationFilters(
                show=one_of("show", given("show"), list(_KINDS)),
                client=given("client"),
                workflow=given("workflow"),
                after=given("after"),
            )
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
            return
        await self.show(
            "destinations.html", lambda tx, seen: look_for_destinations(tx, filters, seen)
        )


def look_for_destinations(
    tx: Tx, filters: DestinationFilters, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the page shows. Raises Refused for a name that never was there."""
    check_filters(tx, client=filters.client, workflow=filters.workflow, clients=clients)
    every = list_destinations(tx, client=filters.client, workflow=filters.workflow, clients=clients)
    chosen = sorted(
        (one for one in every if filters.show is None or _KINDS[filters.show](one)),
        key=lambda one: one.name,
    )
    rest = [one for one in chosen if filters.after is None or one.name > filters.after]
    shown = rest[:PAGE_SIZE]
    return {
        "filters": filters,
        "now": iso(now_of(tx)),
        "numbers": {kind: sum(map(holds, every)) for kind, holds in _KINDS.items()},
        "all": len(every),
        "rows": shown,
        "failures": last_failures(tx, _places(shown)),
        "next": shown[-1].name if len(rest) > PAGE_SIZE else None,
        "workflows": name_workflows(tx, clients),
        "at_waiting": _at_waiting,
    }


def _at_waiting(row: DestinationRow) -> str:
    """The query of the events that are held there, as near as the list of events can say it."""
    if row.circuit == row.name or not row.workflow:
        return PageFilters(held=row.name).at()
    return PageFilters(client=row.client, workflow=row.workflow, held=ANYTHING).at()


def _places(rows: list[DestinationRow]) -> list[tuple[str, str, str]]:
    return [
        (one.client, one.workflow, one.destination)
        for one in rows
        if one.client and one.workflow and one.destination
    ]
