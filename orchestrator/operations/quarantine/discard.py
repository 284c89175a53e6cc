"""Discard quarantined events: a person gives them up, and says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.whys import needed_why
from orchestrator.operations.access.allow import allow_for_events
from orchestrator.operations.quarantine.select import (
    LeftAlone,
    left_alone,
    missing,
    selected_chunks,
)
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.actions import discard
from orchestrator.store.views.quarantine.selection import (
    Cause,
    Key,
    Selection,
    causes_of,
    count_causes,
)
from orchestrator.store.views.values import iso, now_of


@dataclass(kw_only=True)
class Discarded:
    """What a discard did, or with `dry_run` would do."""

    dry_run: bool
    at: str | None  # the store's time before the first of them
    ids: list[str] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)
    skipped: list[LeftAlone] = field(default_factory=list)  # not in quarantine


def discard_events(
    store: Store,
    selection: Selection,
    *,
    why: str,
    actor: Actor,
    dry_run: bool = False,
    seen: Collection[str] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Discarded:
    """Give quarantined events up; `seen` are those that a person agreed to, and no others.

    `progress` gets, after each chunk, how many events were looked at.
    Raises Refused without a `why`, unless it is a dry run, and without a condition; NotFound.
    """
    reason = "" if dry_run else needed_why(why, "a discard")
    found, skipped = selected_chunks(store, selection, actor=actor, act=Act.DISCARD)
    with store.read() as tx:
        report = Discarded(dry_run=dry_run, at=iso(now_of(tx)), skipped=skipped)
    counts: Counter[Key] = Counter()
    looked_at = 0
    for chunk in found:
        if dry_run:
            with store.read() as tx:
                counts += count_causes(tx, chunk)
            report.ids += chunk
        else:
            meant = [one for one in chunk if seen is None or one in seen]
            counts += _discard(store, meant, report, why=reason, actor=actor)
        looked_at += len(chunk)
        progress(looked_at)
    report.causes = causes_of(counts)
    return report


def _discard(
    store: Store, ids: Sequence[str], report: Discarded, *, why: str, actor: Actor
) -> Counter[Key]:
    """One chunk, in one transaction; what was given up, by cause."""
    with store.write() as tx:
        allow_for_events(tx, actor, Act.DISCARD, ids)
        gone = discard(tx, ids, why=why, actor=actor.name)
        counts = count_causes(tx, gone, discarded=True)
        report.skipped += left_alone(tx, missing(ids, gone))
    report.ids += gone
    return counts
