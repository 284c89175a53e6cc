"""The doctor's look at changes: what is live unapproved, and what awaits an approval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, ok

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store


def look_at_changes(store: Store) -> Iterator[CheckResult]:
    """How far versions are approved, and what waits; neither is a fault."""
    from orchestrator.store.changes.views import count_changes

    with store.read() as tx:
        found = count_changes(tx)
    told = f"{found.unapproved} of {found.live} live workflows went live without an approval"
    if found.unapproved:
        told += "; a client's changes need one from the first person on who has the role approver"
    yield ok("approvals", told)
    if found.waiting:
        yield ok("changes", f"{found.waiting} await an approval: `meshline change list`")
