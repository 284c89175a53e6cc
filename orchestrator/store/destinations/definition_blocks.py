"""Circuits of destinations whose connector is defined otherwise than it was approved.

A worker that finds it blocks the destination's own circuit; one whose definition was approved, or
the next version that goes live, ends it.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from orchestrator.domain.delivery.breakers import REDEFINED, Block, destination_circuit
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import circuits
from orchestrator.store.destinations.circuits import (
    block_circuit,
    change_circuit,
    lock_circuit,
    lock_or_add_circuit,
    record_circuit,
    shortened,
    unblock_circuit,
)

LOOK_AGAIN_SECONDS = 60.0
"""So long nobody looks again whether the definition is the approved one."""


def block_by_definition(tx: Connection, name: str, *, error: str, actor: str) -> None:
    """Hold deliveries at a destination's circuit until a look finds the approved definition.

    A person's pause stays one: what is released after it meets the same look.
    """
    circuit = lock_or_add_circuit(tx, name, actor)
    if circuit.block is Block.PAUSE:
        return
    look = {"probe_at": after(LOOK_AGAIN_SECONDS), "probe_event": None}
    if circuit.block is Block.DEFINITION:
        change_circuit(tx, name, error=shortened(error), **look)
        return
    block_circuit(
        tx,
        name,
        Block.DEFINITION,
        actor,
        reason=REDEFINED,
        error=shortened(error),
        probes=0,
        **look,
    )
    detail = {"detail": shortened(error)}
    record_circuit(tx, name, actor, "miss_definition", reason=REDEFINED, detail=detail)


def end_definition_block(tx: Connection, name: str, *, actor: str) -> bool:
    """Let deliveries pass again; whether that kept them."""
    circuit = lock_circuit(tx, name)
    if circuit is None or circuit.block is not Block.DEFINITION:
        return False
    unblock_circuit(tx, name, actor, probe_event=None)
    record_circuit(tx, name, actor, "find_definition", reason=REDEFINED, detail={})
    return True


def end_definition_blocks(
    tx: Connection, client: str, workflow: str, destinations: Collection[str], *, actor: str
) -> None:
    """The same for all of a workflow: what was approved for it is another version now."""
    names = sorted(destination_circuit(client, workflow, one) for one in destinations)
    table = circuits.c
    blocked = select(table.name).where(table.name.in_(names), table.block == Block.DEFINITION)
    for name in tx.execute(blocked.order_by(table.name)).scalars().all():
        end_definition_block(tx, name, actor=actor)
