"""Ours under measure: the real relay and worker, and a store on the disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.http.destination import Destination
from benchmarks.stand import PROCESSES, Session, Stand, python
from benchmarks.waiting import wait_until
from benchmarks.watching import Watch, watch
from benchmarks.workload import (
    CLIENT,
    CONTRACT,
    CREATE_AND_CONFIRM,
    FAKE,
    TOGETHER,
    TYPE,
    connector,
    order,
    workflow,
)
from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store

_CLI = "orchestrator.cli.main"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A store with the benchmark's workflow live, and the settings of the processes on it."""

    store: Store
    watch: Watch
    environment: dict[str, str]
    reads_back: bool


@contextmanager
def opened(
    session: Session,
    url: str,
    *,
    group: int = 200,
    target: str = FAKE,
    at: str = "",
    more: str = "",
) -> Iterator[Opened]:
    """Make the store; `target` is the connector and action of all routes, `at` where it leads.

    `more` are lines that the workflow has besides.
    """
    environment = {
        "MESHLINE_DATABASE_URL": url,
        "MESHLINE_BROKER_URL": session.broker_url,
        "MESHLINE_HOME": str(session.folder),
        "MESHLINE_GROUP_SIZE": str(group),
        "MESHLINE_WORKER_PROCESSES": str(PROCESSES),
    }
    definitions = None
    if at:
        definitions = session.folder / "connectors"
        definitions.mkdir()
        (definitions / "records.yaml").write_text(connector(at))
        environment["MESHLINE_CONNECTORS"] = str(definitions)
    store = open_store(url)
    _publish(store, session.folder, workflow(target) + more, definitions)
    seen = watch(url)
    try:
        yield Opened(
            store=store,
            watch=seen,
            environment=environment,
            reads_back=target == CREATE_AND_CONFIRM,
        )
    finally:
        seen.close()
        store.close()


class Meshline:
    """A store, a relay and a worker."""

    def __init__(
        self,
        session: Session,
        ours: Opened,
        destination: Destination | None = None,
        trigger: Callable[[int], Trigger] | None = None,
    ) -> None:
        self._trigger = trigger or trigger_of
        self.session = session
        self.ours = ours
        self.destination = destination
        self._before = self._delivered()
        given = ours.environment
        _, worker = session.start(
            python("relay", "workers.relay", ready="relaying", environment=given),
            python("worker", _CLI, "worker", ready=" ready.", environment=given),
        )
        self.workers = (worker,)

    def accept(self, first: int, count: int) -> None:
        """Commit events, as a door under load would: many in one commit."""
        for at in range(first, first + count, TOGETHER):
            most = min(TOGETHER, first + count - at)
            triggers = [self._trigger(at + number) for number in range(most)]
            accept_batch(self.ours.store, triggers, actor="bench")

    def wait_until_done(self, first: int, count: int) -> None:  # noqa: ARG002 - see System
        """Wait until no event is unfinished."""
        unfinished = "SELECT 1 FROM events WHERE due_at IS NOT NULL LIMIT 1"
        wait_until(lambda: self.ours.watch.ask(unfinished) is None, look_every=0.01)

    def time_one(self, number: int) -> float:
        """Seconds from before the accept until the event is seen delivered."""
        start = time.perf_counter()
        (accepted,) = accept_batch(self.ours.store, [self._trigger(number)], actor="bench")
        self.wait_until_delivered(accepted.id)
        return time.perf_counter() - start

    def wait_until_delivered(self, event_id: str) -> None:
        """Wait for one event's end."""
        state = "SELECT state FROM events WHERE id = ?"
        wait_until(lambda: self.ours.watch.ask(state, event_id) == "delivered", look_every=0.0005)

    def check(self, count: int) -> None:
        """See System; and at a destination, each event made one record."""
        done = self._delivered() - self._before
        if done != count:
            raise RuntimeError(f"{count} events were accepted and {done} delivered")
        if self.destination:
            self.destination.check(count, reads=count if self.ours.reads_back else 0)

    def commits(self) -> int:
        """See System."""
        return self.ours.watch.commits()

    def _delivered(self) -> int:
        counted = self.ours.watch.ask("SELECT count(*) FROM events WHERE state = 'delivered'")
        return int(counted)


@contextmanager
def running_meshline(stand: Stand, store: str, group: int) -> Iterator[Meshline]:
    """Ours on a new database, with the fake destination."""
    with (
        stand.database(store) as url,
        stand.session(store) as session,
        opened(session, url, group=group) as ours,
    ):
        yield Meshline(session, ours)


@contextmanager
def running_meshline_that_calls(
    stand: Stand, destination: Destination, store: str, target: str
) -> Iterator[Meshline]:
    """Ours on a new database, with calls over HTTP."""
    with (
        stand.database(store) as url,
        stand.session(store) as session,
        opened(session, url, target=target, at=destination.url) as ours,
    ):
        yield Meshline(session, ours, destination)


def _publish(store: Store, folder: Path, text: str, definitions: Path | None) -> None:
    (folder / "contract.json").write_text(json.dumps(CONTRACT))
    known = catalog(load_connectors(definitions))
    parsed = parse_workflow(text, name="bench.yaml", folder=folder, catalog=known)
    publish_workflow(store, parsed, actor=login("bench"))


def trigger_of(number: int) -> Trigger:
    """The trigger of the event with this number."""
    return trigger_with(order(number))


def trigger_with(payload: dict[str, object]) -> Trigger:
    """The trigger of an event that carries this."""
    return Trigger(
        client=CLIENT,
        type=TYPE,
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
    )
