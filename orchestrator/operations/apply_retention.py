"""Forget what events carried that finished long ago; the audit and the events themselves stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import Refused
from orchestrator.operations.access.allow import allow
from orchestrator.store.database import audit
from orchestrator.store.database.audit_values import empty_values_before
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_events
from orchestrator.store.desk.heartbeats import forget_heartbeats
from orchestrator.store.desk.retention import (
    closed_letters_before,
    count_finished_before,
    finished_before,
    forget_contents,
    forget_jobs,
    forget_letters,
    forget_plans,
    old_jobs,
    old_plans,
    still_finished,
)
from orchestrator.store.views.values import now_of

_DAY_MS = 86_400_000
_BATCH = 2_000  # events in one transaction: other writers wait for it


@dataclass(frozen=True, kw_only=True)
class Retained:
    """What was forgotten, or would be."""

    events: int
    dead_letters: int
    plans: int
    jobs: int
    cutoff_ms: int  # what was finished after it was left alone


def apply_retention(
    store: Store,
    *,
    days: int,
    actor: Actor,
    dry_run: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Retained:
    """Forget payloads, what was sent, errors and violations of events that finished `days` ago.

    So are the values of the audit about these events, and those about no event that are as old.
    Replay plans that nobody touched for so long, and jobs that ended then, are deleted; what they
    did is in the audit.

    `tell` hears after each transaction how many events are done. An interrupted run goes on where
    it was, the next time. Raises Refused for less than a day.
    """
    if days < 1:
        raise Refused("the shortest retention is a day", field="days", fix="give --days 1 or more")
    with store.read() as tx:
        allow(tx, actor, Act.APPLY_RETENTION, ())
        cutoff = now_of(tx) - days * _DAY_MS
        if dry_run:
            letters = len(closed_letters_before(tx, cutoff))
            return Retained(
                events=count_finished_before(tx, cutoff),
                dead_letters=letters,
                plans=old_plans(tx, cutoff),
                jobs=old_jobs(tx, cutoff),
                cutoff_ms=cutoff,
            )
    with store.write() as tx:
        forget_heartbeats(tx)  # of processes that are gone; no act of anybody's, so not audited
    forgotten, last = 0, ""
    while batch := _forget_some(store, cutoff, days, actor, after=last):
        count, last = batch
        forgotten += count
        tell(forgotten)
    _forget_values(store, cutoff)
    return Retained(
        events=forgotten,
        dead_letters=_forget_letters(store, cutoff, days, actor),
        plans=_forget_rows(
            store, "plans", days, actor, lambda tx: forget_plans(tx, cutoff, most=_BATCH)
        ),
        jobs=_forget_rows(
            store, "jobs", days, actor, lambda tx: forget_jobs(tx, cutoff, most=_BATCH)
        ),
        cutoff_ms=cutoff,
    )


def _forget_some(
    store: Store, cutoff: int, days: int, actor: Actor, *, after: str
) -> tuple[int, str] | None:
    """How many events of a batch were forgotten, and its last id; None at the end."""
    with store.read() as tx:
        found = finished_before(tx, cutoff, after=after, most=_BATCH)
    if not found:
        return None
    with store.write() as tx:
        allow(tx, actor, Act.APPLY_RETENTION, ())
        hold_events(tx, found)
        ids = still_finished(tx, found, cutoff)  # a person may have restored some since
        if ids:
            told = {"days": days, "events": len(ids), "from": ids[0], "to": ids[-1]}
            forget_contents(tx, ids)
            audit.record(tx, actor=actor.name, action="retention", detail=told)
    return len(ids), found[-1]


def _forget_letters(store: Store, cutoff: int, days: int, actor: Actor) -> int:
    with store.write() as tx:
        allow(tx, actor, Act.APPLY_RETENTION, ())
        letters = forget_letters(tx, cutoff)
        if letters:
            told = {"days": days, "dead_letters": letters}
            audit.record(tx, actor=actor.name, action="retention", detail=told)
    return letters


def _forget_values(store: Store, cutoff: int) -> None:
    """Empty old values of audit rows that are about no event, a batch at a time."""
    while True:
        with store.write() as tx:
            if not empty_values_before(tx, cutoff, most=_BATCH):
                return


def _forget_rows(
    store: Store, what: str, days: int, actor: Actor, forget: Callable[[Tx], tuple[int, int]]
) -> int:
    """Delete old plans or jobs; how many. `forget` deletes a batch of their events, and those."""
    forgotten = 0
    while True:
        with store.write() as tx:
            allow(tx, actor, Act.APPLY_RETENTION, ())
            gone, done = forget(tx)
            if done:
                told = {"days": days, what: done}
                audit.record(tx, actor=actor.name, action="retention", detail=told)
        forgotten += done
        if not (gone or done):
            return forgotten
