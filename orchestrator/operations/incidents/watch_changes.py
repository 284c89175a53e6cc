"""Look whether an acknowledged incident shows a change that its owner does not know of."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import orjson

from orchestrator.domain.contracts.places import Places
from orchestrator.domain.drift.finding import Finding
from orchestrator.domain.drift.naming import bare_finding, change_key
from orchestrator.operations.repair.diagnose import diagnose
from orchestrator.store.clocks.news import Watched, learn_changes, list_watched, tell_change
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.workflows import WorkflowShelf, live_workflow

_MOST_AT_ONCE = 5  # changes that one look tells of


@dataclass(kw_only=True)
class ChangeWatch:
    """What a keeper looked at, so that it diagnoses one incident a turn, and only what grew."""

    pause_seconds: float = 60.0  # between two looks at one incident
    looked: dict[int, tuple[int, float]] = field(default_factory=dict)  # its notes, and when


def watch_changes(store: Store, watch: ChangeWatch, *, actor: str = "keeper") -> int:
    """Diagnose the incident that waited longest for it; how many changes its owner hears of."""
    with store.read() as tx:
        watched = list_watched(tx)
    watch.looked = {one.id: watch.looked[one.id] for one in watched if one.id in watch.looked}
    now = time.monotonic()
    due = [one for one in watched if _is_due(watch, one, now)]
    if not due:
        return 0
    chosen = min(due, key=lambda one: watch.looked.get(one.id, (0, 0.0))[1])
    watch.looked[chosen.id] = (chosen.notes, now)
    return _look(store, chosen, actor)


def known_changes(store: Store, incident: int) -> str:
    """What the diagnosis of an incident finds now, as a JSON list of keys."""
    return orjson.dumps(sorted(_found(store, incident))).decode()


def _is_due(watch: ChangeWatch, one: Watched, now: float) -> bool:
    notes, at = watch.looked.get(one.id, (-1, 0.0))
    return notes != one.notes and (notes < 0 or now - at >= watch.pause_seconds)


def _look(store: Store, seen: Watched, actor: str) -> int:
    found = _found(store, seen.id)
    if seen.changes is None:
        with store.write() as tx:
            learn_changes(tx, seen, sorted(found))
        return 0
    told = 0
    for key in sorted(found.keys() - set(seen.changes))[:_MOST_AT_ONCE]:
        known = sorted({*(seen.changes or ()), key})
        with store.write() as tx:
            if not tell_change(tx, seen, _bare(store, seen, found[key]), known, actor=actor):
                return told
        seen = replace(seen, changes=tuple(known))
        told += 1
    return told


def _found(store: Store, incident: int) -> dict[str, Finding]:
    return {change_key(one): one for one in diagnose(store, incident)}


def _bare(store: Store, seen: Watched, finding: Finding) -> str:
    with store.read() as tx:
        live = live_workflow(tx, seen.client, seen.workflow)
        places = WorkflowShelf().take(tx, live.id).contract.places if live else Places({})
    return bare_finding(finding, places).told()
