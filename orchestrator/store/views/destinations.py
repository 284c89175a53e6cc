"""What people read of destinations: what blocks their calls, and how many deliveries wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, case, func, select

from orchestrator.domain.delivery.breakers import (
    Block,
    BreakerState,
    Circuit,
    action_breaker,
    blocking_circuit,
    connector_of,
    destination_circuit,
    named_destination,
)
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.schema import circuits, deliveries, events
from orchestrator.store.destinations.circuits import troubled_circuits
from orchestrator.store.destinations.held_deliveries import IS_HELD
from orchestrator.store.destinations.named import NamedDestination, named_destinations
from orchestrator.store.views.values import View, iso


def list_destinations(tx: Connection) -> list[View]:
    """Every destination of every live workflow, by name, and the blocked circuits of none of them.

    `circuit` is the one that is blocked, and `block` says by what; `held` and `waiting` count
    deliveries of unfinished events, `failing` those that fail for now, `at_fault` those of them
    that fail while the system takes others.
    """
    troubled, counts, held = troubled_circuits(tx), _counts(tx), count_held(tx)
    failing = _count_failing(tx)
    named = list(named_destinations(tx))
    known = {name for one in named for name in (one.name, one.connector, one.breaker)}
    unnamed = [
        circuit
        for name, circuit in sorted(troubled.items())
        if circuit.blocked and name not in known
    ]
    return [_view(one, troubled, counts, failing) for one in named] + [
        _unnamed(circuit, held.get(circuit.name, 0)) for circuit in unnamed
    ]


def blocked_circuits(tx: Connection) -> list[View]:
    """The circuits that are paused, or whose breaker is open, by name, with how many each holds."""
    held, troubled = count_held(tx), troubled_circuits(tx)
    return [
        {"name": name, "held": held.get(name, 0), **_block(circuit)}
        for name, circuit in sorted(troubled.items())
        if circuit.blocked
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
    names = {destination_circuit(client, workflow, destination)} | {row.held_by for row in rows}
    for row in rows:
        names |= {row.connector, action_breaker(row.connector, row.action)}
    return [circuit for circuit in blocked_circuits(tx) if circuit["name"] in names]


def count_blocked_circuits(tx: Connection) -> dict[str, int]:
    """How many circuits a pause blocks, and how many an open breaker."""
    blocks = [circuit.block for circuit in troubled_circuits(tx).values()]
    return {block.value: blocks.count(block) for block in Block}


def count_held(tx: Connection) -> dict[str, int]:
    """How many deliveries are held, by the circuit that holds them."""
    column = deliveries.c.held_by
    counted = select(column, func.count()).where(IS_HELD).group_by(column)
    return {row[0]: row[1] for row in tx.execute(counted)}


def _counts(tx: Connection) -> dict[tuple[str, str], tuple[int, int]]:
    """How many deliveries of unfinished events there are, and since when, by circuit and state."""
    table = deliveries.c
    place = (events.c.client, events.c.workflow, table.destination, table.state)
    waiting = [DeliveryState.HELD.value, DeliveryState.PENDING.value, DeliveryState.SENDING.value]
    rows = tx.execute(
        select(*place, func.count(), func.min(table.updated_at))
        .join_from(events, deliveries, table.event_id == events.c.id)
        .where(events.c.due_at.is_not(None), table.state.in_(waiting))
        .group_by(*place)
    )
    return {(destination_circuit(*row[:3]), row[3]): (row[4], row[5]) for row in rows}


def _count_failing(tx: Connection) -> dict[str, tuple[int, int]]:
    """By destination: deliveries that fail for now, and those of them while others got through."""
    table, place = deliveries.c, (events.c.client, events.c.workflow, deliveries.c.destination)
    breaker = circuits.c.name == table.connector + "." + table.action
    at_fault = func.sum(case((circuits.c.taken_at > table.failing_since, 1), else_=0))
    waiting = [DeliveryState.HELD.value, DeliveryState.PENDING.value, DeliveryState.SENDING.value]
    rows = tx.execute(
        select(*place, func.count(), at_fault)
        .select_from(
            events.join(deliveries, table.event_id == events.c.id).outerjoin(circuits, breaker)
        )
        .where(
            events.c.due_at.is_not(None),
            table.state.in_(waiting),
            table.failing_since.is_not(None),
        )
        .group_by(*place)
    )
    return {destination_circuit(*row[:3]): (row[3], row[4]) for row in rows}


def _view(
    one: NamedDestination,
    troubled: Mapping[str, Circuit],
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
        **_block(blocking_circuit(troubled, one.name, one.connector, one.action)),
        **_pausing(troubled.get(one.connector)),
        "held": held,
        "held_since": iso(oldest),
        "waiting": sum(counts.get((one.name, state), (0, None))[0] for state in waits),
        "failing": failing.get(one.name, (0, 0))[0],
        "at_fault": failing.get(one.name, (0, 0))[1],
    }


def _unnamed(circuit: Circuit, held: int) -> View:
    client, workflow, destination = named_destination(circuit.name) or (None, None, None)
    return {
        "name": circuit.name,
        "client": client,
        "workflow": workflow,
        "destination": destination,
        "connector": None if destination else connector_of(circuit.name),
        "action": None,
        **_block(circuit),
        **_pausing(None if destination else circuit),
        "held": held,
        "held_since": None,
        "waiting": 0,
        "failing": 0,
        "at_fault": 0,
    }


def _pausing(circuit: Circuit | None) -> View:
    """Until when nobody calls, how often in a row that was asked for, and the last words of it."""
    if circuit is None or not circuit.pauses:
        return {"postponed_until": None, "pauses": 0, "pause_error": None}
    until = circuit.postponed_until if circuit.postponed_ms else None
    return {"postponed_until": iso(until), "pauses": circuit.pauses, "pause_error": circuit.error}


def _block(circuit: Circuit | None) -> View:
    found: Any = circuit or _Nothing
    return {
        "block": found.block,
        "breaker": found.breaker.value,
        "circuit": found.name,
        "reason": found.reason,
        "error": found.error,
        "since": iso(found.since),
        "by": found.actor,
        "until": iso(found.until),
        "next_probe": iso(found.probe_at if found.block is Block.BREAKER else None),
    }


class _Nothing:
    """What there is to say where nothing blocks a destination."""

    breaker = BreakerState.CLOSED
    block = name = reason = error = since = actor = probe_at = until = None
