"""What a process's heartbeat says of it: alive, late or missing.

A beat is written by the loop that does the work, after a turn of it, never by a thread that only
lives beside it: a process whose work hangs falls silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

BEAT_SECONDS = 5.0  # how often a process writes; one small statement, whatever it does meanwhile
_LEAST_PATIENCE_SECONDS = 30.0  # a slow disk, a backup or a failover must not count as a death
_MISSING_AFTER = 10  # so many times its patience; then nobody expects it to come back


class Kind(StrEnum):
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
    def vital(self) -> Vital:
        """How the process is."""
        if self.silent_seconds <= self.patience_seconds:
            return Vital.ALIVE
        late = self.silent_seconds <= self.patience_seconds * _MISSING_AFTER
        return Vital.LATE if late else Vital.MISSING


def patience(longest_turn_seconds: float) -> float:
    """How long a process may be silent that can spend so long on one turn of its work."""
    return _LEAST_PATIENCE_SECONDS + longest_turn_seconds
