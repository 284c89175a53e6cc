"""Producers, relays, workers and people around one store, all of them stoppable at any gate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from celery.app.trace import build_tracer
from kombu.exceptions import OperationalError
from kombu.transport import virtual
from sqlalchemy import Connection, event, func, select

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.event import Accepted
from orchestrator.domain.lifecycle import State
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.dispatch.admit_deliveries import Admission
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, groups
from orchestrator.store.views.values import now_of
from tests.model import broker
from tests.model.actors import Actor, Stop, gate
from tests.model.clock import ModelClock
from tests.model.databases import Databases
from tests.model.destination import ModelDestination
from tests.model.laws import Laws
from tests.model.workflows import lead, workflow
from workers.app import Process, app
from workers.relay import Relay

PRODUCER = "key:test"

_MOST_TURNS = 400

_EXPECTED = (StoreUnavailable, OperationalError)
"""What a piece of work may end with, because the story has put it there."""


class WatchedStore(Store):
    """A store whose transactions are gates, and are looked at as soon as they are committed.

    With `within` each statement of a writing transaction is a gate too; then others may have to
    wait for its rows, so it is for a server only.
    """

    def __init__(self, url: str, watch: Callable[[], None], *, within: bool = False) -> None:
        super().__init__(url)
        self._watch = watch
        self._commits = threading.Lock()  # nobody commits while somebody looks at what he committed
        self._here = threading.local()
        self._within = within
        if within:
            event.listen(self.engine, "before_cursor_execute", self._at_a_statement)

    @contextmanager
    def write(self, *, ring: bool = False, large: bool = False) -> Iterator[Connection]:
        """One transaction."""
        gate(StoreUnavailable("the store is away"))
        with ExitStack() as held:
            with super().write(ring=ring) as tx:
                self._here.writes = True
                try:
                    yield tx
                    self._at_a_statement()  # its commit
                finally:
                    self._here.writes = False
                held.enter_context(self._commits)
            self._watch()
        gate(StoreUnavailable("the answer to a commit is lost"))

    def _at_a_statement(self, *_: object) -> None:
        if self._within and getattr(self._here, "writes", False):
            gate(StoreUnavailable("the store is away"))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A look."""
        gate(StoreUnavailable("the store is away"))
        with super().read() as tx:
            yield tx


