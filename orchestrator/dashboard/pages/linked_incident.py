"""The page of an incident, without a login, by its signed link: names and counts, no values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.dashboard.pages.incident import ShownIncident, Veil, one_incident
from orchestrator.domain.contracts.places import Places
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.drift.naming import bare_finding
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.workflows import WorkflowShelf, live_workflow


class LinkedIncidentPage(StorePage):
    """One incident, to whoever holds the link of an alert about it."""

    by_link = True

    def get_current_user(self) -> None:
        """Nobody has logged in, and Flower's page frame asks who has."""

    def scope(self, tx: Tx) -> None:
        """The link is the right to see this one incident."""

    async def get(self, incident: str) -> None:
        """Answer GET /incidents/ID."""
        store, number = self._reader.open, int(incident)
        await self.show(
            "incident.html",
            lambda tx, _: _shown(tx, store(), number, self.veil),
            what="incident",
        )

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say no more than the status: Flower's own page of an error has its navigation."""
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"Error {status_code}\n")


def _shown(tx: Tx, store: Store, number: int, veil: Veil) -> dict[str, object]:
    found = one_incident(tx, store, number, veil)
    live = live_workflow(tx, found.incident.client, found.incident.workflow)
    places = WorkflowShelf().take(tx, live.id).contract.places if live else Places({})
    return fields_of(without_values(found, places))


def without_values(shown: ShownIncident, places: Places | None = None) -> ShownIncident:
    """What a page shows of an incident, less all in which payloads or people may be quoted.

    With the `places` of its contract, names that it does not know are not keys of a sender's.

    The reason that an event or its destination gives for a failure quotes values; so
    may reasons that people gave. The incident's title has the places and the keywords.
    """
    incident = shown.incident
    return replace(
        shown,
        incident=replace(
            incident,
            oldest=tuple(replace(one, detail="") for one in incident.oldest),
            history=tuple(replace(one, detail=None) for one in incident.history),
            blocked_by=tuple(replace(one, error=None) for one in incident.blocked_by),
        ),
        findings=tuple(bare_finding(one, places) for one in shown.findings),
        fix=(),
        recipe="",
        jobs=(),
        recipes=(),
        plans=(),
        versions=(),
    )
