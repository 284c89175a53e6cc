"""The destinations of live workflows, with what each calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, Select, select

from orchestrator.domain.delivery.breakers import action_breaker, destination_circuit
from orchestrator.store.database.schema import workflow_versions
from orchestrator.store.destinations.circuits import troubled_circuits


@dataclass(frozen=True, kw_only=True)
class NamedDestination:
    """One destination as a live workflow says it."""

    client: str
    workflow: str
    destination: str
    connector: str
    action: str

    @property
    def name(self) -> str:
        """The name of its own circuit, by which it is paused."""
        return destination_circuit(self.client, self.workflow, self.destination)

    @property
    def breaker(self) -> str:
        """The name of the circuit breaker of the action that it calls."""
        return action_breaker(self.connector, self.action)


def named_destinations(
    tx: Connection, *, client: str | None = None, workflow: str | None = None
) -> Iterator[NamedDestination]:
    """Every destination of every live workflow, by client, workflow and name; None is any."""
    table = workflow_versions.c
    live = select(table.client, table.name, table.definition).where(table.live)
    if client is not None:
        live = live.where(table.client == client)
    if workflow is not None:
        live = live.where(table.name == workflow)
    for row in tx.execute(live.order_by(table.client, table.name)):
        for name, one in sorted(orjson.loads(row.definition)["destinations"].items()):
            yield NamedDestination(
                client=row.client,
                workflow=row.name,
                destination=name,
                connector=one["connector"],
                action=one["action"],
            )


def versions_of(client: str | None = None, workflow: str | None = None) -> Select[tuple[int]]:
    """The ids of all versions of workflows, live or not; None is any.

    By them unfinished events are found in their index. By the name of a workflow, or by nothing,
    SQLite would read all the events or deliveries that there ever were.
    """
    table = workflow_versions.c
    versions = select(table.id)
    if client is not None:
        versions = versions.where(table.client == client)
    return versions if workflow is None else versions.where(table.name == workflow)


def actions_of(tx: Connection) -> dict[str, tuple[str, str]]:
    """Connector and action of every destination of every live workflow, by its circuit's name."""
    return {one.name: (one.connector, one.action) for one in named_destinations(tx)}


def circuit_names(tx: Connection) -> set[str]:
    """Names that a circuit can have: destinations and connectors of live workflows, known ones."""
    named = list(named_destinations(tx))
    return (
        {one.name for one in named} | {one.connector for one in named} | set(troubled_circuits(tx))
    )
