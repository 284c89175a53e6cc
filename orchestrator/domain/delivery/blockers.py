"""What holds deliveries back, in words: a pause, by whom and until when, or a circuit breaker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.domain.delivery.breakers import NOTHING, PAUSED, Block

_MOST_HOLDERS = 3  # in one sentence


def told_calls(block: str | None, breaker: str) -> str:
    """What becomes of calls: `go out`, `paused`, `breaker open` or `breaker half-open`."""
    if block == Block.PAUSE:
        return PAUSED
    return f"breaker {breaker.replace('_', '-')}" if block else "go out"


def told_blocker(blocker: Mapping[str, Any], at: Callable[[str], str]) -> str:
    """One sentence about a pause or an open circuit breaker; `at` says a time as people read it.

    Its keys are `name`, `reason`, `error`, `by`, `since`, `until` and `next_probe`.
    """
    if blocker["reason"] == PAUSED:
        end = at(blocker["until"]) if blocker["until"] else "somebody resumes it"
        said = f"{blocker['name']} is paused since {at(blocker['since'])}, until {end}"
        said += f", by {blocker['by']}"
    else:
        how = blocker["breaker"].replace("_", "-")
        said = f"the circuit breaker of {blocker['name']} is {how}"
        said += f" ({blocker['reason']}) since {at(blocker['since'])}"
        if blocker["next_probe"]:
            said += f"; the next try is due {at(blocker['next_probe'])}"
    return f"{said}: {blocker['error']}" if blocker["error"] else said


def told_hold(hold: Mapping[str, Any], since: Callable[[str], str]) -> str:
    """One phrase about a delivery that is held: `pause of helpdesk, for 2h`.

    Its keys are `what`, `by` and `since`; `since` says a time as people read it, with its
    preposition.
    """
    if hold["what"] == NOTHING:
        return f"nothing holds it any more; it waited at {hold['by']}"
    return f"{hold['what']} of {hold['by']}, {since(hold['since'])}"


def told_holds(holds: Sequence[Mapping[str, Any]], since: Callable[[str], str]) -> str:
    """The same of an event, with how many more of its deliveries are held."""
    more = f" and {len(holds) - 1} more" if len(holds) > 1 else ""
    return f"{told_hold(holds[0], since)}{more}"


def told_held(held: Mapping[str, Any], since: Callable[[str], str]) -> str:
    """One sentence about events that a list of the quarantine leaves out, and what holds them.

    Its keys are `events`, how many there are, and `by`, what holds them, each with its `events`.
    """
    many = "1 event is" if held["events"] == 1 else f"{held['events']} events are"
    shown = [_told_holder(one, since) for one in held["by"][:_MOST_HOLDERS]]
    if more := len(held["by"]) - len(shown):
        shown.append(f"and at {more} more")
    return f"{many} held, and not in quarantine: {'; '.join(shown)}"


def _told_holder(holder: Mapping[str, Any], since: Callable[[str], str]) -> str:
    if holder["what"] == NOTHING:
        return f"{holder['events']} that go on, for nothing holds them at {holder['by']} any more"
    return f"{holder['events']} by {told_hold(holder, since)}"
