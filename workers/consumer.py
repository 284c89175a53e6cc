"""Celery's consumer, guarded: what it would delete or die of is kept first.

By itself Celery deletes a message that it cannot decode or whose task it does not know, and some
messages end the worker. Here every message is read before Celery sees it, and whatever Celery still
stumbles over is buried as well: the store first, then off the queue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

from workers.poison import copy, keep, letter_of
from workers.queues import declare_dead_letters
from workers.reading import OURS, Drop, Poison, judge

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 5.0  # before the store is asked again
_LONGEST_WAIT_SECONDS = 2.0  # before a broker that is away is called again; Celery's is 30


class GuardedConsumer(Consumer):
    """Reads messages, hands ours to Celery, drops another release's, and buries the rest."""

    class Blueprint(Consumer.Blueprint):
        """Celery's steps but one, which makes 28 queues for tasks with an ETA; none of ours has."""

        default_steps = tuple(
            step for step in Consumer.Blueprint.default_steps if "DelayedDelivery" not in step
        )

    def connect(self) -> Any:
        """A connection to a broker that has a queue for dead letters."""
        connection = super().connect()
        channel = connection.default_channel
        channel.auto_decode = False  # RabbitMQ's would make text of a body, and not always the same
        declare_dead_letters(channel)
        return connection

    def ensure_connected(self, conn: Any) -> Any:
        """The connection, established; a broker that is back is found within seconds."""
        conn.ensure_connection = partial(
            conn.ensure_connection, interval_start=0.5, interval_max=_LONGEST_WAIT_SECONDS
        )
        return super().ensure_connected(conn)

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Celery's handler of messages, behind ours."""
        drive = super().create_task_handler(*args, **kwargs)
        tasks = frozenset(name for name in self.app.tasks if name.startswith(OURS))
        return partial(self._receive, drive, tasks)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Kombu could not undo its compression."""
        self.bury(message, f"it cannot be decoded: {type(exc).__name__}: {exc}")

    def on_unknown_message(self, _body: Any, message: Any) -> None:
        """Celery takes it for no task."""
        self.bury(message, "it is no task")

    def on_unknown_task(self, _body: Any, message: Any, exc: Exception) -> None:
        """Celery does not know the task."""
        self.bury(message, f"no such task: {exc}")

    def on_invalid_task(self, _body: Any, message: Any, exc: Exception) -> None:
        """Celery finds a part of it wrong."""
        self.bury(message, f"it is no valid task: {exc}")

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
            copy(letter, message.channel)  # RabbitMQ does it, see `workers/queues.py`
        _settle(message.reject)

    def _receive(self, drive: Callable[[Any], None], tasks: frozenset[str], message: Any) -> None:
        match _judged(message, tasks):
            case None:
                self._drive(drive, message)
            case Drop(why=why):
                log.warning("a message of another release is left to the store: %s", why)
                _settle(message.ack)
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
            log.exception("Celery stumbled over a message")
            # Else the process that it was meant for would wait for ever. One release too many is
            # forgiven: then a task waits in the pool instead of here.
            if self.controller.semaphore:
                self.controller.semaphore.release()
            self.bury(message, f"Celery stumbled over it: {type(error).__name__}: {error}")


def _judged(message: Any, tasks: frozenset[str]) -> Drop | Poison | None:
    try:
        return judge(message, tasks)
    except Exception as error:  # noqa: BLE001 - it is a stranger's, and may be anything
        return Poison(error=f"it cannot be judged: {type(error).__name__}: {error}")


def _settle(tell: Callable[[], None]) -> None:
    """Tell the broker; where it is gone it delivers the message again, which does no harm."""
    try:
        tell()
    except Exception as error:  # noqa: BLE001 - each transport has errors of its own
        log.warning("the broker was not told: %s", error)
