"""A worker's heartbeat: written by one of the processes that do tasks, as a task of its own.

The worker's own loop asks for it, the pool hands it to a process that is free, and that writes to
the store: a beat proves all three. Where every process hangs, nothing is written.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.signals import worker_ready

from orchestrator.domain.heartbeats import BEAT_SECONDS
from workers.app import process

log = logging.getLogger(__name__)

_LOST_AFTER_SECONDS = 60.0  # a process that was killed with the beat in hand never answers


class Heart:
    """Asks the pool for one beat after the other, never for two at once."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._asked: float | None = None  # of `time.monotonic`

    def ask(self) -> None:
        """Let a process of the pool beat, unless one still has to."""
        now = time.monotonic()
        if self._asked is not None and now - self._asked < _LOST_AFTER_SECONDS:
            return
        self._asked = now
        # Straight to the pool: Celery's own way in waits for a slot, and this is the worker's loop.
        done = self._done
        self._pool.on_apply(beat, (), {}, callback=done, error_callback=done, waitforslot=False)

    def _done(self, _: object) -> None:
        self._asked = None


def beat() -> None:
    """Write to the store, in a process that does tasks. Raises nothing."""
    try:
        process().pulse.beat("it is free for tasks")
    except Exception as error:  # noqa: BLE001 - it is opened by the next task, which says so
        log.debug("no heartbeat: %s", error)


@worker_ready.connect
def _begin(sender: Any, **_: Any) -> None:
    heart = Heart(sender.pool)
    sender.timer.call_repeatedly(BEAT_SECONDS, heart.ask)
