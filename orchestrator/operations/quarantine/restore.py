"""Restore discarded events: a discard is taken back until retention empties its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.text.words import words_of
from orchestrator.domain.whys import needed_why
from orchestrator.operations.access.allow import allow_for_events
from orchestrator.operations.quarantine.select import (
    LeftAlone,
    left_alone,
    missing,
    selected_chunks,
)
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.restoring import bodies, emptied, restore
from orchestrator.store.views.quarantine.selection import (
    Cause,
    Key,
    Selection,
    causes_of,
    count_causes,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NotRestored:
    """A discarded event of which nothing is left to restore."""

    id: str
    detail: str  # what emptied it, in a sentence


@dataclass(kw_only=True)
class Restored:
    """What a restore did, or with `dry_run` would do."""

    dry_run: bool
    ids: list[str] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)
    incidents: list[int] = field(default_factory=list)  # that opened again for it
    refused: list[NotRestored] = field(default_factory=list)
    skipped: list[LeftAlone] = field(default_factory=list)  # not discarded


def restore_events(
    store: Store,
    selection: Selection,
    *,
    why: str,
    actor: Actor,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Restored:
    """Put discarded events back in quarantine, as they were; the selection is over discarded ones.

    `since` and `until` are times of the discard. `progress` gets, after each chunk, how many were
    looked at. Done again, the same call changes nothing.
    Raises Refused without a `why`, unless it is a dry run, and without a condition; NotFound.
    """
    reason = "" if dry_run else needed_why(why, "a restore")
    found, skipped = selected_chunks(store, selection, actor=actor, act=Act.RESTORE, discarded=True)
    report = Restored(dry_run=dry_run, skipped=skipped)
    counts: Counter[Key] = Counter()
    looked_at = 0
    for chunk in found:
        with store.read() as tx:
            kept = _look(tx, chunk, selection, report)
            if dry_run:
                counts += count_causes(tx, kept, discarded=True)
                report.ids += kept
        if not dry_run:
            counts += _restore(store, kept, report, why=reason, actor=actor)
        looked_at += len(chunk)
        progress(looked_at)
    report.causes = causes_of(counts)
    return report


def _restore(
    store: Store, ids: Sequence[str], report: Restored, *, why: str, actor: Actor
) -> Counter[Key]:
    """One chunk, in one transaction; what came back, by cause."""
    with store.write() as tx:
        allow_for_events(tx, actor, Act.RESTORE, ids)
        back = restore(tx, ids, why=why, actor=actor.name)
        counts = count_causes(tx, back.ids)
        report.skipped += left_alone(tx, missing(ids, back.ids))
    report.ids += back.ids
    report.incidents += [one for one in back.incidents if one not in report.incidents]
    return counts


def _look(tx: Tx, ids: Sequence[str], selection: Selection, report: Restored) -> list[str]:
    """Those of a chunk that can be restored; the others are reported as refused."""
    gone = emptied(tx, ids)
    kept = [one for one in ids if one not in gone]
    if selection.words:
        # What has no payload has no words: nobody can say that it was meant.
        known = bodies(tx, kept)
        return [one for one in kept if _has_words(known.get(one), selection.words)]
    report.refused += [NotRestored(id=one, detail=gone[one]) for one in ids if one in gone]
    return kept


def _has_words(body: str | None, sought: Sequence[str]) -> bool:
    words = words_of(body) if body is not None else ()
    return all(any(word.startswith(begin) for word in words) for begin in sought)
