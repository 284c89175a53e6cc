"""One wording of who waits in the line of an ordering key, for command line and pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orchestrator.domain.event import MOST_COUNTED
from orchestrator.domain.lifecycle import SETTLED_DELIVERIES, State

if TYPE_CHECKING:
    from orchestrator.store.views.events.show import Delivery
    from orchestrator.store.views.lines import WaitsFor


def told_wait(waits: WaitsFor, moment: Callable[[str], str]) -> str:
    """For whom an event waits: `for event 01a2…, which is quarantined since …`.

    `moment` says a time as people read it.
    """
    told = f"for event {waits.event}, which is {waits.state.replace('_', ' ')}"
    if waits.state == State.QUARANTINED:
        told += f" since {moment(waits.since)}"
    if waits.before > 1:
        told += f"; {_many(waits.before)} events go before it"
    return f"{told}. Its clocks run on"


def told_followers(followers: int) -> str:
    """How many events wait behind one with the same ordering key."""
    return "1 event waits for it" if followers == 1 else f"{_many(followers)} events wait for it"


def _many(events: int) -> str:
    """A count that ends somewhere: the store does not walk through a line without an end."""
    return f"{events:,} or more" if events >= MOST_COUNTED else f"{events:,}"


def told_waiting(delivery: Delivery, deliveries: Sequence[Delivery]) -> str:
    """What a delivery waits for that comes after others: `for crm`, of those not settled yet.

    Where they all are, it goes on with its event.
    """
    settled = [one.value for one in SETTLED_DELIVERIES]
    open_ = {one.destination for one in deliveries if one.state not in settled}
    names = [one for one in delivery.after if one in open_]
    return f"for {', '.join(names)}" if names else "until its event goes on"
