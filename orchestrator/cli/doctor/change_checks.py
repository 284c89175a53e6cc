"""The doctor's look at changes: what is live unapproved, and what awaits an approval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention, broken, ok

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store


def look_at_changes(store: Store) -> Iterator[CheckResult]:
    """How far versions are approved, and what waits; neither is a fault."""
    from orchestrator.store.changes.views import count_changes

    with store.read() as tx:
        found = count_changes(tx)
    told = f"{found.unapproved} of {found.live} live workflows went live without an approval"
    if found.broken:
        told += f", {found.broken} of them by break-glass"
    if found.unapproved > found.broken:
        told += "; a client's changes need one from the first person on who has the role approver"
    yield ok("approvals", told)
    if found.waiting:
        yield ok("changes", f"{found.waiting} await an approval: `meshline change list`")


def look_at_gates() -> Iterator[CheckResult]:
    """The house's file of gates: while it cannot be read, nothing is approved."""
    from orchestrator.domain.errors import Refused
    from orchestrator.operations.changes.gates.house import house_gates
    from orchestrator.variables import gates_file

    if (path := gates_file()) is None:
        return
    try:
        found = house_gates()
    except Refused as error:
        yield broken("gates", error.detail, error.fix or "mend the file")
        return
    rules = f"{len(found.rules)} rule{'' if len(found.rules) == 1 else 's'} of the house"
    yield ok("gates", f"{path}: {len(found.gates)} of the ten set otherwise, {rules}")


def look_at_definitions(store: Store, here: Mapping[str, str]) -> Iterator[CheckResult]:
    """Connector definitions of this machine that are not those that were approved."""
    from orchestrator.store.quarantine.workflows import approved_definitions

    with store.read() as tx:
        approved = approved_definitions(tx)
    for (client, workflow), connectors in approved.items():
        for name, digest in sorted(connectors.items()):
            if here.get(name) == digest:
                continue
            have = f"here it is {here[name][:_SHOWN]}" if name in here else "here there is none"
            found = f"the definition of {name} that was approved is {digest[:_SHOWN]}; {have}"
            fix = "a worker here would hold what goes there: give it the approved definition, or"
            fix += " `meshline change propose` the workflow's file here"
            yield attention(f"{client}/{workflow}", found, fix)


_SHOWN = 12  # digits of a digest
