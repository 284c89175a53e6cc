"""The rows of the table, what each is compared with, and who does their work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from benchmarks.stand import POSTGRES, Stand
from benchmarks.systems.port import System
from benchmarks.works import Figures, Numbers

RAW, COMMIT, DBOS, OURS = "raw chain", "raw chain, a commit a task", "DBOS", "meshline"
ALONE = "the destination alone"
NO_STORE = "none"

DRAIN, FLOW, SINGLES, MEMORY = "drain", "accept and drain", "one by one", "memory"
DOOR_SINGLES = "one by one, by the door"
HTTP, CONFIRMED = "http create", "http create and confirm"
DOOR_ONE, DOOR_MANY, DOOR_BATCH = "door: one at a time", "door: 20 at once", "door: batches of 500"

EMPTY, STORED = "drain, nothing stored", "drain, much stored"

_SAME_AS = {CONFIRMED: HTTP, DOOR_SINGLES: SINGLES, DOOR_MANY: DOOR_ONE, DOOR_BATCH: DOOR_ONE}

Work = Callable[[System, Numbers], Figures]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a row is about."""

    work: str
    system: str
    store: str
    group: int  # most events in one chain; 0 where there are none

    def __str__(self) -> str:
        return f"{self.work}: {self.system} {self.store} {self.group}"


def yardsticks(row: Row) -> dict[str, Row]:
    """The rows that a row is compared with, by what they are called then."""
    if row.system == ALONE:
        return {}
    if row.work in (EMPTY, STORED):
        return {"nothing stored": replace(row, work=EMPTY)}
    work = _SAME_AS.get(row.work, row.work)
    return {
        RAW: Row(work=work, system=RAW, store=NO_STORE, group=1),
        DBOS: Row(work=work, system=DBOS, store=POSTGRES, group=1),
    }


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A system in one shape, started once a round, and the works that it does then."""

    system: str
    store: str
    group: int
    start: Callable[[Stand], AbstractContextManager[System]]
    works: Mapping[str, Work]

    def row(self, work: str) -> Row:
        """The row of one of its works."""
        return Row(work=work, system=self.system, store=self.store, group=self.group)


def chosen(plan: Sequence[Entry], words: Sequence[str]) -> list[Entry]:
    """The entries and works whose rows hold one of the words, and what they are compared with."""
    rows = [entry.row(work) for entry in plan for work in entry.works]
    wanted = {row for row in rows if not words or any(word in str(row) for word in words)}
    wanted |= {other for row in wanted for other in yardsticks(row).values()}

    def kept(entry: Entry) -> dict[str, Work]:
        return {work: do for work, do in entry.works.items() if entry.row(work) in wanted}

    return [replace(entry, works=works) for entry in plan if (works := kept(entry))]
