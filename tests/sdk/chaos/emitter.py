"""A process that emits numbered events in lines, and says of each when `emit` has returned.

It may be killed at any line. The next one goes on behind the last number that was said, as an
application does that repeats what it has no answer for, with the same idempotency key.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from meshline import Emitted, Event, MeshlineError, Producer, SpoolFailed
from meshline.spool import Spool
from tests.sdk.chaos.plants import PLANTS

LEASE_SECONDS = 1.0
LINES = 7
FULL = "full"  # said when the disk was full, and is not any more
_MOST_TOGETHER = 40
_FAILURES = 5  # so many emits fail on the full disk


def event(emitter: int, number: int) -> Event:
    """The event of this number; its key and its line are always the same."""
    data = {"emitter": emitter, "number": number}
    key = f"emitter-{emitter}-{number}"
    line = f"{emitter}-{number % LINES}"
    return Event("lead.created", data, idempotency_key=key, ordering_key=line)


def main() -> None:
    """Emit, or only forward where there is nothing to emit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url")
    parser.add_argument("--spool")
    parser.add_argument("--emitter", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--end", type=int, default=0)
    parser.add_argument("--full-at", type=int, default=-1)
    parser.add_argument("--plant", default="")
    asked = parser.parse_args()
    if asked.plant:
        PLANTS[asked.plant]()
    spool = Spool(asked.spool, lease_seconds=LEASE_SECONDS)
    with Producer(asked.url, spool=spool, patience=0.5, timeout=2.0, attempts=1) as producer:
        _emit(producer, asked)
        while True:  # its forwarder goes on, until the process is killed
            time.sleep(60)


def _emit(producer: Producer, asked: argparse.Namespace) -> None:
    number = asked.first
    while number < asked.end:
        count = min(asked.end - number, random.choice((1, 1, random.randint(2, _MOST_TOGETHER))))
        events = [event(asked.emitter, one) for one in range(number, number + count)]
        if number <= asked.full_at < number + count:
            with _full_disk():
                _fail(producer, events)
            _say(FULL)
        _until_kept(producer, events)
        number += count
        _say(str(number))
        time.sleep(random.uniform(0, 0.02))  # so that the spool is empty now and then


def _until_kept(producer: Producer, events: list[Event]) -> None:
    while True:
        try:
            _hand_over(producer, events)
        except SpoolFailed:
            time.sleep(0.05)
        else:
            return


def _fail(producer: Producer, events: list[Event]) -> None:
    """Emit until the full disk was met: while the door answers, nothing is written."""
    failures = 0
    while failures < _FAILURES:
        try:
            _hand_over(producer, events)
        except MeshlineError:
            failures += 1


def _hand_over(producer: Producer, events: list[Event]) -> list[Emitted]:
    if len(events) > 1:
        return producer.emit_many(events)
    (one,) = events
    return [
        producer.emit(
            one.type,
            one.data,
            idempotency_key=one.idempotency_key,
            ordering_key=one.ordering_key,
        )
    ]


@contextmanager
def _full_disk() -> Iterator[None]:
    """No file of this process may be written behind its first bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _say(word: str) -> None:
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


if __name__ == "__main__":
    main()
