"""Gates: what stands between deliveries and a system that is paused, broken off or too fast.

A gate is named by a connector ("helpdesk") or by one destination ("acme/lead-routing/desk"), and it
is one row that all workers share. A connector's gate also keeps its rate and is its breaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.handoff import BreakerPolicy


class GateState(StrEnum):
    """Whether deliveries pass."""

    FLOWING = "flowing"
    PAUSED = "paused"  # by a person, until a person resumes it
    BROKEN = "broken"  # by failures: one call tries now and then, and a success ends it


@dataclass(frozen=True, kw_only=True)
class Gate:
    """How a gate stood when it was read."""

    name: str
    state: GateState
    reason: str | None  # paused, failing, unauthorized; None while it flows
    error: str | None  # the last failure, or why it was paused
    failures: int  # one after the other, without a success between them
    since: int  # in this state, in milliseconds since 1970
    actor: str  # who brought it into this state
    probe_at: int | None  # broken: when one call may try
    probe_due: bool  # that time has come
    postponed_ms: int  # nobody calls for so long, whatever the rate allows

    @property
    def broken(self) -> bool:
        """Whether it is closed until a call succeeds."""
        return self.state is GateState.BROKEN


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """Calls that one worker may make, and when. Times in milliseconds from now."""

    granted: int
    first_in_ms: float
    interval_ms: float
    next_in_ms: float  # when a call that was not granted could go at the earliest
    unspent_ms: float = 0.0  # what stayed unused before: so much of the waiting falls away

    def wait_ms(self, place: int) -> float:
        """From now until the granted call number `place` may go, counted from 0."""
        return self.first_in_ms + max(0.0, place * self.interval_ms - self.unspent_ms)


def destination_gate(client: str, workflow: str, destination: str) -> str:
    """The name of one destination's own gate."""
    return f"{client}/{workflow}/{destination}"


def named_destination(gate: str) -> tuple[str, str, str] | None:
    """Client, workflow and destination of a destination's gate; None for a connector's."""
    parts = gate.split("/")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def standing_in_the_way(gates: Mapping[str, Gate], destination: str, connector: str) -> Gate | None:
    """The gate that holds deliveries to a destination back: its own first, else its connector's."""
    for name in (destination, connector):
        gate = gates.get(name)
        if gate is not None and gate.state is not GateState.FLOWING:
            return gate
    return None


def breaks(failures: int, policy: BreakerPolicy) -> bool:
    """Whether a system that failed so often, one call after the other, is to be left alone."""
    return failures >= policy.failures
