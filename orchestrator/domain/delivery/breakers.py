"""Gates: what stands between deliveries and a system that is paused, broken off or too fast.

A gate is named by a connector ("helpdesk"), by one of its actions ("helpdesk.create_ticket") or by
one destination ("acme/lead-routing/desk"), and it is one row that all workers share. An action's is
its circuit breaker; a connector's is that of its login and of its pace, and keeps its rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.domain.delivery.handoff import BreakerPolicy

FAILING, UNAUTHORIZED, RATE_LIMITED = "failing", "unauthorized", "rate_limited"
"""Why a circuit breaker is open."""

PAUSED = "paused"
"""Why nothing is called: a person paused it."""


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
    reason: str | None  # paused, failing, unauthorized, rate_limited; None while it flows
    error: str | None  # the last failure, or why it was paused
    failures: int  # one after the other, without a success between them
    since: int  # in this state, in milliseconds since 1970
    actor: str  # who brought it into this state
    probe_at: int | None  # broken: when one call may try
    probe_due: bool  # that time has come
    postponed_ms: int  # nobody calls for so long, whatever the rate allows
    postponed_until: int | None = None  # in milliseconds since 1970
    taken_at: int | None = None  # when a call last got through, of those after a failure
    only_event: str | None = None  # the one event of these failures; None: of several
    pauses: int = 0  # that the system asked for, one after the other
    pausing_since: int | None = None  # since the first of them
    probes: int = 0  # held deliveries that were sent to try, since the breaker opened
    until: int | None = None  # paused: when it ends by itself; None: when somebody resumes it
    now: int = 0  # when this was read, by the database's clock

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


def action_breaker(connector: str, action: str) -> str:
    """The name of the circuit breaker of one action of a connector."""
    return f"{connector}.{action}"


def connector_of(gate: str) -> str:
    """The connector that a breaker's name begins with."""
    return gate.partition(".")[0]


def named_destination(gate: str) -> tuple[str, str, str] | None:
    """Client, workflow and destination of a destination's gate; None for a connector's."""
    parts = gate.split("/")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def standing_in_the_way(
    gates: Mapping[str, Gate], destination: str, connector: str, action: str
) -> Gate | None:
    """What holds deliveries to a destination back: its own, its connector's, or its action's."""
    for name in (destination, connector, action_breaker(connector, action)):
        gate = gates.get(name)
        if gate is not None and gate.state is not GateState.FLOWING:
            return gate
    return None


PAUSE, BREAKER, RATE, NOTHING = "pause", "circuit breaker", "rate", "nothing any more"
"""What holds a delivery back, in a word for people."""


def what_holds(state: str | None, reason: str | None) -> str:
    """What a delivery waits for, by how its gate stands; None where there is no gate any more."""
    if state == GateState.PAUSED:
        return PAUSE
    if state == GateState.BROKEN:
        return RATE if reason == RATE_LIMITED else BREAKER
    return NOTHING


def breaks(failures: int, only_event: str | None, policy: BreakerPolicy) -> bool:
    """Whether a system with so many failures, and no success between them, is to be left alone.

    One event that fails again and again is not enough, unless the policy is to wait for nothing.
    """
    several = only_event is None or policy.failures == 1
    return several and failures >= policy.failures


def takes_others(since: int, taken_at: int | None) -> bool:
    """Whether the system took another call after an event began to fail at `since`.

    Then it is the event that the system cannot take. Else nobody can tell it from an outage.
    """
    return taken_at is not None and taken_at > since
