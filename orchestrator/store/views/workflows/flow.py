"""Where the events of one workflow are now: on their way, at a destination, or in quarantine."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from orchestrator.domain.incidents.incident import IncidentState
from orchestrator.domain.lifecycle import Stage, State
from orchestrator.store.database.schema import events, incidents, quarantine, workflow_versions
from orchestrator.store.views.destinations.list import DestinationRow, list_destinations


@dataclass(frozen=True, kw_only=True, slots=True)
class Stalled:
    """Events in quarantine, by where they stalled."""

    stage: str  # validate, route, dispatch
    destination: str | None  # only where the cause is one destination's
    events: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowFlow:
    """Events of all versions of a workflow that are not at their end."""

    accepted: int  # that wait to be validated
    validated: int  # that wait to be routed
    routed: int  # whose deliveries are under way or held
    stalled: tuple[Stalled, ...]
    destinations: tuple[DestinationRow, ...]  # of the live version, by name

    @property
    def in_quarantine(self) -> int:
        """How many events are there, wherever they stalled."""
        return sum(one.events for one in self.stalled)

    @property
    def not_delivered(self) -> int:
        """How many of these had been routed."""
        return self.in_quarantine - self.stalled_at(Stage.VALIDATE, Stage.ROUTE)

    def stalled_at(self, *stages: str) -> int:
        """How many events in quarantine stalled in these stages, whatever the destination."""
        return sum(one.events for one in self.stalled if one.stage in stages)

    def stalled_by(self, destination: str) -> int:
        """How many events in quarantine stalled because of one destination."""
        return sum(one.events for one in self.stalled if one.destination == destination)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenIncident:
    """An incident of a workflow that is not resolved, as a link to it says it."""

    id: int
    title: str  # its cause, for people
    state: str  # as `IncidentState`
    owner: str  # an e-mail address


def open_incidents(
    tx: Connection, client: str, workflow: str, *, destination: str | None = None, limit: int
) -> list[OpenIncident]:
    """The most urgent ones of a workflow, or of one of its destinations, without their counts."""
    table = incidents.c
    found = select(table.id, table.title, table.state, table.owner).where(
        table.client == client,
        table.workflow == workflow,
        table.state != IncidentState.RESOLVED,
    )
    if destination is not None:
        found = found.where(table.destination == destination)
    rows = tx.execute(found.order_by(table.recover_by, table.id).limit(limit))
    return [OpenIncident(**row._mapping) for row in rows]


def show_flow(tx: Connection, client: str, workflow: str) -> WorkflowFlow:
    """Where its events are now."""
    states = _count_states(tx, client, workflow)
    return WorkflowFlow(
        accepted=states.get(State.ACCEPTED, 0),
        validated=states.get(State.VALIDATED, 0),
        routed=states.get(State.ROUTED, 0),
        stalled=_stalled(tx, client, workflow),
        destinations=tuple(
            one
            for one in list_destinations(tx, client=client, workflow=workflow)
            if one.connector is not None
        ),
    )


def _count_states(tx: Connection, client: str, workflow: str) -> dict[str, int]:
    versions = workflow_versions.c
    every_version = select(versions.id).where(versions.client == client, versions.name == workflow)
    rows = tx.execute(
        select(events.c.state, func.count())
        .where(events.c.workflow_id.in_(every_version), events.c.due_at.is_not(None))
        .group_by(events.c.state)
    )
    return {row[0]: row[1] for row in rows}


def _stalled(tx: Connection, client: str, workflow: str) -> tuple[Stalled, ...]:
    """By the incidents of the workflow; what came before there were any has no destination."""
    table, stay = incidents.c, quarantine.c
    grouped = (
        select(table.stage, table.destination, func.count())
        .join_from(incidents, quarantine, stay.incident_id == table.id)
        .where(table.client == client, table.workflow == workflow, stay.released_at.is_(None))
        .group_by(table.stage, table.destination)
        .order_by(table.stage, table.destination)
    )
    ungrouped = (
        select(stay.stage, func.count())
        .where(stay.client == client, stay.workflow == workflow)
        .where(stay.released_at.is_(None), stay.incident_id.is_(None))
        .group_by(stay.stage)
        .order_by(stay.stage)
    )
    found = [(stage, destination, count) for stage, destination, count in tx.execute(grouped)]
    found += [(stage, None, count) for stage, count in tx.execute(ungrouped)]
    return tuple(
        Stalled(stage=stage, destination=destination, events=count)
        for stage, destination, count in found
    )
