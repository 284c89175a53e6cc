"""`meshline quarantine diagnose`: what the sender changed, in one line a change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.screen import put, put_json, put_line
from orchestrator.cli.terminal.selecting import Filters, selects

if TYPE_CHECKING:
    from orchestrator.operations.repair.diagnose import Diagnosis


@selects
def diagnose(
    *,
    filters: Filters,
    as_json: AsJson = False,
) -> None:
    """Say what the sender changed: compare what broke with what was delivered around it.

    Fields renamed, moved, retyped, removed, partly there, with a new value; unclear where more
    than one story fits. Nothing is changed. Examples are masked.
    """
    with opened_store() as store:
        from orchestrator.operations.repair.diagnose import examine

        found = shown_here(store, examine(store, filters.selection(store)))
    if as_json:
        put_json(_document(found))
    elif not found:
        put("no events are in quarantine that a sender broke")
    for one in [] if as_json else found:
        _put(one)


def _document(found: Iterable[Diagnosis]) -> dict[str, object]:
    from orchestrator.presenting.findings import finding_document

    diagnosis, workflows = [], []
    for one in found:
        whose = {"client": one.client, "workflow": one.workflow}
        diagnosis += [{**whose, **finding_document(finding)} for finding in one.findings]
        workflows.append(
            {**whose, "events": one.events, "broken": one.broken, "accepted": one.accepted}
        )
    return {"diagnosis": diagnosis, "workflows": workflows}


def _put(one: Diagnosis) -> None:
    looked = f"{one.broken} of {one.events}" if one.broken < one.events else f"{one.events}"
    put(f"{one.client}/{one.workflow}: {looked} events against {one.accepted} delivered ones")
    if not one.findings:
        put("  no change was found")
    for finding in one.findings:
        put_line(f"  {finding.told()}")
        for sentence in finding.evidence:
            put_line(f"    {sentence}")
