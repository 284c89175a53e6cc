"""What people read of destinations: whether they flow, what stands in the way, how many wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, case, func, select

from orchestrator.domain.delivery.breakers import (
    Gate,
    GateState,
    action_breaker,
    connector_of,
    destination_gate,
    named_destination,
    standing_in_the_way,
)
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.schema import deliveries, events
from orchestrator.store.database.schema import gates as gates_table
from orchestrator.store.destinations.held_deliveries import IS_HELD
from orchestrator.store.destinations.named import NamedDestination, named_destinations
from orchestrator.store.destinations.states import standing_gates
from orchestrator.store.views.values import View, iso


def list_destinations(tx: Connection) -> list[View]:
    """Every destination of every live workflow, by name, and the gates that none of them names.

    `gate` is what stands in the way; `held` and `waiting` count deliveries of unfinished events,
    `failing` those that fail for now, `at_fault` those of them while the system took others.
    """
    gates, counts, held = standing_gates(tx), _counts(tx), count_held(tx)
    failing = _count_failing(tx)
    named = list(named_destinations(tx))
    known = {name for one in named for name in (one.name, one.connector, one.breaker)}
    closed = [gate for gate in gates.values() if gate.state is not GateState.FLOWING]
    unnamed = sorted((gate for gate in closed if gate.name not in known), key=lambda one: one.name)
    return [_view(one, gates, counts, failing) for one in named] + [
        _unnamed(gate, held.get(gate.name, 0)) for gate in unnamed
    ]


def closed_gates(tx: Connection) -> list[View]:
    """The gates that are paused or broken, by name, with how many deliveries each holds."""
    held = count_held(tx)
    closed = [gate for gate in standing_gates(tx).values() if gate.state is not GateState.FLOWING]
    return [
        {"name": gate.name, "held": held.get(gate.name, 0), **_standing(gate)}
        for gate in sorted(closed, key=lambda gate: gate.name)
    ]


def blockers_of(tx: Connection, client: str, workflow: str, destination: str) -> list[View]:
    """What holds deliveries to a destination back now, each pause and each open circuit breaker.

    `held` counts those that wait there, of whatever workflow.
    """
    table = deliveries.c
    there = (
        IS_HELD,
        table.destination == destination,
        events.c.client == client,
        events.c.workflow == workflow,
    )
    rows = tx.execute(
        select(table.held_by, table.connector, table.action)
        .join_from(deliveries, events, events.c.id == table.event_id)
        .where(*there)
        .distinct()
    ).all()
    names = {destination_gate(client, workflow, destination)} | {row.held_by for row in rows}
    for row in rows:
        names |= {row.connector, action_breaker(row.connector, row.action)}
    return [gate for gate in closed_gates(tx) if gate["name"] in names]


def count_gates(tx: Connection) -> dict[str, int]:
    """How many gates are paused, and how many broken."""
    states = [gate.state for gate in standing_gates(tx).values()]
    return {state.value: states.count(state) for state in (GateState.PAUSED, GateState.BROKEN)}


def count_held(tx: Connection) -> dict[str, int]:
    """How many deliveries are held, by the gate that holds them."""
    column = deliveries.c.held_by
    counted = select(column, func.count()).where(IS_HELD).group_by(column)
    return {row[0]: row[1] for row in tx.execute(counted)}


def _counts(tx: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """How many deliveries of unfinished events there are, and since when, by gate and state."""
    table = deliveries.c
    place = (events.c.client, events.c.workflow, table.destination, table.state)
    waiting = [DeliveryState.HELD.value, DeliveryState.PENDING.value, DeliveryState.SENDING.value]
    rows = tx.execute(
        select(*place, func.count(), func.min(table.updated_at))
        .join_from(events, deliveries, table.event_id == events.c.id)
        .where(events.c.due_at.is_not(None), table.state.in_(waiting))
        .group_by(*place)
    )
    return {(destination_gate(*row[:3]), row[3]): (row[4], row[5]) for row in rows}


def _count_failing(tx: Connection) -> dict[str, tuple[int, int]]:
    """By destination: deliveries that fail for now, and those of them while others got through."""
    table, place = deliveries.c, (events.c.client, events.c.workflow, deliveries.c.destination)
    breaker = gates_table.c.name == table.connector + "." + table.action
    at_fault = func.sum(case((gates_table.c.taken_at > table.failing_since, 1), else_=0))
    waiting = [DeliveryState.HELD.value, DeliveryState.PENDING.value, DeliveryState.SENDING.value]
    rows = tx.execute(
        select(*place, func.count(), at_fault)
        .select_from(
            events.join(deliveries, table.event_id == events.c.id).outerjoin(gates_table, breaker)
        )
        .where(
            events.c.due_at.is_not(None),
            table.state.in_(waiting),
            table.failing_since.is_not(None),
        )
        .group_by(*place)
    )
    return {destination_gate(*row[:3]): (row[3], row[4]) for row in rows}


def _view(
    one: NamedDestination,
    gates: Mapping[str, Gate],
    counts: Mapping[tuple[str, str], tuple[int, int]],
    failing: Mapping[str, tuple[int, int]],
) -> View:
    held, oldest = counts.get((one.name, DeliveryState.HELD), (0, None))
    waits = (DeliveryState.PENDING, DeliveryState.SENDING)
    return {
        "name": one.name,
        "client": one.client,
        "workflow": one.workflow,
        "destination": one.destination,
        "connector": one.connector,
        "action": one.action,
        **_standing(standing_in_the_way(gates, one.name, one.connector, one.action)),
        **_pausing(gates.get(one.connector)),
        "held": held,
        "held_since": iso(oldest),
        "waiting": sum(counts.get((one.name, state), (0, None))[0] for state in waits),
        "failing": failing.get(one.name, (0, 0))[0],
        "at_fault": failing.get(one.name, (0, 0))[1],
    }


def _unnamed(gate: Gate, held: int) -> View:
    client, workflow, destination = named_destination(gate.name) or (None, None, None)
    return {
        "name": gate.name,
        "client": client,
        "workflow": workflow,
        "destination": destination,
        "connector": None if destination else connector_of(gate.name),
        "action": None,
        **_standing(gate),
        **_pausing(None if destination else gate),
        "held": held,
        "held_since": None,
        "waiting": 0,
        "failing": 0,
        "at_fault": 0,
    }


def _pausing(gate: Gate | None) -> View:
    """Until when nobody calls, how often in a row that was asked for, and the last words of it."""
    if gate is None or not gate.pauses:
        return {"postponed_until": None, "pauses": 0, "pause_error": None}
    until = gate.postponed_until if gate.postponed_ms else None
    return {"postponed_until": iso(until), "pauses": gate.pauses, "pause_error": gate.error}


def _standing(gate: Gate | None) -> View:
    stands: Any = gate or _Nothing
    return {
        "state": stands.state.value,
        "gate": stands.name,
        "reason": stands.reason,
        "error": stands.error,
        "since": iso(stands.since),
        "by": stands.actor,
        "until": iso(stands.until),
        "next_probe": iso(stands.probe_at if stands.state is GateState.BROKEN else None),
    }


class _Nothing:
    """What there is to say where nothing stands in the way."""

    state = GateState.FLOWING
    name = reason = error = since = actor = probe_at = until = None
