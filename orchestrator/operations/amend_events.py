"""Amend quarantined events: by a fix, by a recipe, or back to what came.

Each is an audited change of the payload; what came is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.delivery.verdicts import Rejected, Violation
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import Amendment, apply_amendments
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.operations.choose_amendable import (
    Seen,
    Untouched,
    choose_amendable,
    look_at_amended,
)
from orchestrator.operations.preview_recipe import Tried, try_recipe
from orchestrator.operations.select_events import selected_chunks
from orchestrator.pipeline.validate import validate
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_events
from orchestrator.store.desk.recipes import note_amended, save_recipe
from orchestrator.store.quarantine.actions import amend, bodies_of_amended, effective_payloads
from orchestrator.store.quarantine.amendments import digests_of_amended, take_back
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


@dataclass(kw_only=True)
class Amendments(Untouched):
    """What a recipe did."""

    ids: list[str] = field(default_factory=list)
    recipes: list[int] = field(default_factory=list)  # saved as, one a workflow
    refused: list[Tried] = field(default_factory=list)  # would not pass


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

    def fix(tx: Tx, free: list[str]) -> None:
        for (client, name), ids in by_workflow(tx, free).items():
            workflow = shelf.take(tx, require_live(tx, client, name).id)
            amended = _fixed(tx, ids, amendments, workflow, report)
            report.ids += list(amended) if dry_run else _save(tx, amended, amendments, actor)

    _each_chunk(store, found, report, fix, actor=actor, again=again, seen=seen, progress=progress)
    return report


def mend_events(
    store: Store,
    selection: Selection,
    recipe: Recipe,
    *,
    actor: str,
    again: bool = False,
    from_original: bool = False,
    seen: Seen | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Amendments:
    """Amend every selected event that the recipe lets pass contract and routes; no other.

    The payload as it came is kept; the recipe is saved with its author, and the audit says which
    it was. Nothing is replayed. What somebody else amended is passed over without `again`, and what
    is not as it was `seen` by a preview is left alone. `progress` gets, after each chunk, how many
    were looked at. Raises NotFound, Refused for a selection
    without a condition.
    """
    found, skipped = selected_chunks(store, selection)
    before = look_at_amended(store, found) if seen is None else seen
    done = Amendments(skipped=skipped)
    shelf = WorkflowShelf()

    def mend(tx: Tx, free: list[str]) -> None:
        for (client, name), ids in by_workflow(tx, free).items():
            workflow = shelf.take(tx, require_live(tx, client, name).id)
            tried = try_recipe(tx, ids, recipe, workflow, from_original=from_original)
            amended = {one.id: one.payload for one in tried if one.passes}
            done.ids += _save_by_recipe(tx, amended, recipe, (client, name), actor, done)
            done.refused += [one for one in tried if not (one.passes or one.already)]

    _each_chunk(store, found, done, mend, actor=actor, again=again, seen=before, progress=progress)
    return done


def reset_events(
    store: Store,
    selection: Selection,
    *,
    actor: str,
    again: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Fixed:
    """Remove the amendments of quarantined events; what nobody amended is unchanged.

    Somebody else's amendments are removed with `again` only. `progress` gets, after each chunk, how
    many events were looked at. Raises Refused without a condition, NotFound.
    """
    found, skipped = selected_chunks(store, selection)
    report = Fixed(dry_run=dry_run, skipped=skipped)
    seen = look_at_amended(store, found)

    def reset(tx: Tx, free: list[str]) -> None:
        amended = digests_of_amended(tx, free)
        report.unchanged += [one for one in free if one not in amended]
        wanted = [one for one in free if one in amended]
        report.ids += wanted if dry_run else take_back(tx, wanted, actor=actor)

    _each_chunk(store, found, report, reset, actor=actor, again=again, seen=seen, progress=progress)
    return report


def _each_chunk(
    store: Store,
    chunks: Sequence[Sequence[str]],
    report: Untouched,
    change: Callable[[Tx, list[str]], None],
    *,
    actor: str,
    again: bool,
    seen: Seen,
    progress: Callable[[int], None],
) -> None:
    """Change those of each chunk that may be amended, a transaction for each."""
    looked_at = 0
    for chunk in chunks:
        with store.write() as tx:
            hold_events(tx, chunk)  # before their payloads are read: another may be amending them
            change(tx, choose_amendable(tx, chunk, report, actor=actor, again=again, seen=seen))
        looked_at += len(chunk)
        progress(looked_at)


def _fixed(
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
            changed = _fixed_payload(payload, came.get(event_id), amendments)
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


def _fixed_payload(payload: object, came: object | None, amendments: Sequence[Amendment]) -> object:
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


def _save_by_recipe(
    tx: Tx,
    amended: Mapping[str, object],
    recipe: Recipe,
    workflow: tuple[str, str],
    actor: str,
    done: Amendments,
) -> list[str]:
    """Amend events of one workflow, and save the recipe beside it."""
    if not amended:
        return []
    number = save_recipe(tx, recipe, *workflow, actor=actor)
    detail = {"recipe": number, "note": recipe.note} if recipe.note else {"recipe": number}
    moved = amend(tx, amended, actor=actor, detail=detail)
    note_amended(tx, number, len(moved))
    if number not in done.recipes:
        done.recipes.append(number)
    return moved
