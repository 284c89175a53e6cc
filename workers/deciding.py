"""Which event a process decides on, where the process that may have to end it can see it.

A decision runs in native code that nothing interrupts. When the time limit ends it, the main
process reads here which event it was, and whether the child was deciding at all and not waiting for
the store. It costs a write to shared memory for each event, and nothing hangs on it: without it,
starts are counted as for any other crash.
"""

from __future__ import annotations

import logging
import mmap
import struct
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from billiard.exceptions import TimeLimitExceeded
from billiard.process import current_process
from celery.signals import task_failure

from orchestrator.domain.lifecycle import STAGE_OF, Stage, State
from orchestrator.settings import settings
from orchestrator.store.database.engine import ring_after_commit
from orchestrator.store.database.migrate import open_store
from orchestrator.store.drive.cut_short import end_of_start

log = logging.getLogger(__name__)

_NOTE = struct.Struct("<qi")  # epoch and place in the group
_MOST_PROCESSES = 256

# Anonymous and made before the fork: each process writes at its own place, the main one reads.
_notes = mmap.mmap(-1, _NOTE.size * _MOST_PROCESSES)


Note = Callable[[int, int], object]
"""What a process calls with a group's epoch and the place of the event that it decides on; with
`DECIDES_ON_NOTHING` when it is done."""

DECIDES_ON_NOTHING = (0, 0)


def own_note() -> Note:
    """The note of this process, for the main one; outside of a pool nobody reads it."""
    index = getattr(current_process(), "index", None)
    if index is None or index >= _MOST_PROCESSES:
        return lambda _epoch, _place: None
    return partial(_NOTE.pack_into, _notes, index * _NOTE.size)


def decided_on(epoch: int) -> int | None:
    """The place of the event that a process decides on in this group; None where none does."""
    for index in range(_MOST_PROCESSES):
        noted, place = _NOTE.unpack_from(_notes, index * _NOTE.size)
        if noted == epoch:
            return int(place)
    return None


@task_failure.connect
def _after_time_limit(
    sender: Any = None, exception: object = None, args: Any = (), **_: Any
) -> None:
    """In the main process, before the child is ended."""
    stage = str(getattr(sender, "name", "")).rpartition(".")[2]
    if not isinstance(exception, TimeLimitExceeded) or stage not in (Stage.VALIDATE, Stage.ROUTE):
        return
    try:
        _end(list(args[0]), int(args[1]), Stage(stage))
    except Exception:  # the lease ends, and the start is counted
        log.exception("an ended decision could not be written down")


def _end(ids: Sequence[str], epoch: int, stage: Stage) -> None:
    place = decided_on(epoch)
    if place is None or place >= len(ids):
        return
    config = settings()
    source = next(state for state, of in STAGE_OF.items() if of == stage)
    # A store of its own, for a moment: the next child is forked from here, without a connection.
    with closing(open_store(config.store_url)) as store, store.write() as tx:
        end_of_start(
            tx,
            ids,
            epoch=epoch,
            source=State(source),
            suspect=ids[place],
            seconds=config.task_time_limit_seconds,
            start_limit=config.start_limit,
            actor=f"worker:{stage}",
        )
        ring_after_commit(tx)
    log.error("event %s: its decision at %s was ended by the time limit", ids[place], stage)
