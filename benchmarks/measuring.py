"""What a piece of work took: processor time, broker messages, commits; and what memory is held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import redis

from benchmarks.systems.port import System


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The counters of one system at one moment."""

    cpu_seconds: float  # user and system, of all its processes, broker and database too
    messages: int  # tasks put on the broker
    commits: int  # transactions that wrote


def read_counters(system: System) -> Reading:
    """What the system has used so far."""
    return Reading(
        cpu_seconds=sum(_cpu_seconds(one) for one in _processes(system)),
        messages=_messages(system.session.broker_url),
        commits=system.commits(),
    )


def cpu_of(system: System, name: str) -> float:
    """The processor seconds of one program so far, with what it started."""
    mine = (one for one in system.session.measured if one.program.name.startswith(name))
    return sum(_cpu_seconds(process) for one in mine for process in _family(one.pid))


def per_thousand(before: Reading, after: Reading, count: int, own_cpu: float) -> dict[str, float]:
    """What 1,000 events took; `own_cpu` is what the benchmark spent on taking them in."""
    thousands = count / 1000
    cpu = after.cpu_seconds - before.cpu_seconds + own_cpu
    return {
        "cpu_s_per_1000": cpu / thousands,
        "messages_per_1000": (after.messages - before.messages) / thousands,
        "commits_per_1000": (after.commits - before.commits) / thousands,
    }


def memory(system: System) -> dict[str, float]:
    """Megabytes by program, what it started included, and of all together.

    The proportional share (PSS) of each process, which counts shared pages once; what is resident
    where the system knows no such thing.
    """
    held: dict[str, float] = {}
    for child in system.session.measured:
        name = child.program.name.rstrip("-0123456789")
        megabytes = sum(_megabytes(process) for process in _family(child.pid))
        held[f"{name}_mb"] = held.get(f"{name}_mb", 0.0) + megabytes
    return {**held, "together_mb": sum(held.values())}


def _processes(system: System) -> Iterator[psutil.Process]:
    for child in system.session.measured:
        yield from _family(child.pid)


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    # A child that has ended counts among its parent's.
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return float(times.user + times.system + ended)


def _megabytes(process: psutil.Process) -> float:
    try:
        held = process.memory_full_info()
    except psutil.NoSuchProcess:
        return 0.0
    return float(getattr(held, "pss", held.rss)) / 1024**2


def _messages(broker_url: str) -> int:
    with redis.Redis.from_url(broker_url) as broker:
        said = broker.info("commandstats")
    return int(said.get("cmdstat_lpush", {}).get("calls", 0))
