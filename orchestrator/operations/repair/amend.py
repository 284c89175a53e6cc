"""Amend quarantined events: by a fix, by a recipe, or back to what came.

Each is an audited change of the payload; what came is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.delivery.verdicts import Rejected, Violation
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import Amendment, apply_amendments
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.operations.access.allow import allow_for_events
from orchestrator.operations.quarantine.select import selected_chunks
from orchestrator.operations.repair.choose_amendable import (
    Seen,
    Untouched,
    choose_amendable,
    look_at_amended,
)
from orchestrator.operations.repair.preview_recipe import try_recipe
from orchestrator.operations.repair.try_on_payload import Tried
from orchestrator.pipeline.validate import validate
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_events
from orchestrator.store.desk.recipes import note_amended, save_recipe
from orchestrator.store.quarantine.actions import amend, bodies_of_amended, effective_payloads
from orchestrator.store.quarantine.amendments import digests_of_amended, take_back
from orchestrator.store.quarantine.workflows import WorkflowShelf, require_live
from orchestrator.store.views.quarantine.selection import Selection, by_workflow


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
    actor: Actor,
    again: bool = False,
    dry_run: bool = False,
    seen: Seen | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Fixed:
    """Amend the payloads of quarantined events; the payloads as they came are kept.

    What would still break the contract of the workflow's live version is refused, event by event,
    with every violation. Events that somebody else amended are passed over without `again`, and an
    event that is not as it was `seen` is left alone. `progress` gets, after each chunk, how many
    events were looked at. Raises Refused without an amendment or a condition, NotFound.
    """
    if not amendments:
        raise Refused(
            "a fix needs something to change",
            field="fix",
            fix="say what to rename, to set or to unset",
        )
    found, skipped = selected_chunks(store, selection, actor=actor, act=Act.AMEND)
    report = Fixed(dry_run=dry_run, skipped=skipped)
    before = look_at_amended(store, found) if seen is None else seen
    shelf = WorkflowShelf()

    def fix(tx: Tx, free: list[str]) -> None:
        for (client, name), ids in by_workflow(tx, free).items():
            workflow = shelf.take(tx, require_live(tx, client, name).id)
            amended = _fixed(tx, ids, amendments, workflow, report)
            report.ids += list(amended) if dry_run else _save(tx, amended, amendments, actor)

    _each_chunk(store, found, report, fix, actor=actor, again=again, seen=before, progress=progress)
    return report


def mend_events(
    store: Store,
    selection: Selection,
    recipe: Recipe,
    *,
    actor: Actor,
    again: bool = False,
    from_original: bool = False,
    seen: Seen | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Amendments:
    """Amend every selected event that the recipe lets pass contract and routes; no other.

    The payload as it came is kept; the recipe is saved with its author, and the audit says which
    it was. Nothing is replayed. An event that somebody else amended is passed over without
    `again`, and one that is not as it was `seen` by a preview is left alone. `progress` gets, after
    each chunk, how many were looked at. Raises NotFound, Refused for a selection without a
    condition.
    """
    found, skipped = selected_chunks(store, selection, actor=actor, act=Act.AMEND)
    before = look_at_amended(store, found) if seen is None else seen
    done = Amendments(skipped=skipped)
    shelf = WorkflowShelf()

    def mend(tx: Tx, free: list[str]) -> None:
        _mend(tx, free, recipe, done, shelf, actor=actor, from_original=from_original)

    _each_chunk(store, found, done, mend, actor=actor, again=again, seen=before, progress=progress)
    return done


def mend_chunk(
    tx: Tx,
    ids: Sequence[str],
    recipe: Recipe,
    done: Amendments,
    shelf: WorkflowShelf,
    *,
    actor: Actor,
    again: bool,
    from_original: bool,
) -> None:
    """The same for a few events, in the caller's transaction; `done` is added to."""
    allow_for_events(tx, actor, Act.AMEND, ids)
    hold_events(tx, ids)
    free = choose_amendable(tx, ids, done, actor=actor, again=again)
    _mend(tx, free, recipe, done, shelf, actor=actor, from_original=from_original)


def _mend(
    tx: Tx,
    free: Sequence[str],
    recipe: Recipe,
    done: Amendments,
    shelf: WorkflowShelf,
    *,
    actor: Actor,
    from_original: bool,
) -> None:
    for (client, name), ids in by_workflow(tx, free).items():
        workflow = shelf.take(tx, require_live(tx, client, name).id)
        tried = try_recipe(tx, ids, recipe, workflow, from_original=from_original)
        amended = {one.id: one.payload for one in tried if one.passes}
        done.ids += _save_by_recipe(tx, amended, recipe, (client, name), actor, done)
        done.refused += [one for one in tried if not (one.passes or one.already)]


def reset_events(
    store: Store,
    selection: Selection,
    *,
    actor: Actor,
    again: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Fixed:
    """Remove the amendments of quarantined events; what nobody amended is unchanged.

    Somebody else's amendments are removed with `again` only. `progress` gets, after each chunk, how
    many events were looked at. Raises Refused without a condition, NotFound.
    """
    found, skipped = selected_chunks(store, selection, actor=actor, act=Act.AMEND)
    report = Fixed(dry_run=dry_run, skipped=skipped)
    seen = look_at_amended(store, found)

    def reset(tx: Tx, free: list[str]) -> None:
        amended = digests_of_amended(tx, free)
        report.unchanged += [one for one in free if one not in amended]
        wanted = [one for one in free if one in amended]
        report.ids += wanted if dry_run else take_back(tx, wanted, actor=actor.name)

    _each_chunk(store, found, report, reset, actor=actor, again=again, seen=seen, progress=progress)
    return report


def _each_chunk(
    store: Store,
    chunks: Sequence[Sequence[str]],
    report: Untouched,
    change: Callable[[Tx, list[str]], None],
    *,
    actor: Actor,
    again: bool,
    seen: Seen,
    progress: Callable[[int], None],
) -> None:
    """Change those of each chunk that may be amended, a transaction for each."""
    looked_at = 0
    for chunk in chunks:
        with store.write() as tx:
            allow_for_events(tx, actor, Act.AMEND, chunk)
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
    tx: Tx, amended: dict[str, object], amendments: Sequence[Amendment], actor: Actor
) -> list[str]:
    detail = {"amendments": [one.describe() for one in amendments]}
    return amend(tx, amended, actor=actor.name, detail=detail)


def _save_by_recipe(
    tx: Tx,
    amended: Mapping[str, object],
    recipe: Recipe,
    workflow: tuple[str, str],
    actor: Actor,
    done: Amendments,
) -> list[str]:
    """Amend events of one workflow, and save the recipe beside it."""
    if not amended:
        return []
    number = save_recipe(tx, recipe, *workflow, actor=actor.name)
    detail = {"recipe": number, "note": recipe.note} if recipe.note else {"recipe": number}
    moved = amend(tx, amended, actor=actor.name, detail=detail)
    note_amended(tx, number, len(moved))
    if number not in done.recipes:
        done.recipes.append(number)
    return moved
