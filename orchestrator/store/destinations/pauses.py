"""Pauses that a system asks for: shared by all events of its connector, and growing.

For a minute they are kept quietly: deliveries are put off, and after each pause one call goes
first. Beyond that the connector's circuit breaker opens, so that deliveries are held where people
see them, with an incident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from orchestrator.domain.delivery.breakers import RATE_LIMITED, Gate, GateState
from orchestrator.domain.delivery.retries import PausePolicy, pause, usable_wait
from orchestrator.store.database.clock import after
from orchestrator.store.destinations.breakers import open_breaker
from orchestrator.store.destinations.states import change_gate, kept, locked_gate

QUIET_SECONDS = 60.0  # of pauses one after the other; then people are to see it


@dataclass(frozen=True, kw_only=True)
class Paused:
    """What became of a wish for a pause."""

    seconds: float  # from now, in which nobody calls
    held: bool  # the connector's breaker is open: deliveries wait there


def note_pause(
    tx: Connection,
    connector: str,
    *,
    asked: float | None,
    error: str,
    policy: PausePolicy,
    jitter: float,
    actor: str,
) -> Paused:
    """Let nobody call a connector for the seconds it `asked` for, or for longer each time.

    An answer to a call from before the pause is no new wish: it makes the pause no longer, unless
    it asks for that.
    """
    gate = locked_gate(tx, connector, actor)
    wanted = usable_wait(asked)
    if gate.postponed_ms and (wanted or 0) * 1000 <= gate.postponed_ms:
        return Paused(seconds=gate.postponed_ms / 1000, held=gate.broken)
    number = gate.pauses + (0 if gate.postponed_ms else 1)
    seconds = wanted or pause(policy, number, jitter)
    since = gate.pausing_since or gate.now
    said: dict[str, Any] = {
        "pauses": number,
        "pausing_since": since,
        "postponed_until": after(seconds),
    }
    if gate.state is GateState.PAUSED:
        change_gate(tx, connector, **said)
    elif gate.broken:
        change_gate(
            tx, connector, reason=RATE_LIMITED, error=kept(error), probe_at=after(seconds), **said
        )
    elif gate.now + seconds * 1000 - since > QUIET_SECONDS * 1000:
        open_breaker(
            tx, gate, RATE_LIMITED, error, actor,
            seconds=seconds, failures=gate.failures, **said,
        )  # fmt: skip
        return Paused(seconds=seconds, held=True)
    else:
        change_gate(tx, connector, error=kept(error), probe_at=None, **said)
    return Paused(seconds=seconds, held=gate.broken)


def waits(gate: Gate | None) -> bool:
    """Whether the system asked for a pause, and has taken no call since."""
    return gate is not None and gate.state is GateState.FLOWING and gate.pauses > 0
