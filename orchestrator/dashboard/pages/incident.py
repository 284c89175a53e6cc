"""One incident: what changed, whose it is, and what was done about it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from tornado.web import authenticated

from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.drift.finding import Finding
from orchestrator.domain.errors import NotFound
from orchestrator.operations.access.allow import may_view
from orchestrator.operations.repair.find import Repair, find_repair
from orchestrator.operations.repair.propose_fix import proposed_options
from orchestrator.operations.replay.fit_plan import clients_of
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.plans import StoredPlan, find_plan
from orchestrator.store.desk.recipes import SavedRecipe, find_recipe
from orchestrator.store.views.incidents.healed_by import healed_by
from orchestrator.store.views.incidents.page import IncidentView, show_incident
from orchestrator.store.views.jobs import JobRow, jobs_on_incident
from orchestrator.store.views.values import iso_time, now_of


class IncidentPage(StorePage):
    """One incident: what changed, whose it is, and what was done about it."""

    tab = "incidents"

    @authenticated
    async def get(self, incident: str) -> None:
        """Answer GET /incidents/ID."""
        number = int(incident)
        await self.show(
            "incident.html", lambda tx, seen: self._look(tx, number, seen), what="incident"
        )

    def _look(self, tx: Tx, number: int, clients: frozenset[str] | None) -> dict[str, object]:
        found = one_incident(tx, self._reader.open(), number, self.veil, clients)
        return fields_of(found) | {"offered": self.offered(tx, found.incident.client)}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownIncident:
    """What the page of an incident shows; its fields are the names that the template has."""

    incident: IncidentView
    findings: tuple[Finding, ...]  # of a diagnosis: what its sender changed
    saved: tuple[SavedRecipe, ...]  # recipes that would let the events that were tried pass
    fix: tuple[str, ...]  # commands that would mend it, in order
    repair: str | None  # how far it is mended, in one line; None where nobody amended anything
    owner_sees: bool  # False: the owner is a person without a role for its client
    now: str  # the store's time, ISO 8601 in UTC
    recipe: str = ""  # the steps that the findings suggest, as a form takes them
    is_mended: bool = False  # only the replay is left
    jobs: tuple[JobRow, ...] = ()  # that act on its events now, or are about to
    recipes: tuple[SavedRecipe, ...] = ()  # that amended events of it which went on
    plans: tuple[StoredPlan, ...] = ()  # that replayed them
    versions: tuple[int, ...] = ()  # of its workflow, which amended them on their way


Veil = Callable[[Tx, tuple[IncidentView, Repair]], tuple[IncidentView, Repair]]
"""What of an incident and its repair a reader is shown."""


def one_incident(
    tx: Tx, store: Store, number: int, veil: Veil, clients: frozenset[str] | None = None
) -> ShownIncident:
    """What the page of an incident shows. Raises NotFound."""
    incident = show_incident(tx, number, clients=clients)
    if incident is None:
        raise NotFound(f"the store has no incident {number}")
    incident, repair = veil(tx, (incident, find_repair(store, incident)))
    return ShownIncident(
        incident=incident,
        findings=repair.findings,
        saved=repair.saved,
        fix=repair.fix,
        repair=repair.told(),
        owner_sees=may_view(tx, incident.owner, incident.client),
        now=iso_time(now_of(tx)),
        recipe=shlex.join(proposed_options(repair.findings)),
        is_mended=repair.is_mended,
        jobs=tuple(jobs_on_incident(tx, number, clients=clients)),
        **(_went_on_by(tx, number, clients) if incident.events > incident.standing else {}),
    )


class _WentOnBy(TypedDict, total=False):
    recipes: tuple[SavedRecipe, ...]
    plans: tuple[StoredPlan, ...]
    versions: tuple[int, ...]


def _went_on_by(tx: Tx, number: int, clients: frozenset[str] | None) -> _WentOnBy:
    """By what its events went on; plans with events of others than these clients are left out."""
    told = healed_by(tx, number)
    plans = [plan for one in told.plans if (plan := find_plan(tx, one))]
    return {
        "recipes": tuple(recipe for one in told.recipes if (recipe := find_recipe(tx, one))),
        "versions": told.versions,
        "plans": tuple(one for one in plans if clients is None or set(clients_of(one)) <= clients),
    }
