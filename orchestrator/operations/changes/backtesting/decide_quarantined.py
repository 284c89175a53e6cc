"""Decide about the events in quarantine by an amendment: they are what it is made for."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.changes.backtest import Counts, count_more
from orchestrator.domain.changes.backtest_result import QuarantinedGroup, group_of
from orchestrator.operations.changes.backtesting.decide_past import Question
from orchestrator.pipeline.redecide import bench_of
from orchestrator.store.changes.past_events import count_quarantined, quarantined_payloads
from orchestrator.store.database.engine import Store

MOST_QUARANTINED = 100_000
"""So many events of the group are looked at, the oldest first."""

_CHUNK = 1_000


def decide_quarantined(
    store: Store, question: Question, *, step: Callable[[], None] = lambda: None
) -> QuarantinedGroup:
    """What the proposed version decides about each event of the workflow in quarantine now.

    `step` is called after each chunk, and may end it by raising.
    """
    bench = bench_of(question.before, question.after)
    client, workflow = question.span.client, question.span.workflow
    with store.read() as tx:
        events = count_quarantined(tx, client, workflow)
    outcomes: Counts = {}
    after, looked_at, passing = "", 0, 0
    while looked_at < MOST_QUARANTINED:
        with store.read() as tx:
            limit = min(_CHUNK, MOST_QUARANTINED - looked_at)
            some = quarantined_payloads(tx, client, workflow, after=after, limit=limit)
        if not some:
            break
        for one in some:
            decided = bench.decide_after(one.body)
            count_more(outcomes, (one.reason, decided.outcome), 1, (one.id,))
            passing += decided.passes
        looked_at, after = looked_at + len(some), some[-1].id
        step()
    # More may have come since they were counted.
    return group_of(outcomes, events=max(events, looked_at), looked_at=looked_at, passing=passing)
