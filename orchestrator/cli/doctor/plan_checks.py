"""The doctor's look at replay plans: which were begun, and never came to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention, ok

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store


def look_at_plans(store: Store) -> Iterator[CheckResult]:
    """Replay plans that are half run."""
    from orchestrator.store.desk.stopped_plans import stopped_plans

    with store.read() as tx:
        stopped = stopped_plans(tx)
    for plan in stopped:
        again = " --yes-send-again" if plan.repeats else ""
        yield attention(
            f"plan {plan.token}",
            f"half run: {plan.waiting} of {plan.events} events are left; last run by {plan.by},"
            f" nothing since {plan.at}",
            f"go on with `meshline quarantine run {plan.token}{again}`",
        )
    if not stopped:
        yield ok("replay plans", "none is half run")
