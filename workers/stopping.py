"""A worker that is asked to stop takes nothing more, and hands back what it has not begun.

Celery's warm shutdown waits for the tasks that run, and a dispatch may run for its whole budget. So
the pool's processes get a sign, and a dispatch ends with the calls that are out already.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import threading
from typing import Any

from celery.signals import worker_process_init, worker_ready, worker_shutting_down

from orchestrator.settings import settings

stop_sign = mmap.mmap(-1, 1)
"""Its one byte is 0 until this worker is to come to an end.

Made before the fork: the pool's processes see what is written.
"""

_pool: Any = None


@worker_process_init.connect
def _leave_it_to_the_worker(**_: Any) -> None:
    # Who stops a whole process group would otherwise cut calls off in the middle.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@worker_ready.connect
def _remember_pool(sender: Any, **_: Any) -> None:
    global _pool  # noqa: PLW0603 - the next signal does not say whose pool it is
    _pool = sender.pool


@worker_shutting_down.connect
def _end_soon(**_: Any) -> None:
    stop_sign[0] = 1
    last_call = threading.Timer(settings().stop_seconds, _end)
    last_call.daemon = True
    last_call.start()


def _end() -> None:
    """What still runs is stuck; the lease and the run's time heal it, as after a crash."""
    for pid in _pool.info["processes"] if _pool else ():
        if pid != os.getpid():  # with `--pool solo` the pool is this process
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    os._exit(1)
