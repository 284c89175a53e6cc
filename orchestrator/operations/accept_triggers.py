"""Accept triggers: durable before anybody is answered, and many requests in one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple

from uuid_utils import uuid7

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import Refused, UnknownTrigger
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.domain.sources.source import Source
from orchestrator.operations.access.allow import allow
from orchestrator.operations.quarantine_hooks import not_taken, set_apart
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.drive.accept import Arrival, InConflict, KeyConflict, accept, live_for
from orchestrator.store.quarantine.unclaimed import unclaimed_version
from orchestrator.store.quarantine.workflows import LiveWorkflow, live_workflows


@dataclass(frozen=True, kw_only=True)
class TriggerBatch:
    """Triggers that are accepted together or not at all."""

    triggers: Sequence[Trigger]
    actor: str  # the audit's word for who sent them


class RefusedAt(Refused):
    """Raised when one trigger of a batch is refused, and so the whole batch; `cause` says why."""

    code = "batch_refused"

    def __init__(self, index: int, cause: Refused) -> None:
        super().__init__(cause.detail, field=cause.field, fix=cause.fix)
        self.index = index
        self.cause = cause


def accept_batches(
    store: Store, batches: Sequence[TriggerBatch]
) -> list[list[Accepted] | RefusedAt]:
    """Accept each batch whole or not at all; the answers are in the order of the batches.

    All that are accepted share one commit. Nothing that a source sent is refused: what no workflow
    takes, and a key that comes again with another payload, go into quarantine as they come.

    Raises StoreUnavailable; nothing is accepted then.
    """
    refused: dict[int, RefusedAt] = {}
    again: dict[_Owner, KeyConflict] = {}
    accepted: dict[int, list[Accepted]] = {}
    # No other event has such an id, and ids of later events are greater.
    ids = [[uuid7().hex for _ in batch.triggers] for batch in batches]
    while len(refused) + len(accepted) < len(batches):
        left = [
            _Left(place, batch, ids[place])
            for place, batch in enumerate(batches)
            if place not in refused
        ]
        accepted = _accept_together(store, left, refused, again)
    return [refused.get(place) or accepted[place] for place in range(len(batches))]


def accept_batch(store: Store, triggers: Sequence[Trigger], *, actor: str) -> list[Accepted]:
    """Accept one batch. Raises Refused for an empty one, RefusedAt, StoreUnavailable."""
    if not triggers:
        raise Refused("the batch is empty", field="events", fix="send at least one trigger")
    answer = accept_batches(store, [TriggerBatch(triggers=triggers, actor=actor)])[0]
    if isinstance(answer, RefusedAt):
        raise answer
    return answer


def accept_from(store: Store, triggers: Sequence[Trigger], *, actor: Actor) -> list[Accepted]:
    """Accept one batch from somebody who may send events of these clients.

    Raises Forbidden, NotFound for a client that the actor does not see, and as `accept_batch`.
    """
    with store.read() as tx:
        allow(tx, actor, Act.EMIT, {one.client for one in triggers})
    return accept_batch(store, triggers, actor=actor.name)


class _Left(NamedTuple):
    """A batch that may still be accepted."""

    place: int
    batch: TriggerBatch
    ids: Sequence[str]  # the same however often it is tried: a refusal may name one


_LARGE = 2 * 1024 * 1024  # characters of payloads in one commit


def _size(left: Sequence[_Left]) -> int:
    return sum(len(trigger.payload) for one in left for trigger in one.batch.triggers)


_Owner = tuple[int, int]
"""Whose an arrival is: the batch's place, and its own place in the batch."""


def _accept_together(
    store: Store,
    left: Sequence[_Left],
    refused: dict[int, RefusedAt],
    again: dict[_Owner, KeyConflict],
) -> dict[int, list[Accepted]]:
    """Accept what is left; or accept nothing, and add what has to be refused or kept first.

    `again` has what a source sent with the key of another payload.
    """
    try:
        with store.write(ring=True, large=_size(left) > _LARGE) as tx:
            arrivals, owners = _arrivals(tx, left, refused, again)
            answers = accept(tx, arrivals) if arrivals else []
    except InConflict as found:
        ours = [one for one in found.conflicts if arrivals[one.index].trigger.hook]
        again.update({owners[one.index]: one for one in ours})
        if not ours:
            _refuse(found.conflicts, owners, refused)
        return {}
    accepted: dict[int, list[Accepted]] = {one.place: [] for one in left}
    for (place, _), answer in zip(owners, answers, strict=True):
        accepted[place].append(answer)
    return {place: answers for place, answers in accepted.items() if place not in refused}


def _arrivals(
    tx: Tx,
    left: Sequence[_Left],
    refused: dict[int, RefusedAt],
    again: Mapping[_Owner, KeyConflict],
) -> tuple[list[Arrival], list[_Owner]]:
    """The arrivals of all batches whose triggers somebody takes; the other batches are refused."""
    live = live_for(tx, ((one.client, one.type) for _, batch, _ in left for one in batch.triggers))
    published = cache(lambda: live_workflows(tx))
    unclaimed: dict[Source, LiveWorkflow] = {}  # by source; what `cache` makes costs each commit
    arrivals: list[Arrival] = []
    owners: list[_Owner] = []
    for place, batch, ids in left:
        taken = [(one.client, one.type) in live or one.hook is not None for one in batch.triggers]
        if False in taken:
            index = taken.index(False)
            refused[place] = RefusedAt(index, _unknown(batch.triggers[index], published()))
            continue
        for index, (event_id, trigger) in enumerate(zip(ids, batch.triggers, strict=True)):
            workflow, stopped = live.get((trigger.client, trigger.type)), None
            if workflow is None and trigger.hook is not None:
                source = trigger.hook.source
                if source not in unclaimed:
                    unclaimed[source] = unclaimed_version(tx, source)
                workflow, stopped = unclaimed[source], not_taken(trigger)
            if (conflict := again.get((place, index))) is not None:
                trigger, stopped = set_apart(trigger, conflict)  # noqa: PLW2901 - the same, kept apart
            if workflow is None:
                raise TypeError("only what a source sent may have no workflow")
            arrivals.append(
                Arrival(
                    id=event_id,
                    trigger=trigger,
                    workflow=workflow,
                    actor=batch.actor,
                    stopped=stopped,
                )
            )
            owners.append((place, index))
    return arrivals, owners


def _refuse(
    conflicts: Sequence[KeyConflict], owners: Sequence[_Owner], refused: dict[int, RefusedAt]
) -> None:
    """Refuse batches that conflict with an event that is there, or will be.

    One that conflicts only with a batch that is refused itself is tried once more without it.
    """
    fighting = {owners[one.index][0] for one in conflicts}
    for one in conflicts:
        place, index = owners[one.index]
        rival = None if one.earlier is None else owners[one.earlier][0]
        if rival is None or rival == place or rival not in fighting:
            refused.setdefault(place, RefusedAt(index, one.refusal()))


def _unknown(trigger: Trigger, live: dict[tuple[str, str], LiveWorkflow]) -> UnknownTrigger:
    types = sorted(kind for client, kind in live if client == trigger.client)
    near = get_close_matches(trigger.type, types, n=1)
    if near:
        fix = f"did you mean {near[0]!r}?"
    elif types:
        fix = f"send one of: {', '.join(types[:10])}"
    else:
        fix = f"publish a workflow for {trigger.client!r} with `meshline workflow publish FILE`"
    return UnknownTrigger(
        f"no live workflow of client {trigger.client!r} takes {trigger.type!r}",
        field="type",
        fix=fix,
    )
