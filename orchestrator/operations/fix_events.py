"""Fix quarantined events: an audited amendment of the payload, checked before it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from orchestrator.domain.amendment import Amendment, apply_amendments
from orchestrator.domain.compiled import CompiledWorkflow
from orchestrator.domain.errors import Refused
from orchestrator.domain.verdicts import Rejected
from orchestrator.operations.select_events import selected_chunks
from orchestrator.pipeline.validate import validate
from orchestrator.store.engine import Store, Tx
from orchestrator.store.locks import hold_events
from orchestrator.store.quarantine import amend, effective_payloads
from orchestrator.store.selection import Selection, by_workflow
from orchestrator.store.workflows import WorkflowShelf, require_live


@dataclass(kw_only=True)
class Fixed:
    """What a fix did, or with `dry_run` would do."""

    dry_run: bool
    ids: list[str] = field(default_factory=list)
    refused: list[dict[str, object]] = field(default_factory=list)  # id, detail, violations
    skipped: list[dict[str, object]] = field(default_factory=list)  # id, state: not standing here


def fix_events(
    store: Store,
    selection: Selection,
    amendments: Sequence[Amendment],
    *,
    actor: str,
    dry_run: bool = False,
) -> Fixed:
    """Amend the payloads of quarantined events; the payloads as they came are kept.

    What would still break the contract of the workflow's live version is refused, event by event,
    with every violation. Raises Refused without an amendment or a condition, NotFound.
    """
    if not amendments:
        raise Refused(
            "a fix needs something to change",
            field="fix",
            fix="give --rename old=new, --set path=value or --unset path",
        )
    found, skipped = selected_chunks(store, selection)
    report = Fixed(dry_run=dry_run, skipped=skipped)
    shelf = WorkflowShelf()
    for chunk in found:
        with store.write() as tx:
            hold_events(tx, chunk)  # before their payloads are read: another may be amending them
            for (client, name), ids in by_workflow(tx, chunk).items():
                workflow = shelf.take(tx, require_live(tx, client, name).id)
                amended = _amended(tx, ids, amendments, workflow, report)
                report.ids += list(amended) if dry_run else _save(tx, amended, amendments, actor)
    return report


def _amended(
    tx: Tx,
    ids: Sequence[str],
    amendments: Sequence[Amendment],
    workflow: CompiledWorkflow,
    report: Fixed,
) -> dict[str, object]:
    good: dict[str, object] = {}
    for event_id, payload in effective_payloads(tx, ids).items():
        try:
            changed = apply_amendments(payload, amendments)
        except Refused as refused:
            report.refused.append({"id": event_id, "detail": str(refused), "violations": []})
            continue
        verdict = validate(changed, workflow)
        if isinstance(verdict, Rejected):
            violations = [asdict(one) for one in verdict.violations]
            report.refused.append(
                {"id": event_id, "detail": verdict.detail, "violations": violations}
            )
        else:
            good[event_id] = changed
    return good


def _save(
    tx: Tx, amended: dict[str, object], amendments: Sequence[Amendment], actor: str
) -> list[str]:
    detail = {"amendments": [one.describe() for one in amendments]}
    return amend(tx, amended, actor=actor, detail=detail)
