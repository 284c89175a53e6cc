"""Diagnose quarantined events: what their sender changed, against what was delivered near them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.drift.compare import diagnose_drift
from orchestrator.domain.drift.finding import Finding
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.drift_samples import (
    SENDERS,
    Affected,
    accepted_sample,
    affected_workflows,
    broken_events,
    broken_sample,
)
from orchestrator.store.quarantine.workflows import WorkflowShelf, live_workflow
from orchestrator.store.views.quarantine.selection import Selection, states_of

MOST_WORKFLOWS = 20
"""Workflows that one diagnosis looks at: each is a comparison of its own."""


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What was found about the selected events of one workflow."""

    client: str
    workflow: str
    events: int  # selected
    broken: int  # of these looked at
    accepted: int  # delivered events that they were compared with
    findings: tuple[Finding, ...]


def diagnose(store: Store, what: Selection | int) -> list[Finding]:
    """The findings about selected events, or about those of an incident. Raises as `examine`."""
    selection = Selection(incident=what) if isinstance(what, int) else what
    return [finding for one in examine(store, selection) for finding in one.findings]


def examine(store: Store, selection: Selection) -> list[Diagnosis]:
    """A diagnosis for each workflow of the selected events; reads bounded samples.

    Raises NotFound for an id that does not exist; Refused for a selection without a condition or
    with too many workflows, and for a reason that lies in no payload.
    """
    _require_comparable(selection)
    with store.read() as tx:
        _check_ids(tx, selection)
        affected = affected_workflows(tx, selection, most=MOST_WORKFLOWS + 1)
        if len(affected) > MOST_WORKFLOWS:
            raise Refused(
                f"the selection has events of more than {MOST_WORKFLOWS} workflows",
                field="selection",
                fix="narrow it with --workflow, --client or --incident",
            )
        return [_examined(tx, selection, one) for one in affected]


def diagnose_events(
    tx: Tx,
    ids: Sequence[str],
    *,
    client: str,
    workflow: str,
    contract: Mapping[str, object] | None,
) -> tuple[Finding, ...]:
    """The findings about some quarantined events of one workflow, whose live contract this is."""
    if not ids:
        return ()
    broken = broken_events(tx, ids)
    accepted = accepted_sample(tx, client, workflow, beside=min(ids))
    return diagnose_drift(accepted, broken, contract)


def _examined(tx: Tx, selection: Selection, where: Affected) -> Diagnosis:
    live = live_workflow(tx, where.client, where.workflow)
    contract = WorkflowShelf().take(tx, live.id).contract.schema if live else None
    broken = broken_sample(tx, selection, where)
    accepted = accepted_sample(tx, where.client, where.workflow, beside=where.first)
    return Diagnosis(
        client=where.client,
        workflow=where.workflow,
        events=where.events,
        broken=len(broken),
        accepted=len(accepted),
        findings=diagnose_drift(accepted, broken, contract),
    )


def _check_ids(tx: Tx, selection: Selection) -> None:
    known = states_of(tx, selection.ids) if selection.ids else {}
    for event_id in selection.ids:
        if event_id not in known:
            raise NotFound(
                f"there is no event {event_id!r}", field="id", fix="see `meshline quarantine list`"
            )


def _require_comparable(selection: Selection) -> None:
    if selection.is_empty:
        raise Refused(
            "nothing was selected",
            field="selection",
            fix="give event ids, or a filter such as --workflow or --reason",
        )
    if selection.reason is not None and selection.reason not in SENDERS:
        raise Refused(
            f"{selection.reason} does not lie in a payload, so there is nothing to compare",
            field="reason",
            fix=f"leave --reason out, or use one of {', '.join(SENDERS)}",
        )
