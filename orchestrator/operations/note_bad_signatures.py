"""Open the day's incident of a source that sends what is not proven, after it sent what was."""

from __future__ import annotations

from orchestrator.domain.incidents.causes import bad_signatures_cause
from orchestrator.domain.sources.source import Source
from orchestrator.domain.sources.unclaimed import unclaimed_workflow
from orchestrator.store.database.clock import time_of
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.hook_requests import has_sent
from orchestrator.store.quarantine.incidents import note_workflow
from orchestrator.store.quarantine.unclaimed import unclaimed_version


def note_bad_signatures(store: Store, source: Source, count: int) -> bool:
    """Count refused requests on the incident of this day; whether there is one.

    A source that never proved anything is not watched: anybody may knock at an address, and what
    was never set up right is seen by whoever sets it up.
    """
    with store.read() as tx:
        if not has_sent(tx, source.name):
            return False
    with store.write() as tx:
        day = time_of(tx).date().isoformat()
        unclaimed_version(tx, source)  # whose clock and owners the incident has
        cause = bad_signatures_cause(source.name, day)
        note_workflow(tx, unclaimed_workflow(source), cause, count, actor=source.actor)
    return True
