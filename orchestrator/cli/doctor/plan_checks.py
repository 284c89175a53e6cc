"""The doctor's look at replay plans: which were begun, and never came to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention, ok

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store
    from orchestrator.store.desk.stopped_plans import StoppedPlan


def look_at_plans(store: Store) -> Iterator[CheckResult]:
    """Replay plans that are half run."""
    from orchestrator.store.desk.stopped_plans import stopped_plans

    with store.read() as tx:
        stopped = stopped_plans(tx)
    for plan in stopped:
        yield attention(
            f"plan {plan.token}",
            f"half run: {plan.waiting} of {plan.events} events are left; last run by {plan.by},"
            f" nothing since {plan.at}",
            f"go on with `{_command(plan)}`",
        )
    if not stopped:
        yield ok("replay plans", "none is half run")


def _command(plan: StoppedPlan) -> str:
    """What runs the rest of it; a job keeps what was agreed to when it was started."""
    if plan.job is not None:
        return f"meshline jobs go-on {plan.job}"
    again = " --yes-send-again" if plan.repeats else ""
    return f"meshline quarantine run {plan.token}{again}"
