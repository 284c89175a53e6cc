"""Pauses by people that end by themselves, and how their end is changed."""

from __future__ import annotations

from sqlalchemy import Connection, select

from orchestrator.domain.delivery.breakers import Block
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import emit_after_commit
from orchestrator.store.database.prepared import Prepared
from orchestrator.store.database.schema import circuits
from orchestrator.store.destinations.circuits import (
    audited_end,
    change_circuit,
    lock_circuit,
    lock_or_add_circuit,
    record_circuit,
    shortened,
    unblock_circuit,
)
from orchestrator.telemetry import DestinationPaused, DestinationResumed


def change_pause(tx: Connection, name: str, *, why: str, actor: str, until: int | None) -> bool:
    """Give a pause another end, or none, with its reason; False where it is so or is not paused.

    It was paused since when it was; who changed it last answers for it.
    """
    circuit = lock_or_add_circuit(tx, name, actor)
    if circuit.block is not Block.PAUSE or (circuit.until, circuit.error) == (
        until,
        shortened(why),
    ):
        return False
    change_circuit(tx, name, error=shortened(why), actor=actor, paused_until=until)
    was = {"by": circuit.actor, **audited_end(circuit.until)}
    said = {"why": why, **audited_end(until), "before": was, "why_before": circuit.error}
    record_circuit(tx, name, actor, "change_pause", detail=said)
    emit_after_commit(tx, DestinationPaused(name=name, until=until))
    return True


def end_pauses(tx: Connection, *, actor: str = "relay") -> list[str]:
    """Let deliveries pass where a pause is over by itself; the names of what was paused."""
    return [name for name in ended_pauses(tx) if end_pause(tx, name, actor)]


def ended_pauses(tx: Connection) -> list[str]:
    """What is paused although the time of its pause is over."""
    return sorted(_ENDED.run(tx).scalars())


_ENDED = Prepared(
    lambda _: select(circuits.c.name).where(
        circuits.c.block == Block.PAUSE, circuits.c.paused_until <= now_ms()
    )
)


def end_pause(tx: Connection, name: str, actor: str) -> bool:
    """Let deliveries pass there; False where the pause is not over, or nobody paused it."""
    circuit = lock_circuit(tx, name)  # and looked at anew: somebody may have given it another end
    if circuit is None or circuit.until is None or circuit.until > circuit.now:
        return False
    from orchestrator.store.destinations.stopped_clocks import (
        tend_stopped_clocks,  # it knows whole workflows
    )

    tend_stopped_clocks(tx)  # before it ends: nobody may have stopped them yet
    unblock_circuit(tx, name, actor)
    said = {
        "from": circuit.block,
        "by": circuit.actor,
        "why": circuit.error,
        **audited_end(circuit.until),
    }
    record_circuit(tx, name, actor, "end_pause", reason=circuit.reason, detail=said)
    emit_after_commit(tx, DestinationResumed(name=name, by_itself=True))
    return True
