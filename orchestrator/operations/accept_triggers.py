"""Accept triggers: durable before anybody is answered, and many requests in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from orchestrator.domain.errors import Refused, UnknownTrigger
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.store.accept import Arrival, ConflictAt, accept
from orchestrator.store.engine import Store, Tx
from orchestrator.store.workflows import LiveWorkflow, live_for, live_workflows


@dataclass(frozen=True, kw_only=True)
class Batch:
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


def accept_batches(store: Store, batches: Sequence[Batch]) -> list[list[Accepted] | RefusedAt]:
    """Accept each batch whole or not at all; the answers stand in the order of the batches.

    All of them share one commit. Where one is refused they are halved, until it stands alone.

    Raises StoreUnavailable; only what had a commit of its own by then is accepted.
    """
    try:
        return list(_accept_together(store, batches))
    except RefusedAt as refused:
        if len(batches) == 1:
            return [refused]
    middle = len(batches) // 2
    return accept_batches(store, batches[:middle]) + accept_batches(store, batches[middle:])


def accept_batch(store: Store, triggers: Sequence[Trigger], *, actor: str) -> list[Accepted]:
    """Accept one batch. Raises Refused for an empty one, RefusedAt, StoreUnavailable."""
    if not triggers:
        raise Refused("the batch is empty", field="events", fix="send at least one trigger")
    answer = accept_batches(store, [Batch(triggers=triggers, actor=actor)])[0]
    if isinstance(answer, RefusedAt):
        raise answer
    return answer


def _accept_together(store: Store, batches: Sequence[Batch]) -> list[list[Accepted]]:
    try:
        with store.write(ring=True) as tx:
            accepted = iter(accept(tx, _arrivals(tx, batches)))
    except ConflictAt as conflict:
        raise RefusedAt(conflict.index, conflict) from None
    return [list(islice(accepted, len(batch.triggers))) for batch in batches]


def _arrivals(tx: Tx, batches: Sequence[Batch]) -> list[Arrival]:
    live = live_for(tx, ((one.client, one.type) for batch in batches for one in batch.triggers))
    arrivals: list[Arrival] = []
    for batch in batches:
        for trigger in batch.triggers:
            workflow = live.get((trigger.client, trigger.type))
            if workflow is None:
                raise RefusedAt(len(arrivals), _unknown(trigger, live_workflows(tx)))
            arrivals.append(Arrival(trigger=trigger, workflow=workflow, actor=batch.actor))
    return arrivals


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
