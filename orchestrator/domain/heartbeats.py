"""What a process's heartbeat says of it: alive, late or missing.

A beat is written by the loop that does the work, after a turn of it, never by a thread that only
lives beside it: a process whose work hangs falls silent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

BEAT_SECONDS = 5.0  # how often a process writes; one small statement, whatever it does meanwhile
_LEAST_PATIENCE_SECONDS = 30.0  # a slow disk, a backup or a failover must not count as a death
_MISSING_AFTER = 10  # so many times its patience; then nobody expects it to come back


class ProcessKind(StrEnum):
    """The processes that Meshline consists of."""

    DOOR = "door"
    RELAY = "relay"
    WORKER = "worker"
    KEEPER = "keeper"
    FLOWER = "flower"


class Vital(StrEnum):
    """How a process is, by its last beat."""

    ALIVE = "alive"
    LATE = "late"  # it hangs, or was killed a moment ago
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """The last beat of one process."""

    kind: str
    instance: str  # its host and something that no other process has
    host: str
    started_at: int  # ms
    beat_at: int  # ms
    did: str  # what it did last
    patience_seconds: float  # how long it may be silent while all is well
    silent_seconds: float  # since its last beat, by the database's clock

    @property
    def pid(self) -> int | None:
        """Its process id on its host, as far as its name holds it."""
        return pid_of(self.instance)

    @property
    def vital(self) -> Vital:
        """How the process is."""
        if self.silent_seconds <= self.patience_seconds:
            return Vital.ALIVE
        late = self.silent_seconds <= self.patience_seconds * _MISSING_AFTER
        return Vital.LATE if late else Vital.MISSING


def instance_name(host: str, pid: int, token: str) -> str:
    """The name of a process that no other has, not even a later one with the same process id.

    A worker's is its name on the broker: `meshline-PID-TOKEN@HOST`.
    """
    return f"{host}:{pid}:{token}"


def pid_of(instance: str) -> int | None:
    """The process id in a name, as far as it holds one.

    >>> pid_of("host:71:0a1b2c"), pid_of("meshline-72-0a1b2c@host"), pid_of("celery@host")
    (71, 72, None)
    """
    found = _INSTANCE.fullmatch(instance)
    return int(found[1] or found[2]) if found else None


_INSTANCE = re.compile(r"meshline-(\d{1,9})-[0-9a-f]+@.*|.*:(\d{1,9}):[0-9a-f]+", re.ASCII)


def patience(longest_turn_seconds: float) -> float:
    """How long a process may be silent that can spend so long on one turn of its work."""
    return _LEAST_PATIENCE_SECONDS + longest_turn_seconds


@dataclass(frozen=True, kw_only=True)
class Presence:
    """How the processes of one kind are, as far as their beats tell."""

    kind: ProcessKind
    vital: Vital  # that of the one that is best off
    alive: int
    late: tuple[Heartbeat, ...]  # those that fell silent a moment ago
    newest: Heartbeat | None

    @property
    def found(self) -> str:
        """It in a few words: `alive: 2; …`, `late: …` or `missing: …`."""
        if self.newest is None:
            # Who stops in order takes its beats away: it may have been there a moment ago.
            return f"missing: no {self.kind} has a heartbeat"
        last = _last_heard(self.newest)
        silent = ", ".join(map(_last_heard, self.late))
        if self.vital is Vital.MISSING:
            return f"missing: the last heard of was {last}"
        if self.vital is Vital.LATE:
            return f"late: {len(self.late)}; last heard of {silent}"
        found = f"alive: {self.alive}; {last}: {self.newest.did}"
        return f"{found}; late: {len(self.late)}; last heard of {silent}" if silent else found


def presence_of(kind: ProcessKind, beats: Sequence[Heartbeat]) -> Presence:
    """How the processes of this kind are; `beats` are of all kinds, the newest first."""
    ours = [one for one in beats if one.kind == kind]
    alive = [one for one in ours if one.vital is Vital.ALIVE]
    late = tuple(one for one in ours if one.vital is Vital.LATE)
    vital = Vital.ALIVE if alive else Vital.LATE if late else Vital.MISSING
    return Presence(
        kind=kind, vital=vital, alive=len(alive), late=late, newest=ours[0] if ours else None
    )


def _last_heard(beat: Heartbeat) -> str:
    seconds = round(beat.silent_seconds)
    ago = f"{seconds} s ago" if seconds < 120 else f"{seconds // 60} min ago"
    return f"{beat.instance} {ago}"
