"""What holds deliveries back, in words: a pause, by whom and until when, or a circuit breaker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.domain.delivery.breakers import NOTHING, PAUSED, REDEFINED, Block

_MOST_HOLDERS = 3  # in one sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """One delivery that waits, and for what."""

    destination: str
    by: str  # the connector, action or destination that is paused, broken or too fast
    what: str  # a pause, a circuit breaker, a definition, its turn in a rate, or nothing any more
    reason: str | None  # a code: paused, failing, unauthorized, rate_limited, other_definition
    since: str  # when it began to wait, ISO 8601 in UTC
    until: str | None  # when the wait ends by itself, ISO 8601 in UTC; None: nobody knows


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """What holds deliveries back, with how many events wait for it."""

    by: str  # the connector, action or destination that is paused, broken or too fast
    what: str  # a pause, a circuit breaker, a definition, its turn in a rate, or nothing any more
    reason: str | None  # a code: paused, failing, unauthorized, rate_limited, other_definition
    since: str  # when the first of them began to wait, ISO 8601 in UTC
    until: str | None  # when the wait ends by itself, ISO 8601 in UTC; None: nobody knows
    events: int  # that have a delivery held here


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldEvents:
    """Events that are not in quarantine because a delivery of them is held."""

    events: int  # each counted once
    by: tuple[Holder, ...]  # the one that most wait for first


def told_calls(block: str | None, breaker: str) -> str:
    """What becomes of calls: `go out`, `paused`, `breaker open` or `breaker half-open`."""
    if block == Block.PAUSE:
        return PAUSED
    if block == Block.DEFINITION:
        return "other definition"
    return f"breaker {breaker.replace('_', '-')}" if block else "go out"


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocker:
    """A pause, an open circuit breaker, or a definition. Times are ISO 8601 in UTC."""

    name: str  # the connector, action or destination whose calls it keeps back
    held: int  # deliveries that wait there
    block: str  # as `Block`: pause, breaker or definition
    breaker: str  # as `BreakerState`; a pause closes it
    circuit: str  # the same as `name`
    reason: str | None  # a code: paused, failing, unauthorized, rate_limited, other_definition
    error: str | None  # the last failure, secrets masked, or why a person paused it
    since: str  # when it was paused, or broke
    by: str  # an actor: who paused it, or the worker that saw it break
    until: str | None  # when a pause ends by itself; None: when somebody resumes it
    next_probe: str | None  # when an open breaker lets a call try


def told_blocker(blocker: Blocker, at: Callable[[str], str]) -> str:
    """One sentence about it; `at` says a time as people read it."""
    if blocker.reason == PAUSED:
        end = at(blocker.until) if blocker.until else "somebody resumes it"
        said = f"{blocker.name} is paused since {at(blocker.since)}, until {end}"
        said += f", by {blocker.by}"
    elif blocker.reason == REDEFINED:
        said = f"{blocker.name} waits for an approved definition since {at(blocker.since)}"
    else:
        how = blocker.breaker.replace("_", "-")
        said = f"the circuit breaker of {blocker.name} is {how}"
        said += f" ({blocker.reason}) since {at(blocker.since)}"
        if blocker.next_probe:
            said += f"; the next try is due {at(blocker.next_probe)}"
    return f"{said}: {blocker.error}" if blocker.error else said


def told_hold(hold: Hold | Holder, since: Callable[[str], str]) -> str:
    """One phrase about deliveries that are held: `pause of helpdesk, for 2h`.

    `since` says a time as people read it, with its preposition.
    """
    if hold.what == NOTHING:
        return f"nothing holds it any more; it waited at {hold.by}"
    return f"{hold.what} of {hold.by}, {since(hold.since)}"


def told_holds(holds: Sequence[Hold], since: Callable[[str], str]) -> str:
    """The same of an event, with how many more of its deliveries are held."""
    more = f" and {len(holds) - 1} more" if len(holds) > 1 else ""
    return f"{told_hold(holds[0], since)}{more}"


def told_held(held: HeldEvents, since: Callable[[str], str]) -> str:
    """One sentence about events that a list of the quarantine leaves out, and what holds them."""
    many = "1 event is" if held.events == 1 else f"{held.events} events are"
    shown = [_told_holder(one, since) for one in held.by[:_MOST_HOLDERS]]
    if more := len(held.by) - len(shown):
        shown.append(f"and at {more} more")
    return f"{many} held, and not in quarantine: {'; '.join(shown)}"


def _told_holder(holder: Holder, since: Callable[[str], str]) -> str:
    if holder.what == NOTHING:
        return f"{holder.events} that go on, for nothing holds them at {holder.by} any more"
    return f"{holder.events} by {told_hold(holder, since)}"
