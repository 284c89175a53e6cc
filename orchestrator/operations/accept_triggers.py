"""Accept triggers: durable before anybody is answered, and many requests in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from orchestrator.domain.errors import Refused, UnknownTrigger
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.store.accept import Arrival, ConflictAt, accept
from orchestrator.store.engine import Store, Tx
from orchestrator.store.workflows import LiveWorkflow, live_workflows

Batch = Sequence[Trigger]


class RefusedAt(Refused):
    """Raised when one trigger of a batch is refused, and so the whole batch; `cause` says why."""

    code = "batch_refused"

    def __init__(self, index: int, cause: Refused) -> None:
        super().__init__(cause.detail, field=cause.field, fix=cause.fix)
        self.index = index
        self.cause = cause


def accept_batches(
    store: Store, batches: Sequence[Batch], *, actor: str
) -> list[list[Accepted] | RefusedAt]:
    """Accept each batch whole or not at all; the answers stand in the order of the batches.

    All of them share one commit. Where one batch is refused, the others are done one by one.

    Raises StoreUnavailable; nothing is accepted then.
    """
    try:
        return list(_accept_together(store, batches, actor))
    except RefusedAt as refused:
        if len(batches) == 1:
            return [refused]
    return [accept_batches(store, [batch], actor=actor)[0] for batch in batches]


def accept_batch(store: Store, batch: Batch, *, actor: str) -> list[Accepted]:
    """Accept one batch. Raises Refused for an empty one, RefusedAt, StoreUnavailable."""
    if not batch:
        raise Refused("the batch is empty", field="events", fix="send at least one trigger")
    answer = accept_batches(store, [batch], actor=actor)[0]
    if isinstance(answer, RefusedAt):
        raise answer
    return answer


def _accept_together(store: Store, batches: Sequence[Batch], actor: str) -> list[list[Accepted]]:
    triggers = [trigger for batch in batches for trigger in batch]
    starts = [sum(map(len, batches[:at])) for at in range(len(batches))]
    try:
        with store.write(ring=True) as tx:
            accepted = accept(tx, _arrivals(tx, triggers), actor=actor)
    except ConflictAt as conflict:
        raise RefusedAt(conflict.index, conflict) from None
    return [
        accepted[start : start + len(batch)] for start, batch in zip(starts, batches, strict=True)
    ]


def _arrivals(tx: Tx, triggers: Sequence[Trigger]) -> list[Arrival]:
    live = live_workflows(tx)
    arrivals = []
    for index, trigger in enumerate(triggers):
        workflow = live.get((trigger.client, trigger.type))
        if workflow is None:
            raise RefusedAt(index, _unknown(trigger, live))
        arrivals.append(Arrival(trigger=trigger, workflow=workflow))
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
