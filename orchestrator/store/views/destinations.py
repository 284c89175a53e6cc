"""What people read of destinations: what blocks their calls, and how many deliveries wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from sqlalchemy import Connection, case, func, select

from orchestrator.domain.delivery.blockers import Blocker
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
from orchestrator.store.views.values import iso, iso_time


@dataclass(frozen=True, kw_only=True, slots=True)
class DestinationRow:
    """One destination, or a blocked circuit that no live workflow names. Times are ISO 8601 in UTC.

    Deliveries are counted of events that are not at their end.
    """

    name: str  # as `destinations pause` takes it: acme/lead-routing/crm, or a connector's
    client: str | None  # None, as workflow and destination: a connector or an action
    workflow: str | None
    destination: str | None  # its name in the workflow
    connector: str | None  # None: a destination that no live workflow has any more
    action: str | None  # of the connector; None for connectors too
    block: str | None  # what keeps calls back, as `Block`: pause or breaker; None: they go out
    breaker: str  # as `BreakerState`
    circuit: str | None  # whose pause or breaker it is: its own, its connector's, its action's
    reason: str | None  # a code: paused, failing, unauthorized, rate_limited
    error: str | None  # the last failure, secrets masked, or why a person paused it
    since: str | None  # when it was paused, or broke
    by: str | None  # an actor: who paused it, or the worker that saw it break
    until: str | None  # when a pause ends by itself; None: when somebody resumes it
    next_probe: str | None  # when an open breaker lets a call try
    postponed_until: str | None  # when the system may be called again, as it asked
    pauses: int  # that the system asked for, one after the other
    pause_error: str | None  # its words when it asked last
    held: int  # deliveries
    held_since: str | None  # when the first of them last moved
    waiting: int  # deliveries that wait for their turn, or are sent now
    failing: int  # deliveries that fail for now
    at_fault: int  # of these, those that fail while the system takes others


def list_destinations(tx: Connection) -> list[DestinationRow]:
    """The destinations of live workflows, by name, then other blocked circuits."""
    troubled, counts, held = troubled_circuits(tx), _counts(tx), count_held(tx)
    failing = _count_failing(tx)
    named = list(named_destinations(tx))
    known = {name for one in named for name in (one.name, one.connector, one.breaker)}
    unnamed = [
        circuit
        for name, circuit in sorted(troubled.items())
        if circuit.blocked and name not in known
    ]
    return [_named(one, troubled, counts, failing) for one in named] + [
        _unnamed(circuit, held.get(circuit.name, 0)) for circuit in unnamed
    ]


def blocked_circuits(tx: Connection) -> list[Blocker]:
    """The circuits that are paused, or whose breaker is open, by name."""
    held, troubled = count_held(tx), troubled_circuits(tx)
    return [
        _blocker(circuit, circuit.block, held.get(name, 0))
        for name, circuit in sorted(troubled.items())
        if circuit.block
    ]


def blockers_of(tx: Connection, client: str, workflow: str, destination: str) -> list[Blocker]:
    """What holds deliveries to a destination back now, each pause and each open circuit breaker.

    Each has the deliveries that wait there, of whatever workflow.
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
    return [circuit for circuit in blocked_circuits(tx) if circuit.name in names]


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


def _named(
    one: NamedDestination,
    troubled: Mapping[str, Circuit],
    counts: Mapping[tuple[str, str], tuple[int, int]],
    failing: Mapping[str, tuple[int, int]],
) -> DestinationRow:
    held, oldest = counts.get((one.name, DeliveryState.HELD), (0, None))
    waits = (DeliveryState.PENDING, DeliveryState.SENDING)
    circuit = blocking_circuit(troubled, one.name, one.connector, one.action)
    fails, at_fault = failing.get(one.name, (0, 0))
    return DestinationRow(
        name=one.name,
        client=one.client,
        workflow=one.workflow,
        destination=one.destination,
        connector=one.connector,
        action=one.action,
        **_calls(circuit),
        **_asked_pause(troubled.get(one.connector)),
        held=held,
        held_since=iso(oldest),
        waiting=sum(counts.get((one.name, state), (0, None))[0] for state in waits),
        failing=fails,
        at_fault=at_fault,
    )


def _unnamed(circuit: Circuit, held: int) -> DestinationRow:
    client, workflow, destination = named_destination(circuit.name) or (None, None, None)
    return DestinationRow(
        name=circuit.name,
        client=client,
        workflow=workflow,
        destination=destination,
        connector=None if destination else connector_of(circuit.name),
        action=None,
        **_calls(circuit),
        **_asked_pause(None if destination else circuit),
        held=held,
        held_since=None,
        waiting=0,
        failing=0,
        at_fault=0,
    )


class _AskedPause(TypedDict):
    postponed_until: str | None
    pauses: int
    pause_error: str | None


def _asked_pause(circuit: Circuit | None) -> _AskedPause:
    """Until when nobody calls, how often in a row that was asked for, and the last words of it."""
    if circuit is None or not circuit.pauses:
        return {"postponed_until": None, "pauses": 0, "pause_error": None}
    until = circuit.postponed_until if circuit.postponed_ms else None
    return {"postponed_until": iso(until), "pauses": circuit.pauses, "pause_error": circuit.error}


class _Calls(TypedDict):
    block: str | None
    breaker: str
    circuit: str | None
    reason: str | None
    error: str | None
    since: str | None
    by: str | None
    until: str | None
    next_probe: str | None


_GO_OUT: _Calls = {
    "block": None,
    "breaker": BreakerState.CLOSED.value,
    "circuit": None,
    "reason": None,
    "error": None,
    "since": None,
    "by": None,
    "until": None,
    "next_probe": None,
}


def _calls(circuit: Circuit | None) -> _Calls:
    """What becomes of calls that a circuit blocks; None where nothing blocks them."""
    if circuit is None:
        return _GO_OUT
    return {
        "block": circuit.block,
        "breaker": circuit.breaker.value,
        "circuit": circuit.name,
        "reason": circuit.reason,
        "error": circuit.error,
        "since": iso(circuit.since),
        "by": circuit.actor,
        "until": iso(circuit.until),
        "next_probe": _next_probe(circuit),
    }


def _blocker(circuit: Circuit, block: Block, held: int) -> Blocker:
    return Blocker(
        name=circuit.name,
        held=held,
        block=block.value,
        breaker=circuit.breaker.value,
        circuit=circuit.name,
        reason=circuit.reason,
        error=circuit.error,
        since=iso_time(circuit.since),
        by=circuit.actor,
        until=iso(circuit.until),
        next_probe=_next_probe(circuit),
    )


def _next_probe(circuit: Circuit) -> str | None:
    return iso(circuit.probe_at) if circuit.block is Block.BREAKER else None
