"""The doctor's checks of wake-ups: whether anything waits that nobody would wake in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention, ok

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store

_MOST_COUNTED = 1_000  # events


def look_at_wake_ups(store: Store) -> Iterator[CheckResult]:
    """Events that are due later than their deliveries; deliveries that nothing holds any more."""
    from orchestrator.store.destinations.held_deliveries import count_let_pass
    from orchestrator.store.drive.overlooked import count_overlooked, last_woken

    with store.read() as tx:
        asleep = count_overlooked(tx, most=_MOST_COUNTED)
        forgotten = count_let_pass(tx)
        woken, at = last_woken(tx)
    if asleep:
        yield attention("wake-ups", _told_asleep(asleep), "see that `meshline relay` runs")
    for name, count in sorted(forgotten.items()):
        found = f"{count} deliveries are held at {name}, where nothing blocks them"
        yield attention("wake-ups", found, "see that `meshline relay` runs")
    if woken:
        yield attention("wake-ups", _told_woken(woken, at), _REPORT)
    if not (asleep or forgotten or woken):
        yield ok("wake-ups", "every event is due when its next delivery is")


_REPORT = (
    "nothing for these events; report it with the output of"
    " `meshline events show` of an event whose history says `wake`"
)


def _told_asleep(count: int) -> str:
    many = f"{count} or more" if count == _MOST_COUNTED else str(count)
    return f"events that are due later than a delivery of theirs: {many}"


def _told_woken(count: int, at: int | None) -> str:
    from orchestrator.store.views.values import iso

    return (
        f"events that a relay had to wake: {count}, the last at {iso(at)}; that is a fault of ours"
    )
