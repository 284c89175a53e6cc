"""Circuits: the way of calls to a system, with its circuit breaker, a pause, and its rate budget.

A circuit is named by a connector ("helpdesk"), by one of its actions ("helpdesk.create_ticket") or
by one destination ("acme/lead-routing/desk"), and it is one row that all workers share. An action's
breaker opens when its calls fail; a connector's when its login is refused or it wants a pause. A
connector's circuit also keeps its rate. A pause by a person is not a state of the breaker.
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


REDEFINED = "other_definition"
"""Why nothing is called: the worker's definition of the connector was not approved."""


class Block(StrEnum):
    """What keeps calls from a circuit."""

    PAUSE = "pause"  # a person's, until it ends or somebody resumes it
    BREAKER = "breaker"  # failures opened it: one call tries now and then, and a success closes it
    DEFINITION = "definition"  # a worker's definition of its connector was not approved


class BreakerState(StrEnum):
    """A circuit breaker, in the words of the field."""

    CLOSED = "closed"  # calls go out
    OPEN = "open"  # they are held
    HALF_OPEN = "half_open"  # one call tries, the others are held


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """A circuit as it was when it was read."""

    name: str
    block: Block | None  # None: calls go out
    reason: str | None  # paused, failing, unauthorized, rate_limited, other_definition; or None
    error: str | None  # the last failure, or why it was paused
    failures: int  # one after the other, without a success between them
    since: int  # it was blocked, or unblocked, in milliseconds since 1970
    actor: str  # who blocked or unblocked it
    probe_at: int | None  # when one call may try an open breaker, or a definition is looked at
    probe_due: bool  # that time has come
    postponed_ms: int  # nobody calls for so long, whatever the rate allows
    postponed_until: int | None = None  # in milliseconds since 1970
    taken_at: int | None = None  # when a call last got through, of those after a failure
    only_event: str | None = None  # the one event of these failures; None: of several
    pauses: int = 0  # that the system asked for, one after the other
    pausing_since: int | None = None  # since the first of them
    probes: int = 0  # held deliveries that were sent to try, since the breaker opened
    probe_event: str | None = None  # the event of the last of them, until its call begins
    probing: bool = False  # a call tries, or its worker died; then another may at `probe_at`
    until: int | None = None  # paused: when it ends by itself; None: when somebody resumes it
    now: int = 0  # when this was read, by the database's clock

    @property
    def blocked(self) -> bool:
        """Whether deliveries are held: by a pause, or by an open breaker."""
        return self.block is not None

    @property
    def breaker_open(self) -> bool:
        """Whether its breaker keeps calls back until one succeeds; also while one tries."""
        return self.block is Block.BREAKER

    @property
    def breaker(self) -> BreakerState:
        """The state of its circuit breaker; a pause closes it."""
        if not self.breaker_open:
            return BreakerState.CLOSED
        tries = self.probe_event is not None or (self.probing and not self.probe_due)
        return BreakerState.HALF_OPEN if tries else BreakerState.OPEN


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


def destination_circuit(client: str, workflow: str, destination: str) -> str:
    """The name of one destination's own circuit."""
    return f"{client}/{workflow}/{destination}"


def action_breaker(connector: str, action: str) -> str:
    """The name of the circuit breaker of one action of a connector."""
    return f"{connector}.{action}"


def connector_of(circuit: str) -> str:
    """The connector that a breaker's name begins with."""
    return circuit.partition(".")[0]


def named_destination(circuit: str) -> tuple[str, str, str] | None:
    """Client, workflow and destination of a destination's circuit; None for a connector's."""
    parts = circuit.split("/")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def blocking_circuit(
    circuits: Mapping[str, Circuit], destination: str, connector: str, action: str
) -> Circuit | None:
    """What holds deliveries to a destination back: its own circuit, its connector's or action's."""
    for name in (destination, connector, action_breaker(connector, action)):
        circuit = circuits.get(name)
        if circuit is not None and circuit.blocked:
            return circuit
    return None


PAUSE, BREAKER, RATE, NOTHING = "pause", "circuit breaker", "rate", "nothing any more"
DEFINITION = "other connector definition"
"""What holds a delivery back, in a word for people."""


def what_holds(block: str | None, reason: str | None) -> str:
    """What a delivery waits for, by what blocks its circuit now."""
    if block == Block.PAUSE:
        return PAUSE
    if block == Block.BREAKER:
        return RATE if reason == RATE_LIMITED else BREAKER
    return DEFINITION if block == Block.DEFINITION else NOTHING


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
