"""The doctor's look at jobs: whether somebody is there who carries them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention, ok
from orchestrator.cli.doctor.process_checks import keeper_beats

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store


def look_at_jobs(store: Store) -> CheckResult:
    """Jobs that wait for a keeper where none is alive."""
    from orchestrator.store.views.jobs import count_open_jobs

    with store.read() as tx:
        jobs = count_open_jobs(tx)
    found = f"{jobs.carried_out} carried out, {jobs.waiting} waiting"
    if jobs.waiting:
        alive, beats = keeper_beats(store)
        if not alive:
            fix = "start `meshline keeper`; without it jobs wait"
            return attention("jobs", f"{found}; keeper {beats}", fix)
    return ok("jobs", found)
