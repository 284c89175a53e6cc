"""Fix quarantined events: an audited amendment of the payload, checked before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.delivery.verdicts import Rejected, Violation
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import Amendment, apply_amendments
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.operations.choose_amendable import (
    Untouched,
    choose_amendable,
    look_at_amended,
)
from orchestrator.operations.select_events import selected_chunks
from orchestrator.pipeline.validate import validate
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_events
from orchestrator.store.quarantine.actions import amend, bodies_of_amended, effective_payloads
from orchestrator.store.quarantine.workflows import WorkflowShelf, require_live
from orchestrator.store.views.selection import Selection, by_workflow


@dataclass(frozen=True, kw_only=True, slots=True)
class NotFixed:
    """An event that a fix would leave broken."""

    id: str
    detail: str  # why, in a sentence
    violations: tuple[Violation, ...] = ()  # of the contract; none where the fix finds no field


@dataclass(kw_only=True)
class Fixed(Untouched):
    """What a fix did, or with `dry_run` would do."""

    dry_run: bool
    ids: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)  # they were so before
    refused: list[NotFixed] = field(default_factory=list)


def fix_events(
    store: Store,
    selection: Selection,
    amendments: Sequence[Amendment],
    *,
    actor: str,
    again: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Fixed:
    """Amend the payloads of quarantined events; the payloads as they came are kept.

    What would still break the contract of the workflow's live version is refused, event by event,
    with every violation. What somebody else amended is passed over without `again`. `progress`
    gets, after each chunk, how many events were looked at. Raises Refused without an amendment or a
    condition, NotFound.
    """
    if not amendments:
        raise Refused(
            "a fix needs something to change",
            field="fix",
            fix="give --rename old=new, --set path=value or --unset path",
        )
    found, skipped = selected_chunks(store, selection)
    report = Fixed(dry_run=dry_run, skipped=skipped)
    seen = look_at_amended(store, found)
    shelf = WorkflowShelf()
    looked_at = 0
    for chunk in found:
        with store.write() as tx:
            hold_events(tx, chunk)  # before their payloads are read: another may be amending them
            free = choose_amendable(tx, chunk, report, actor=actor, again=again, seen=seen)
            for (client, name), ids in by_workflow(tx, free).items():
                workflow = shelf.take(tx, require_live(tx, client, name).id)
                amended = _amended(tx, ids, amendments, workflow, report)
                report.ids += list(amended) if dry_run else _save(tx, amended, amendments, actor)
        looked_at += len(chunk)
        progress(looked_at)
    return report


def _amended(
    tx: Tx,
    ids: Sequence[str],
    amendments: Sequence[Amendment],
    workflow: CompiledWorkflow,
    report: Fixed,
) -> dict[str, object]:
    good: dict[str, object] = {}
    came = bodies_of_amended(tx, ids)
    for event_id, payload in effective_payloads(tx, ids).items():
        try:
            changed = _fixed(payload, came.get(event_id), amendments)
        except Refused as refused:
            report.refused.append(NotFixed(id=event_id, detail=str(refused)))
            continue
        verdict = validate(changed, workflow)
        if isinstance(verdict, Rejected):
            report.refused.append(
                NotFixed(id=event_id, detail=verdict.detail, violations=verdict.violations)
            )
        elif strict_json.digest(changed) == strict_json.digest(payload):
            report.unchanged.append(event_id)
        else:
            good[event_id] = changed
    return good


def _fixed(payload: object, came: object | None, amendments: Sequence[Amendment]) -> object:
    """The payload with the amendments made; as it is where they were made of what came before.

    Raises Refused.
    """
    try:
        return apply_amendments(payload, amendments)
    except Refused as refused:
        if came is None:
            raise
        try:
            before = apply_amendments(came, amendments)
        except Refused:
            raise refused from None
        if strict_json.digest(before) != strict_json.digest(payload):
            raise
        return payload


def _save(
    tx: Tx, amended: dict[str, object], amendments: Sequence[Amendment], actor: str
) -> list[str]:
    detail = {"amendments": [one.describe() for one in amendments]}
    return amend(tx, amended, actor=actor, detail=detail)
