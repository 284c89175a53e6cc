"""The kinds of work that are timed, each the same for every system."""

from __future__ import annotations

import time

from benchmarks.measuring import memory, per_thousand, read_counters
from benchmarks.stand import held
from benchmarks.systems.port import System

Figures = dict[str, float]

RATE = 20  # events per second, one by one
WARM = 40  # events before the clock runs


class Numbers:
    """Event numbers, given out once in a session."""

    def __init__(self) -> None:
        self.given = 0

    def take(self, count: int) -> int:
        """The first of so many numbers."""
        self.given += count
        return self.given - count


def warm_up(system: System, numbers: Numbers) -> None:
    """Let every process do what it does only once."""
    first = numbers.take(WARM)
    system.accept(first, WARM)
    system.wait_until_done(first, WARM)


def drain(system: System, numbers: Numbers, count: int) -> Figures:
    """Events wait while the worker is frozen; the clock runs from when it goes on."""
    first = numbers.take(count)
    with held(*system.workers):
        system.accept(first, count)
        start = time.perf_counter()
    system.wait_until_done(first, count)
    return {"events_per_s": count / (time.perf_counter() - start)}


def accept_and_drain(system: System, numbers: Numbers, count: int) -> Figures:
    """The clock runs from the first event that is taken in; and what all of it took."""
    first = numbers.take(count)
    before = read_counters(system)
    start, own = time.perf_counter(), time.process_time()
    system.accept(first, count)
    own = time.process_time() - own
    system.wait_until_done(first, count)
    seconds = time.perf_counter() - start
    return {
        "events_per_s": count / seconds,
        **per_thousand(before, read_counters(system), count, own),
    }


def publish_rate(system: System, numbers: Numbers, count: int) -> Figures:
    """How fast events are taken in while no worker runs; what a door is compared with."""
    first = numbers.take(count)
    with held(*system.workers):
        start = time.perf_counter()
        system.accept(first, count)
        seconds = time.perf_counter() - start
    system.wait_until_done(first, count)
    return {"events_per_s": count / seconds}


def one_by_one(system: System, numbers: Numbers, count: int) -> Figures:
    """Milliseconds from before an event is taken in until it is done, one after the other."""
    taken = []
    for _ in range(count):
        seconds = system.time_one(numbers.take(1))
        time.sleep(max(0.0, 1 / RATE - seconds))
        taken.append(seconds)
    return latencies(taken)


def latencies(seconds: list[float]) -> Figures:
    """The middle one and the 99th in 100, in milliseconds."""
    taken = sorted(one * 1000 for one in seconds)
    return {"p50_ms": taken[len(taken) // 2], "p99_ms": taken[len(taken) * 99 // 100]}


def memory_after(system: System, numbers: Numbers, count: int) -> Figures:
    """Megabytes of each process after so many events."""
    if numbers.given < count:
        drain(system, numbers, count)
    return memory(system)
