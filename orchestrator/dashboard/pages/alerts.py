"""Alerts: to whom each went, by which way, and those that could not be sent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tornado.web import authenticated

from orchestrator.dashboard.given import number_of, one_of, query_of, row_number, values_of
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.access.roles import EVERY_CLIENT
from orchestrator.domain.errors import Refused
from orchestrator.operations.check_filters import check_filters
from orchestrator.store.clocks.alert_views import SoughtAlerts, count_alerts, list_alerts
from orchestrator.store.clocks.alerts import AlertState
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.show import name_workflows
from orchestrator.store.views.values import iso, now_of

PAGE_SIZE = 50
FAILING = "failing"
"""As a state: the last try failed, whether another one comes or not."""


@dataclass(frozen=True, kw_only=True)
class AlertFilters:
    """Which alerts; the fields are the names in the address."""

    state: str | None = None  # as `AlertState`, or `failing`
    recipient: str | None = None
    incident: str | None = None  # its number
    client: str | None = None
    workflow: str | None = None
    before: str | None = None  # the last number of the page before

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return replace(self, before=None) != AlertFilters()

    def at(self, **changed: str | None) -> str:
        """The query of the same list, changed."""
        return query_of(replace(self, **changed))

    @property
    def sought(self) -> SoughtAlerts:
        """What to ask the store for."""
        return SoughtAlerts(
            failing=self.state == FAILING,
            state=None if self.state == FAILING else self.state,
            recipient=self.recipient,
            incident=None if self.incident is None else int(self.incident),
            client=self.client,
            workflow=self.workflow,
            before=None if self.before is None else int(self.before),
        )


class AlertsPage(StorePage):
    """The alerts that were asked for."""

    tab = "alerts"

    @authenticated
    async def get(self) -> None:
        """Answer GET /alerts."""
        given = values_of(lambda name: self.get_argument(name, "", escape=False))
        try:
            filters = AlertFilters(
                state=one_of("state", given("state"), [*AlertState, FAILING]),
                recipient=given("recipient"),
                incident=number_of(given("incident")),
                client=given("client"),
                workflow=given("workflow"),
                before=row_number("before", given("before")),
            )
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
            return
        await self.show(
            "alerts.html",
            lambda tx, seen: (
                look_for_alerts(tx, filters, seen) | {"offered": self.offered(tx, EVERY_CLIENT)}
            ),
        )


def look_for_alerts(
    tx: Tx, filters: AlertFilters, clients: frozenset[str] | None = None
) -> dict[str, object]:
    """What the page shows. Raises Refused for a name that never was there."""
    check_filters(tx, client=filters.client, workflow=filters.workflow, clients=clients)
    sought = replace(filters.sought, clients=clients)
    found = list_alerts(tx, sought, limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    return {
        "filters": filters,
        "now": iso(now_of(tx)),
        "counts": count_alerts(tx, clients),
        "alerts": shown,
        "next": str(shown[-1].id) if len(found) > PAGE_SIZE else None,
        "workflows": name_workflows(tx, clients),
        "all_states": [*AlertState, FAILING],
    }
