"""What people read of destinations: what blocks their calls, and how many deliveries wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from sqlalchemy import Connection, Select, case, func, select, tuple_

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
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import circuits, deliveries, events
from orchestrator.store.destinations.circuits import troubled_circuits
from orchestrator.store.destinations.held_deliveries import (
    IS_HELD,
    client_of_held,
    workflow_of_held,
)
from orchestrator.store.destinations.named import NamedDestination, named_destinations, versions_of
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
    block: (
        str | None
    )  # what keeps calls back, as `Block`: pause, breaker, definition; None: they go out
    breaker: str  # as `BreakerState`
    circuit: str | None  # whose pause or breaker it is: its own, its connector's, its action's
    reason: str | None  # a code: paused, failing, unauthorized, rate_limited, other_definition
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
    after_others: int  # deliveries that wait for another destination of their event
    failing: int  # deliveries that fail for now
    at_fault: int  # of these, those that fail while the system takes others


_ON_THEIR_WAY = (
    DeliveryState.HELD.value, DeliveryState.PENDING.value, DeliveryState.SENDING.value
)  # fmt: skip


def list_destinations(
    tx: Connection,
    *,
    client: str | None = None,
    workflow: str | None = None,
    clients: frozenset[str] | None = None,
) -> list[DestinationRow]:
    """The destinations of live workflows, by name, then other blocked circuits.

    Of one client or workflow, or of `clients`, only theirs: a connector that only others use is
    left out.
    """
    named = [
        one
        for one in named_destinations(tx, client=client, workflow=workflow)
        if clients is None or one.client in clients
    ]
    versions = versions_of(client, workflow)
    troubled, counts, held = troubled_circuits(tx), _counts(tx, versions), count_held(tx)
    failing = _count_failing(tx, versions)
    known = {name for one in named for name in (one.name, one.connector, one.breaker)}
    unnamed = [
        circuit
        for name, circuit in sorted(troubled.items())
        if circuit.blocked
        and name not in known
        and _is_of(name, client, workflow)
        and is_seen(name, clients)
    ]
    return [_named(one, troubled, counts, failing) for one in named] + [
        _unnamed(circuit, held.get(circuit.name, 0)) for circuit in unnamed
    ]


def _is_of(circuit: str, client: str | None, workflow: str | None) -> bool:
    """Whether a circuit is a destination's of this client and workflow; None is any."""
    if client is workflow is None:
        return True
    place = named_destination(circuit)
    return place is not None and client in (None, place[0]) and workflow in (None, place[1])


def is_seen(circuit: str, clients: frozenset[str] | None) -> bool:
    """Whether a circuit is a destination's of one of these clients; None: any circuit."""
    if clients is None:
        return True
    place = named_destination(circuit)
    return place is not None and place[0] in clients


def blocked_circuits(tx: Connection) -> list[Blocker]:
    """The circuits that are paused, or whose breaker is open, by name."""
    held, troubled = count_held(tx), troubled_circuits(tx)
    return [
        _blocker(circuit, circuit.block, held.get(name, 0))
        for name, circuit in sorted(troubled.items())
        if circuit.block
    ]


Place = tuple[str, str, str]
"""Client, workflow, and the destination's name in it."""


def blockers_of(tx: Connection, places: Collection[Place]) -> dict[Place, list[Blocker]]:
    """What holds deliveries to each back now, each pause and each open circuit breaker.

    Each has the deliveries that wait there, of whatever workflow.
    """
    if not places:
        return {}
    names = {place: {destination_circuit(*place)} for place in places}
    for row in _held_at(tx, places):
        names[row.client, row.workflow, row.destination] |= {
            row.held_by,
            row.connector,
            action_breaker(row.connector, row.action),
        }
    blocked = blocked_circuits(tx)
    return {
        place: [one for one in blocked if one.name in through] for place, through in names.items()
    }


def _held_at(tx: Connection, places: Collection[Place]) -> Sequence[AnyRow]:
    """Where deliveries to these destinations are held, and what they would be sent through."""
    table = deliveries.c
    there = (events.c.client, events.c.workflow, table.destination)
    sought = (client_of_held, workflow_of_held, table.destination)
    return tx.execute(
        select(*there, table.held_by, table.connector, table.action)
        .join_from(deliveries, events, events.c.id == table.event_id)
        .where(IS_HELD, tuple_(*sought).in_(places))
        .distinct()
    ).all()


def count_blocked_circuits(tx: Connection) -> dict[str, int]:
    """How many circuits a pause blocks, and how many an open breaker."""
    blocks = [circuit.block for circuit in troubled_circuits(tx).values()]
    return {block.value: blocks.count(block) for block in Block}


def count_held(tx: Connection) -> dict[str, int]:
    """How many deliveries are held, by the circuit that holds them."""
    column = deliveries.c.held_by
    counted = select(column, func.count()).where(IS_HELD).group_by(column)
    return {row[0]: row[1] for row in tx.execute(counted)}


def _counts(tx: Connection, versions: Select[tuple[int]]) -> dict[tuple[str, str], tuple[int, int]]:
    """How many deliveries of unfinished events there are, and since when, by circuit and state."""
    table = deliveries.c
    place = (events.c.client, events.c.workflow, table.destination, table.state)
    open_ = (*_ON_THEIR_WAY, DeliveryState.WAITING.value)
    counted = (
        select(*place, func.count(), func.min(table.updated_at))
        .join_from(events, deliveries, table.event_id == events.c.id)
        .where(events.c.workflow_id.in_(versions), events.c.due_at.is_not(None))
        .where(table.state.in_(open_))
        .group_by(*place)
    )
    rows = tx.execute(counted)
    return {(destination_circuit(*row[:3]), row[3]): (row[4], row[5]) for row in rows}


def _count_failing(tx: Connection, versions: Select[tuple[int]]) -> dict[str, tuple[int, int]]:
    """By destination: deliveries that fail for now, and those of them while others got through."""
    table, place = deliveries.c, (events.c.client, events.c.workflow, deliveries.c.destination)
    breaker = circuits.c.name == table.connector + "." + table.action
    at_fault = func.sum(case((circuits.c.taken_at > table.failing_since, 1), else_=0))
    counted = (
        select(*place, func.count(), at_fault)
        .select_from(
            events.join(deliveries, table.event_id == events.c.id).outerjoin(circuits, breaker)
        )
        .where(
            events.c.workflow_id.in_(versions),
            events.c.due_at.is_not(None),
            table.state.in_(_ON_THEIR_WAY),
            table.failing_since.is_not(None),
        )
        .group_by(*place)
    )
    rows = tx.execute(counted)
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
        after_others=counts.get((one.name, DeliveryState.WAITING), (0, None))[0],
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
        after_others=0,
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