class World:
    """One story's world. Its worker processes may come from another story."""

    def __init__(
        self,
        databases: Databases,
        clock: ModelClock,
        config: Settings,
        workers: Sequence[Process],
        *,
        within: bool = False,
    ) -> None:
        self.clock, self.config, self.workers = clock, config, workers
        self.tool = ModelDestination(clock)
        self.store = WatchedStore(databases.new(), self._look, within=within)
        clock.rule(self.store)
        with self.store.read() as tx:
            assert now_of(tx) == clock.ms, "the database has a clock of its own"
        self.laws = Laws(self.store, clock, config, self.tool)
        self.broken: BaseException | None = None  # what no story may bring about
        for process in workers:
            process.store, process.connectors = self.store, {"tool": self.tool}
            process.admission = Admission(process.connectors)
        self.relays = [Relay(self.store, config) for _ in range(2)]
        self.broker = broker.Channel.bag = broker.Bag()
        self.actors: list[Actor] = []  # those that are stopped in the middle
        self.answered: dict[int, str] = {}  # event id by lead
        self.unanswered: dict[int, str] = {}  # kind by lead: its producer will send it again
        self.versions = 1
        self._databases = databases

    @contextmanager
    def closing(self) -> Iterator[None]:
        """The story's end; after that whoever is in the middle of something dies."""
        try:
            yield
        finally:
            for actor in self.actors:
                with suppress(*_EXPECTED):
                    actor.go(Stop.dead())
            self.store.close()
            self._databases.forget(self.store.url.render_as_string(hide_password=False))

    def come_to_a_good_end(self) -> None:
        """Every event ends or waits for a person, nothing is left over, the past has no power."""
        if not self.broken:
            self.come_to_rest()
            self.is_well()
            self.ignores_the_past()

    def work_off(self) -> None:
        """A worker takes what lies on the broker, until nothing does."""
        while self.broker.messages and self.work(self.broker.messages[0], None):
            self.broker.messages.pop(0)

    def come_to_rest(self) -> None:
        """No fault happens any more: every event comes to its end, or waits for a person."""
        for mishaps in self.tool.mishaps.values():
            mishaps.clear()
        for actor in list(self.actors):
            self.resume(actor, None)
        for _ in range(_MOST_TURNS):
            self.work_off()
            if self.unanswered:
                self.emit(dict(self.unanswered), None)
            self.relay(0, None)
            if not self.broker.messages:
                wait = self._next_due()
                if wait is None:
                    return
                self.clock.advance(wait)
        raise AssertionError("the events do not come to rest")

    def is_well(self) -> None:
        """Nothing is left over that would keep the next event waiting."""
        self.clock.advance(self.config.lease_seconds)
        for number, kind in ((-2, "broken"), (-1, "found")):
            self.emit({number: kind}, None)
            self.relay(0, None)
            self.work_off()
        assert self.laws.state_of(self.answered[-1]) == State.DELIVERED
        with self.store.read() as tx:
            left = tx.execute(select(groups).where(groups.c.lease_until > self.clock.ms)).all()
        assert not left, f"{left} would hold others back"

    def ignores_the_past(self) -> None:
        """Every message that ever was comes once more, and changes nothing."""
        before = self.laws.snapshot()
        for message in list(self.broker.history):
            self.work(message, None)
        assert self.laws.snapshot() == before

    def _next_due(self) -> float | None:
        """Seconds until something is due by itself; None where every event is at rest."""
        now = self.clock.ms
        with self.store.read() as tx:
            due = tx.execute(select(func.min(events.c.due_at))).scalar_one()
            leases = tx.execute(
                select(func.min(groups.c.lease_until)).where(groups.c.lease_until > now)
            ).scalar_one()
        if due is None:
            return None
        wait: int = min(one - now for one in (due, leases) if one and one > now)
        return wait / 1000

    # Each of the following begins a piece of work, and lets it go on until it is stopped.

    def emit(self, leads: dict[int, str], stop: Stop | None) -> None:
        """A producer sends leads, by number and kind; what gets no answer it will send again."""
        self.unanswered |= leads
        leads = dict(leads)
        triggers = [lead(number, kind) for number, kind in leads.items()]

        def work() -> None:
            accepted: Sequence[Accepted] = accept_batch(self.store, triggers, actor=PRODUCER)
            for number, one in zip(leads, accepted, strict=True):
                self.unanswered.pop(number, None)
                assert self.answered.setdefault(number, one.id) == one.id

        self.begin(Actor("producer", work), stop)

    def relay(self, which: int, stop: Stop | None) -> None:
        """A relay takes a turn, unless it is in the middle of one."""
        relay = self.relays[which]
        if not self._busy(relay):
            self.begin(Actor("relay", relay.turn, owner=relay), stop)

    def work(self, message: Any, stop: Stop | None) -> bool:
        """A worker takes a message; False where all are busy."""
        process = next((one for one in self.workers if not self._busy(one)), None)
        if process is None:
            return False
        self.begin(self.worker(message, process), stop)
        return True

    def first_message(self, stage: str) -> Any:
        """The first message for a stage, taken; what comes before it is worked off."""
        while True:
            message = self.broker.messages.pop(0)
            if message["headers"]["task"] == f"meshline.{stage}":
                return message
            self.work(message, None)

    def worker(self, message: Any, process: Process) -> Actor:
        """A worker that has taken a message, and has not begun."""
        task = _Task(message)
        return Actor("worker", task.run, owner=process, epoch=task.epoch)

    def person(self, work: Callable[[Store], object], stop: Stop | None) -> None:
        """A person runs a command."""
        self.begin(Actor("person", lambda: work(self.store)), stop)

    def publish(self) -> None:
        """The other form of the workflow becomes its next version."""
        self.versions += 1
        publish_workflow(self.store, workflow(self.versions), actor=login("cli:tester"))

    def resume(self, actor: Actor, stop: Stop | None) -> None:
        """Whoever was stopped goes on."""
        self.actors.remove(actor)
        self.begin(actor, stop)

    def begin(self, actor: Actor, stop: Stop | None) -> None:
        """Let somebody go on until they are stopped, or to their end."""
        try:
            actor.go(stop)
        except _EXPECTED:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever it is, the story is over
            self.broken = self.broken or error
        if self.broken:
            raise self.broken
        if not actor.done:
            self.actors.append(actor)
        elif actor.crashed:
            self._replace(actor.owner)

    def _busy(self, owner: object) -> bool:
        return any(actor.owner is owner for actor in self.actors)

    def _replace(self, dead: object) -> None:
        if isinstance(dead, Relay):
            self.relays[self.relays.index(dead)] = Relay(self.store, self.config)
        elif isinstance(dead, Process):
            dead.loop.close()
            dead.loop = asyncio.Runner()

    def _look(self) -> None:
        try:
            self.laws.look()
        except AssertionError as broken:
            self.broken = self.broken or broken
            raise


class _Task:
    """A message as a Celery worker reads it, and what it does then."""

    def __init__(self, message: Any) -> None:
        with app.connection_for_read() as connection:
            self._read = virtual.Message(message, channel=connection.default_channel)
            self._args, self._kwargs, self._embedded = self._read.decode()

    @property
    def epoch(self) -> int:
        """Whose events it may move."""
        return int(self._args[-1])

    def run(self) -> None:
        """Run it, and hand its chain on. Raises what the task raised."""
        headers = self._read.headers
        task = app.tasks[headers["task"]]
        request = {**headers, **self._embedded, "delivery_info": self._read.delivery_info}
        trace = build_tracer(task.name, task, app=app)
        _, info, _, _ = trace(headers["id"], self._args, self._kwargs, request)
        if info is not None:
            raise info.retval
