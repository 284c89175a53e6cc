"""The incidents: one row per cause, with owner and deadline, the most urgent first."""

from __future__ import annotations

from dataclasses import replace

from tornado.web import authenticated

from orchestrator.dashboard.incident_filters import (
    IncidentFilters,
    cursor_of,
    read_incident_filters,
)
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.access.actor import mail_of
from orchestrator.domain.errors import Refused
from orchestrator.domain.incidents.incident import INCIDENT_REASONS, IncidentKind, IncidentState
from orchestrator.operations.check_filters import check_filters
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.events.show import name_workflows
from orchestrator.store.views.incidents.list import list_incidents
from orchestrator.store.views.known_names import known_owners
from orchestrator.store.views.values import iso, now_of

PAGE_SIZE = 50


class IncidentsPage(StorePage):
    """The incidents that were asked for."""

    tab = "incidents"

    @authenticated
    async def get(self) -> None:
        """Answer GET /incidents."""
        try:
            filters = read_incident_filters(lambda name: self.get_argument(name, "", escape=False))
        except Refused as error:
            self.tell(400, "That cannot be listed", error)
            return
        await self.show("incidents.html", lambda tx, seen: self._look(tx, filters, seen))

    def _look(
        self, tx: Tx, filters: IncidentFilters, clients: frozenset[str] | None
    ) -> dict[str, object]:
        words = filters.sought.words
        self.check_words(tx, words, client=filters.client, workflow=filters.workflow)
        return look_for_incidents(tx, filters, clients, mail_of(self.actor.name))


def look_for_incidents(
    tx: Tx,
    filters: IncidentFilters,
    clients: frozenset[str] | None = None,
    mail: str | None = None,
) -> dict[str, object]:
    """What the page shows; `mail` is of whoever asks. Raises Refused for a name that never was."""
    check_filters(
        tx,
        client=filters.client,
        workflow=filters.workflow,
        owner=filters.owner,
        clients=clients,
    )
    waits_for = mail or "" if filters.mine else None
    sought = replace(filters.sought, clients=clients, waits_for=waits_for)
    found = list_incidents(tx, sought, limit=PAGE_SIZE + 1, after=filters.cursor)
    shown = found[:PAGE_SIZE]
    return {
        "filters": filters,
        "mail": mail,
        "now": iso(now_of(tx)),
        "incidents": shown,
        "next": cursor_of(shown[-1]) if len(found) > PAGE_SIZE else None,
        "workflows": name_workflows(tx, clients),
        "owners": known_owners(tx) if clients is None else [],
        "all_states": list(IncidentState),
        "all_kinds": list(IncidentKind),
        "all_reasons": INCIDENT_REASONS,
    }
