"""Pauses by people that end by themselves, and how their end is changed."""

from __future__ import annotations

from sqlalchemy import Connection, select

from orchestrator.domain.delivery.breakers import GateState
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared
from orchestrator.store.database.schema import gates
from orchestrator.store.destinations.states import (
    change_gate,
    enter_state,
    kept,
    lock_gate,
    locked_gate,
    tell,
    told_end,
)


def change_pause(tx: Connection, name: str, *, why: str, actor: str, until: int | None) -> bool:
    """Give a pause another end, or none, with its reason; False where it is so or is not paused.

    It was paused since when it was; who changed it last answers for it.
    """
    gate = locked_gate(tx, name, actor)
    if gate.state is not GateState.PAUSED or (gate.until, gate.error) == (until, kept(why)):
        return False
    change_gate(tx, name, error=kept(why), actor=actor, paused_until=until)
    before = {"by": gate.actor, **told_end(gate.until)}
    said = {"why": why, **told_end(until), "before": before, "why_before": gate.error}
    tell(tx, name, actor, "change_pause", detail=said)
    return True


def end_pauses(tx: Connection, *, actor: str = "relay") -> list[str]:
    """Let deliveries pass where a pause is over by itself; the names of what was paused."""
    return [name for name in ended_pauses(tx) if end_pause(tx, name, actor)]


def ended_pauses(tx: Connection) -> list[str]:
    """What is paused although the time of its pause is over."""
    return sorted(_ENDED.run(tx).scalars())


_ENDED = Prepared(
    lambda _: select(gates.c.name).where(
        gates.c.state == GateState.PAUSED, gates.c.paused_until <= now_ms()
    )
)


def end_pause(tx: Connection, name: str, actor: str) -> bool:
    """Let deliveries pass there; False where the pause is not over, or nobody paused it."""
    gate = lock_gate(tx, name)  # and looked at anew: somebody may have given it another end
    if gate is None or gate.until is None or gate.until > gate.now:
        return False
    from orchestrator.store.destinations.stopped_clocks import (
        tend_stopped_clocks,  # it knows whole workflows
    )

    tend_stopped_clocks(tx)  # before it ends: nobody may have stopped them yet
    nothing = {"reason": None, "error": None, "probe_at": None}
    enter_state(tx, name, GateState.FLOWING, actor, **nothing)
    said = {"from": gate.state.value, "by": gate.actor, "why": gate.error, **told_end(gate.until)}
    tell(tx, name, actor, "end_pause", reason=gate.reason, detail=said)
    return True
