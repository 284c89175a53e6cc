"""Let deliveries pass again, whether a person held them back or failures did."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.whys import needed_why
from orchestrator.operations.pause_destinations import Switched, checked_names
from orchestrator.store.database.engine import Store
from orchestrator.store.destinations.circuits import resume_circuit
from orchestrator.store.destinations.stopped_clocks import tend_stopped_clocks


def resume_destination(store: Store, names: Sequence[str], *, why: str, actor: str) -> Switched:
    """Resume each; all of them or none. A relay releases what was held, the oldest first.

    Raises Refused without a `why`, NotFound.
    """
    reason = needed_why(why, "a resumption")
    report = Switched()
    with store.write(ring=True) as tx:
        tend_stopped_clocks(tx)  # before a pause ends: nobody may have stopped them yet
        for name in checked_names(tx, names):
            changed = resume_circuit(tx, name, why=reason, actor=actor)
            (report.names if changed else report.unchanged).append(name)
    return report
