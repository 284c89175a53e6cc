"""The work of a job on frozen events: a few hundred in a step, each with its outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from orchestrator.domain.access.actor import process
from orchestrator.domain.jobs import ItemOutcome, JobKind, Outcome
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.operations.quarantine.select import LeftAlone, left_alone, missing
from orchestrator.operations.repair.amend import Amendments, mend_chunk
from orchestrator.operations.repair.choose_amendable import Amended
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.job_items import open_items, settle_items
from orchestrator.store.desk.jobs import LockedJob
from orchestrator.store.quarantine.actions import discard
from orchestrator.store.quarantine.restoring import emptied, restore
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.quarantine.selection import CHUNK

Outcomes = Mapping[str, ItemOutcome]
"""What came of each event, by its id."""


class Steps(Protocol):
    """What the work tells of each step, and what may end it."""

    def note(self, tx: Tx, done: int, failed: int = 0) -> None:
        """Within a step's transaction: so many of all items are done with it, if it may be."""

    def go_on(self) -> None:
        """Between two steps."""


def carry_out_on_events(store: Store, job: LockedJob, step: Steps) -> None:
    """Do what is left of a job, step by step; in one transaction the act and its outcomes."""
    act = _ACTS[job.kind](job)
    done, failed = job.done, job.failed
    while True:
        with store.write() as tx:
            items = open_items(tx, job.id, limit=CHUNK)
            if not items:
                return
            ids = [event_id for _, event_id in items]
            came = act(tx, ids)
            settle_items(tx, job.id, items, came)
            done += len(items)
            failed += sum(came[one].outcome is Outcome.FAILED for one in ids)
            step.note(tx, done, failed)
        step.go_on()


def _discards(job: LockedJob) -> Callable[[Tx, Sequence[str]], Outcomes]:
    def act(tx: Tx, ids: Sequence[str]) -> Outcomes:
        gone = discard(tx, ids, why=job.why or "", actor=job.starter.name)
        return _done(gone) | _left(left_alone(tx, missing(ids, gone)), so_already="discarded")

    return act


def _restores(job: LockedJob) -> Callable[[Tx, Sequence[str]], Outcomes]:
    def act(tx: Tx, ids: Sequence[str]) -> Outcomes:
        back = restore(tx, ids, why=job.why or "", actor=job.starter.name).ids
        left = _left(left_alone(tx, missing(ids, back)), so_already="quarantined")
        gone = emptied(tx, [one for one in left if left[one].outcome is Outcome.FAILED])
        return _done(back) | left | {one: _failed(gone[one]) for one in gone}

    return act


def _amends(job: LockedJob) -> Callable[[Tx, Sequence[str]], Outcomes]:
    recipe, shelf = _recipe(job), WorkflowShelf()

    def act(tx: Tx, ids: Sequence[str]) -> Outcomes:
        made = Amendments()
        mend_chunk(
            tx,
            ids,
            recipe,
            made,
            shelf,
            actor=process(job.starter.name),
            again=job.asked.again,
            from_original=job.asked.from_original,
        )
        return (
            {one: ItemOutcome(outcome=Outcome.UNCHANGED) for one in ids}  # they were so before
            | _done(made.ids)
            | {one.id: _failed(one.detail or str(one.reason)) for one in made.refused}
            | {one.id: _failed(_amended_by(one)) for one in made.passed_over}
            | _left(made.skipped)
        )

    return act


def _recipe(job: LockedJob) -> Recipe:
    told = job.asked.recipe or {}
    steps = told.get("steps")
    note = told.get("note")
    return recipe_of(
        steps if isinstance(steps, list) else [], note=note if isinstance(note, str) else None
    )


_ACTS = {JobKind.DISCARD: _discards, JobKind.RESTORE: _restores, JobKind.AMEND: _amends}


def _done(ids: Sequence[str]) -> dict[str, ItemOutcome]:
    return {one: ItemOutcome(outcome=Outcome.DONE) for one in ids}


def _failed(detail: str) -> ItemOutcome:
    return ItemOutcome(outcome=Outcome.FAILED, detail=detail)


def _left(told: Sequence[LeftAlone], *, so_already: str | None = None) -> dict[str, ItemOutcome]:
    """Events that are elsewhere: where they were to come to, or where nothing can be done."""
    return {
        one.id: ItemOutcome(outcome=Outcome.UNCHANGED)
        if one.state == so_already
        else _failed(f"it is {one.state}{_by(one)}")
        for one in told
    }


def _by(one: LeftAlone) -> str:
    return f": {one.act.done} by {one.act.by} at {one.act.at}" if one.act else ""


def _amended_by(one: Amended) -> str:
    by = f": {one.act.by} at {one.act.at}" if one.act else ""
    return f"somebody else amended it{by}"
