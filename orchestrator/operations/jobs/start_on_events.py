"""Start a job on quarantined or discarded events: which they are is frozen with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NothingSelected, Refused
from orchestrator.domain.jobs import Instructions, JobKind
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.whys import needed_why, optional_why
from orchestrator.operations.access.allow import allow_for_events
from orchestrator.operations.quarantine.select import select_events
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.job_items import add_items
from orchestrator.store.desk.jobs import add_job
from orchestrator.store.views.events.clients import clients_of_events
from orchestrator.store.views.quarantine.selection import Selection

_MOST_EVENTS = 200_000  # all of them are written down before anybody is answered


def start_discard_job(
    store: Store,
    selection: Selection,
    *,
    actor: Actor,
    why: str,
    seen: Collection[str] | None = None,
) -> int:
    """Let a keeper give the selected events up; the job's number.

    `seen` are those that a person agreed to, and no others. Raises as `_start`.
    """
    reason = needed_why(why, "a discard")
    return _start(store, JobKind.DISCARD, selection, actor, why=reason, seen=seen)


def start_restore_job(store: Store, selection: Selection, *, actor: Actor, why: str) -> int:
    """Let a keeper take the discard of the selected events back. Raises as `_start`."""
    reason = needed_why(why, "a restore")
    if selection.words:
        raise Refused(
            "words of discarded events are looked for one by one, which a job does not do",
            field="text",
            fix="restore them without a job, or choose them otherwise",
        )
    return _start(store, JobKind.RESTORE, selection, actor, why=reason)


def start_amend_job(
    store: Store,
    selection: Selection,
    recipe: Recipe,
    *,
    actor: Actor,
    again: bool = False,
    from_original: bool = False,
    compare: Callable[[Tx], None] = lambda _: None,
) -> int:
    """Let a keeper amend the selected events by a recipe, as `mend_events` does.

    `compare` looks before anything is written, and raises where it is not as the person saw it.
    Raises as `_start`.
    """
    asked = Instructions(recipe=recipe.describe(), again=again, from_original=from_original)
    why = optional_why(recipe.note)
    return _start(store, JobKind.AMEND, selection, actor, why=why, asked=asked, compare=compare)


def _start(
    store: Store,
    kind: JobKind,
    selection: Selection,
    actor: Actor,
    *,
    why: str | None,
    asked: Instructions | None = None,
    seen: Collection[str] | None = None,
    compare: Callable[[Tx], None] = lambda _: None,
) -> int:
    """Raises NotFound, Forbidden; Refused for a selection of nothing, or of too many events."""
    act, discarded = _ACTS[kind], kind is JobKind.RESTORE
    found, _ = select_events(store, selection, actor=actor, act=act, discarded=discarded)
    ids = [one for one in found if seen is None or one in seen]
    if not ids:
        raise NothingSelected(
            "it selects no event", field="selection", fix="see `meshline events list`"
        )
    if len(ids) > _MOST_EVENTS:
        raise Refused(
            f"{len(ids)} events are too many for one job: it may have {_MOST_EVENTS}",
            field="selection",
            fix="choose fewer, by a time since or until which they are there",
        )
    with store.write() as tx:
        allow_for_events(tx, actor, act, ids)
        compare(tx)
        job = add_job(
            tx,
            kind,
            items=len(ids),
            actor=actor,
            clients=sorted(clients_of_events(tx, ids)),
            asked=asked or Instructions(),
            why=why,
        )
        add_items(tx, job, ids)
    return job


_ACTS: Mapping[JobKind, Act] = {
    JobKind.DISCARD: Act.DISCARD,
    JobKind.RESTORE: Act.RESTORE,
    JobKind.AMEND: Act.AMEND,
}
