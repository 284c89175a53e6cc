"""Celery's consumer, guarded: what it would delete or die of is kept first.

A broker that answers with an error, whichever it is, is a broker that cannot be used now: the
worker waits, connects again, and takes back what it held.

By itself Celery deletes a message that it cannot decode or whose task it does not know, and some
messages end the worker. Here every message is read before Celery sees it, and whatever Celery still
stumbles over is buried as well: the store first, then off the queue.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

from orchestrator.broker import declare_dead_letters
from orchestrator.outages import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Outage
from workers.guard.bury_message import copy, keep, letter_of
from workers.guard.message_shape import OURS, Drop, Poison, fault_in_message, told

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 5.0  # before the store is asked again
_STEP_SECONDS = 0.1  # of a pause, between two looks whether the worker is to stop


class GuardedConsumer(Consumer):
    """Reads messages, hands ours to Celery, drops another release's, and buries the rest."""

    class Blueprint(Consumer.Blueprint):
        """Celery's steps but one, which makes 28 queues for tasks with an ETA; none of ours has."""

        default_steps = tuple(
            step for step in Consumer.Blueprint.default_steps if "DelayedDelivery" not in step
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._outage = Outage(log, "the broker cannot be used now")
        # By its tag, each message that this worker took and has not settled, as `held` gives it.
        self._held: dict[str, Any] = {}

    def connect(self) -> Any:
        """A connection to a broker that has a queue for dead letters."""
        connection = super().connect()
        try:
            channel = connection.default_channel
            channel.auto_decode = False  # RabbitMQ's would make text of a body, not always the same
            declare_dead_letters(channel)
            self._put_back(channel)
        except Exception:
            with suppress(Exception):
                connection.collect()
            raise
        return connection

    def ensure_connected(self, conn: Any) -> Any:
        """The connection, established; a broker that is back is found within seconds."""
        conn.ensure_connection = partial(self._try_to_connect, conn.ensure_connection)
        return super().ensure_connected(conn)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Celery could not begin: wait, then it tries again."""
        self._wait_after(exc)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Celery's connection has failed: close it, wait, then it connects again."""
        self._remember_what_is_held()
        with _not_said_twice():
            super().on_connection_error_after_connected(exc)
        self._wait_after(exc)

    def on_ready(self) -> None:
        """The worker takes messages."""
        self._outage.over()
        super().on_ready()

    def _try_to_connect(
        self, ensure: Callable[..., Any], _errback: Any, *args: Any, **kw: Any
    ) -> Any:
        def tell(error: Exception, _interval: float) -> None:
            self._outage.pause_after(error)

        waits = {"interval_start": FIRST_PAUSE_SECONDS, "interval_max": LONGEST_PAUSE_SECONDS}
        return ensure(tell, *args, **kw, **waits)

    def _wait_after(self, error: Exception) -> None:
        """Pause; one who is asked to stop meanwhile stops."""
        end = time.monotonic() + self._outage.pause_after(error)
        while time.monotonic() < end:
            maybe_shutdown()
            time.sleep(_STEP_SECONDS)

    def _remember_what_is_held(self) -> None:
        """On Redis what a worker took is handed out again when it is back, and not a minute later.

        Kombu puts it back when it closes the channel, which a broker that cannot be used refuses.
        """
        channel = getattr(self.task_consumer, "channel", None)
        # RabbitMQ does it by itself, and its channels have nothing of the kind.
        self._held.update(getattr(getattr(channel, "qos", None), "held", {}))

    def _put_back(self, channel: Any) -> None:
        for tag, message in tuple(self._held.items()):
            channel.qos.put_back(tag, message)
            del self._held[tag]

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Celery's handler of messages, behind ours."""
        drive = super().create_task_handler(*args, **kwargs)
        tasks = frozenset(name for name in self.app.tasks if name.startswith(OURS))
        return partial(self._receive, drive, tasks)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Kombu could not undo its compression."""
        self.bury(message, f"it cannot be decoded: {told(exc)}")

    def on_unknown_message(self, _body: Any, message: Any) -> None:
        """Celery takes it for no task."""
        self.bury(message, "it is not a task")

    def on_unknown_task(self, _body: Any, message: Any, exc: Exception) -> None:
        """Celery does not know the task."""
        self.bury(message, f"no such task: {exc}")

    def on_invalid_task(self, _body: Any, message: Any, exc: Exception) -> None:
        """Celery finds a part of it wrong."""
        self.bury(message, f"it is not a valid task: {exc}")

    def bury(self, message: Any, error: str) -> None:
        """Keep a message, then take it off its queue.

        While the store is away it stays unacknowledged: nothing else could be driven anyhow.
        """
        letter = letter_of(message, error)
        try:
            keep(letter)
        except Exception as why:  # noqa: BLE001 - whatever it is, the message is not kept
            log.error("a message that cannot be read waits for the store: %s", why)  # noqa: TRY400
            self.timer.call_after(_PAUSE_SECONDS, self.bury, (message, error))
            return
        if self.connection and self.connection.transport.driver_type != "amqp":
            copy(letter, message.channel)  # RabbitMQ does it, see `orchestrator/broker.py`
        _answer_broker(message.reject)

    def _receive(self, drive: Callable[[Any], None], tasks: frozenset[str], message: Any) -> None:
        match _fault_of(message, tasks):
            case None:
                self._drive(drive, message)
            case Drop(why=why):
                log.warning("a message of another release is left to the store: %s", why)
                _answer_broker(message.ack)
            case Poison(error=error):
                self.bury(message, error)

    def _drive(self, drive: Callable[[Any], None], message: Any) -> None:
        try:
            drive(message)
        except (*self.connection_errors, *self.channel_errors):
            raise  # Celery connects again
        except Exception as error:
            if message.acknowledged:
                raise
            # Not the exception itself: its words may hold what is in the message.
            log.error("Celery stumbled over a message: %s", told(error))  # noqa: TRY400
            # Else the process that it was meant for would wait for ever. One release too many is
            # forgiven: then a task waits in the pool instead of here.
            if self.controller.semaphore:
                self.controller.semaphore.release()
            self.bury(message, f"Celery stumbled over it: {told(error)}")


@contextmanager
def _not_said_twice() -> Iterator[None]:
    """Celery's own words on a lost connection, left out: ours are said once for an outage."""
    theirs = logging.getLogger("celery.worker.consumer.consumer")
    level = theirs.level
    theirs.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        theirs.setLevel(level)


def _fault_of(message: Any, tasks: frozenset[str]) -> Drop | Poison | None:
    try:
        return fault_in_message(message, tasks)
    except Exception as error:  # noqa: BLE001 - it is a stranger's, and may be anything
        return Poison(error=f"it cannot be judged: {told(error)}")


def _answer_broker(tell: Callable[[], None]) -> None:
    """Tell the broker; where it is gone it delivers the message again, which does no harm."""
    try:
        tell()
    except Exception as error:  # noqa: BLE001 - each transport has errors of its own
        log.warning("the broker was not told: %s", error)
