"""Which faults strike, in which order and for how long: drawn from a seed alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Pair(StrEnum):
    """A store and a broker."""

    SQLITE = "sqlite"  # and Valkey
    POSTGRES = "postgres"  # and Valkey
    RABBITMQ = "rabbitmq"  # and PostgreSQL


class Kind(StrEnum):
    """What goes wrong, in the report's words."""

    POOL_CHILD_KILLED = "pool child killed"
    WORKER_KILLED = "worker killed"
    RELAY_KILLED = "relay killed"
    DOOR_KILLED = "door killed in mid-request"
    BROKER_EMPTIED = "broker emptied"
    BROKER_KILLED = "broker killed, its file kept"
    BROKER_WIPED = "broker killed, its file gone"
    BROKER_FROZEN = "broker frozen"
    STORE_CRASHED = "store crashed"
    CLOCK_STEPPED = "clock of a worker stepped"
    CUT_AFTER_STORE = "destination stores and cuts"
    ERROR = "destination answers 500"
    RATE_LIMIT = "destination answers 429"
    SLOW = "destination slow"
    ERROR_AFTER_STORE = "destination stores and answers 500"
    GARBAGE = "destination stores and answers garbage"
    CUT = "destination cuts"
    READ_ERROR = "destination cannot be read"
    RELAY_FROZEN = "relay frozen"
    WORKER_FROZEN = "worker frozen"


WEIGHTS = {
    Kind.POOL_CHILD_KILLED: 5,
    Kind.WORKER_KILLED: 5,
    Kind.RELAY_KILLED: 4,
    Kind.DOOR_KILLED: 4,
    Kind.BROKER_EMPTIED: 4,
    Kind.BROKER_KILLED: 3,
    Kind.BROKER_WIPED: 2,
    Kind.BROKER_FROZEN: 1,
    Kind.STORE_CRASHED: 3,
    Kind.CLOCK_STEPPED: 3,
    Kind.CUT_AFTER_STORE: 3,
    Kind.ERROR: 2,
    Kind.RATE_LIMIT: 2,
    Kind.SLOW: 2,
    Kind.ERROR_AFTER_STORE: 1,
    Kind.GARBAGE: 1,
    Kind.CUT: 1,
    Kind.READ_ERROR: 1,
    Kind.RELAY_FROZEN: 1,
    Kind.WORKER_FROZEN: 1,
}
"""How often each comes, in proportion; the ones at the top must not miss in a short run."""

ONLY_WITH_A_SERVER = frozenset({Kind.STORE_CRASHED, Kind.CLOCK_STEPPED})
"""SQLite has no server to crash, and its clock is that of the process that writes."""

ONLY_ON_DEMAND = frozenset({Kind.WORKER_FROZEN})
"""A worker that is frozen between its last look at the clock and the socket sends late, and no
engine can call that back: rare, but no proof of anything. See the README."""

AT_THE_DESTINATION = frozenset(
    {
        Kind.CUT_AFTER_STORE,
        Kind.ERROR,
        Kind.RATE_LIMIT,
        Kind.SLOW,
        Kind.ERROR_AFTER_STORE,
        Kind.GARBAGE,
        Kind.CUT,
        Kind.READ_ERROR,
    }
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault of a run. Times in seconds."""

    kind: Kind
    quiet: float  # before more events are let in
    delay: float  # after that, before it strikes
    lasts: float  # until it is mended, beyond what its kind needs
    seed: int  # for what it chooses by itself: which process, how far, how many


def kinds_of(pair: Pair) -> list[Kind]:
    """The kinds that can strike a pair."""
    left_out = ONLY_ON_DEMAND | (ONLY_WITH_A_SERVER if pair is Pair.SQLITE else frozenset())
    return [kind for kind in Kind if kind not in left_out]


def plan_faults(seed: int, count: int, kinds: Sequence[Kind], *, pace: float = 1.0) -> list[Fault]:
    """`count` faults in order: each kind once, the rest by weight. A smaller `pace` hurries."""
    chance = random.Random(seed)
    drawn = list(kinds)[:count]
    weights = [WEIGHTS[kind] for kind in kinds]
    drawn += chance.choices(list(kinds), weights, k=count - len(drawn))
    chance.shuffle(drawn)
    return [
        Fault(
            kind=kind,
            quiet=chance.uniform(0.2, 2.2) * pace,
            delay=chance.uniform(0, 0.5),
            lasts=chance.uniform(0.1, 2.0) * pace,
            seed=chance.getrandbits(32),
        )
        for kind in drawn
    ]
