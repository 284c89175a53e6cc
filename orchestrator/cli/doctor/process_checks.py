"""The doctor's look at the processes: by their heartbeats, and by what they would have done."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention, broken, ok
from orchestrator.domain.heartbeats import ProcessKind, Vital, presence_of

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store

_LATE_SECONDS = 60.0  # an event that is due for so long waits for somebody
_COMMANDS = {
    ProcessKind.DOOR: "meshline api",
    ProcessKind.RELAY: "meshline relay",
    ProcessKind.WORKER: "meshline worker",
    ProcessKind.KEEPER: "meshline keeper",
    ProcessKind.FLOWER: "meshline flower",
}
_WITHOUT = {
    ProcessKind.DOOR: "without it nothing is accepted over HTTP",
    ProcessKind.RELAY: "without it what is accepted waits",
    ProcessKind.WORKER: "without it nothing is validated, routed or delivered",
}


def look_at_processes(store: Store) -> Iterator[CheckResult]:
    """Whether door, relay, worker and Flower are there; the keeper has a check of its own."""
    from orchestrator.store.desk.heartbeats import list_heartbeats
    from orchestrator.store.views.events.counts import count_late, count_under_way

    with store.read() as tx:
        beats = list_heartbeats(tx)
        waiting = count_late(tx, seconds=_LATE_SECONDS)
        missing = [
            kind
            for kind in (ProcessKind.RELAY, ProcessKind.WORKER)
            if presence_of(kind, beats).vital is not Vital.ALIVE
        ]
        under_way = count_under_way(tx) if missing else 0
    for kind in (ProcessKind.DOOR, ProcessKind.RELAY, ProcessKind.WORKER, ProcessKind.FLOWER):
        presence = presence_of(kind, beats)
        if presence.vital is Vital.ALIVE and not presence.late:
            yield ok(kind, presence.found)
        elif kind is ProcessKind.FLOWER and presence.vital is Vital.MISSING:
            yield ok(kind, f"{presence.found}; events are driven without it")
        else:
            yield attention(kind, presence.found, fix_of(kind, presence.vital))
    # Not a word of progress by the beats alone: who lives may still get nothing done.
    if waiting:
        fix = "see that `meshline relay` and `meshline worker` run, and what their logs say"
        yield attention("progress", f"events that are due for over a minute: {waiting}", fix)
    elif under_way:
        # Events that a dead worker took are due again only when their lease ends.
        found = f"events under way: {under_way}; no {' and no '.join(missing)} runs"
        yield attention("progress", found, fix_of(missing[0], Vital.MISSING))
    else:
        yield ok("progress", "no event has been due for over a minute")


def fix_of(kind: ProcessKind, vital: Vital) -> str:
    """What to do about processes of a kind that are not there."""
    if vital is Vital.MISSING:
        why = f"; {_WITHOUT[kind]}" if kind in _WITHOUT else ""
        return f"start `{_COMMANDS[kind]}`{why}"
    return f"see whether that `{_COMMANDS[kind]}` still runs and what its log says; else restart it"


def look_at_own(kind: ProcessKind) -> CheckResult:
    """Whether a process of this kind on this very machine is alive: for a container's probe."""
    from orchestrator.cli.terminal.open_store import opened_store
    from orchestrator.store.desk.heartbeats import list_heartbeats

    host = socket.gethostname()
    with opened_store() as store, store.read() as tx:
        beats = [one for one in list_heartbeats(tx) if one.host == host]
    presence = presence_of(kind, beats)
    if presence.vital is Vital.ALIVE:
        return ok(kind, presence.found)
    return broken(kind, f"{presence.found}, on {host}", fix_of(kind, presence.vital))


def keeper_beats(store: Store) -> tuple[bool, str]:
    """Whether a keeper is alive by its beats, and what they tell."""
    from orchestrator.store.desk.heartbeats import list_heartbeats

    with store.read() as tx:
        presence = presence_of(ProcessKind.KEEPER, list_heartbeats(tx))
    return presence.vital is Vital.ALIVE and not presence.late, presence.found
