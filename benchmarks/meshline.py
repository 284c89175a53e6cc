"""Ours under measure: real relay, real worker, a store on the disk; the fake destination."""

from __future__ import annotations

import json
import time
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.waiting import wait_until
from benchmarks.workload import CLIENT, CONTRACT, TYPE, WORKFLOW, order
from connectors.registry import catalog, load_connectors
from orchestrator.domain import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflow_file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.engine import Store
from orchestrator.store.migrate import open_store
from orchestrator.store.schema import events

_TOGETHER = 200  # events in one accepting commit


class Meshline:
    """A store with the benchmark's workflow in it."""

    def __init__(self, url: str, home: Path) -> None:
        self.store: Store = open_store(url)
        (home / "contract.json").write_text(json.dumps(CONTRACT))
        known = catalog(load_connectors(None))
        workflow = parse_workflow(WORKFLOW, name="bench.yaml", folder=home, catalog=known)
        publish_workflow(self.store, workflow, actor="bench")

    def accept(self, first: int, count: int) -> None:
        """Commit events, as a door under load would: many in one commit."""
        for at in range(first, first + count, _TOGETHER):
            most = min(_TOGETHER, first + count - at)
            triggers = [_trigger(at + number) for number in range(most)]
            accept_batch(self.store, triggers, actor="bench")

    def wait_until_drained(self) -> None:
        """Wait until no event is unfinished."""
        wait_until(lambda: not self._unfinished(), look_every=0.01)

    def time_one(self, number: int) -> float:
        """Seconds from before the accept until the event is seen delivered."""
        start = time.perf_counter()
        (accepted,) = accept_batch(self.store, [_trigger(number)], actor="bench")
        wait_until(lambda: self._state(accepted.id) == "delivered", look_every=0.0005)
        return time.perf_counter() - start

    def check(self, count: int) -> None:
        """A figure counts only when the work was done: every event delivered."""
        with self.store.read() as tx:
            done = tx.execute(
                select(func.count()).select_from(events).where(events.c.state == "delivered")
            ).scalar_one()
        if done != count:
            raise RuntimeError(f"{count} events were accepted and {done} delivered")

    def _unfinished(self) -> bool:
        some = select(events.c.id).where(events.c.due_at.is_not(None)).limit(1)
        with self.store.read() as tx:
            return tx.execute(some).first() is not None

    def _state(self, event_id: str) -> str:
        with self.store.read() as tx:
            return str(
                tx.execute(select(events.c.state).where(events.c.id == event_id)).scalar_one()
            )


def _trigger(number: int) -> Trigger:
    payload = order(number)
    return Trigger(
        client=CLIENT,
        type=TYPE,
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
    )
