"""The doctor's look at events that wait for a yes: how many, how late, and who may say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention, ok

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store


def look_at_asked_events(store: Store) -> Iterator[CheckResult]:
    """What waits, and workflows that ask where nobody may decide. Nothing where none asks."""
    from orchestrator.operations.approvals.who_decides import who_decides_about
    from orchestrator.store.approvals.counts import asking_workflows, count_waiting

    with store.read() as tx:
        waiting = count_waiting(tx)
        asking = asking_workflows(tx)
        for one in asking:
            if not who_decides_about(tx, one.client, one.approver).mails:
                found = f"{one.client}/{one.workflow} asks, and nobody has the role approver there"
                fix = "`meshline people add` somebody with it: each of its events is late else"
                yield attention("events to approve", found, fix)
    if late := waiting["over"]:
        found = f"the time to decide about {_events(late)} is over, and no keeper ended it"
        yield attention("events to approve", found, "start a keeper: `meshline keeper`")
    if asking or sum(waiting.values()):
        open_ = sum(waiting.values()) - late
        told = f"{_events(open_)} wait for a yes, of {waiting['second_half']} half of the time is"
        yield ok("events to approve", f"{told} over: `meshline approvals list`")


def _events(count: int) -> str:
    return f"{count} event" if count == 1 else f"{count} events"
