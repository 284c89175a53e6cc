"""Pauses that a system asks for: shared by all events of its connector, and growing.

For a minute they are kept quietly: deliveries are put off, and after each pause one call goes
first. Beyond that the connector's circuit breaker opens, so that deliveries are held where people
see them, with an incident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from orchestrator.domain.delivery.breakers import RATE_LIMITED, Block, Circuit
from orchestrator.domain.delivery.retries import PausePolicy, pause, usable_wait
from orchestrator.store.database.clock import after
from orchestrator.store.destinations.breakers import open_breaker
from orchestrator.store.destinations.circuits import change_circuit, lock_or_add_circuit, shortened

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

    An answer to a call from before the pause is not a new wish: it makes the pause no longer,
    unless it asks for that.
    """
    circuit = lock_or_add_circuit(tx, connector, actor)
    wanted = usable_wait(asked)
    if circuit.postponed_ms and (wanted or 0) * 1000 <= circuit.postponed_ms:
        return Paused(seconds=circuit.postponed_ms / 1000, held=circuit.breaker_open)
    number = circuit.pauses + (0 if circuit.postponed_ms else 1)
    seconds = wanted or pause(policy, number, jitter)
    since = circuit.pausing_since or circuit.now
    said: dict[str, Any] = {
        "pauses": number,
        "pausing_since": since,
        "postponed_until": after(seconds),
    }
    if circuit.block is Block.PAUSE:
        change_circuit(tx, connector, **said)
    elif circuit.breaker_open:
        change_circuit(
            tx,
            connector,
            reason=RATE_LIMITED,
            error=shortened(error),
            probe_at=after(seconds),
            probing=False,
            **said,
        )
    elif circuit.now + seconds * 1000 - since > QUIET_SECONDS * 1000:
        open_breaker(
            tx, circuit, RATE_LIMITED, error, actor,
            seconds=seconds, failures=circuit.failures, **said,
        )  # fmt: skip
        return Paused(seconds=seconds, held=True)
    else:
        change_circuit(tx, connector, error=shortened(error), probe_at=None, **said)
    return Paused(seconds=seconds, held=circuit.breaker_open)


def waits(circuit: Circuit | None) -> bool:
    """Whether the system asked for a pause, and has taken no call since."""
    return circuit is not None and not circuit.blocked and circuit.pauses > 0
