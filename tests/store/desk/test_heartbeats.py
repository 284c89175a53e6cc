"""Heartbeats: one row per process, written by its work, gone when it ends in good order."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, func, insert, select, update

from orchestrator.domain.heartbeats import Heartbeat, ProcessKind, Vital, patience
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import heartbeats
from orchestrator.store.desk.heartbeats import Pulse, forget_heartbeats, list_heartbeats


def pulse(store: Store, kind: ProcessKind = ProcessKind.RELAY) -> Pulse:
    return Pulse(store, kind, longest_turn_seconds=1)


def beats(store: Store) -> list[Heartbeat]:
    with store.read() as tx:
        return list(list_heartbeats(tx))


def grow_silent(store: Store, seconds: float) -> None:
    with store.write() as tx:
        tx.execute(update(heartbeats).values(beat_at=after(-seconds)))


def test_a_process_has_one_row_however_often_it_beats(store: Store) -> None:
    heart = pulse(store)
    heart.beat("it published 3 groups")
    heart._due = 1.0  # five seconds later
    heart.beat("nothing was due")

    (found,) = beats(store)
    assert (found.kind, found.did, found.vital) == ("relay", "nothing was due", Vital.ALIVE)
    assert found.instance.startswith(found.host)


def test_two_processes_of_a_machine_have_two_rows_and_who_ends_takes_its_own_away(
    store: Store,
) -> None:
    first, second = pulse(store), pulse(store)
    first.beat("a")
    second.beat("b")
    assert len(beats(store)) == 2

    first.end()
    assert [one.did for one in beats(store)] == ["b"]


def test_a_thousand_turns_of_work_write_once(store: Store) -> None:
    written = []
    event.listen(store.engine, "commit", lambda _: written.append(1))
    heart = pulse(store)

    for _ in range(1_000):
        heart.beat("it published a group")

    assert len(written) == 1


def test_who_is_silent_is_late_then_missing_and_after_a_day_forgotten(store: Store) -> None:
    pulse(store).beat("nothing was due")
    assert [one.vital for one in beats(store)] == [Vital.ALIVE]
    grow_silent(store, patience(1) + 5)
    assert [one.vital for one in beats(store)] == [Vital.LATE]
    grow_silent(store, 10 * patience(1) + 5)
    assert [one.vital for one in beats(store)] == [Vital.MISSING]
    grow_silent(store, 86_400 + 60)
    assert beats(store) == []

    with store.write() as tx:
        assert forget_heartbeats(tx) == 1


def test_a_new_process_clears_away_what_died_yesterday(store: Store) -> None:
    for _ in range(3):
        pulse(store).beat("it was killed")
    grow_silent(store, 86_400 + 60)

    pulse(store).beat("nothing was due")

    with store.read() as tx:
        assert tx.execute(select(func.count()).select_from(heartbeats)).scalar_one() == 1


def test_work_goes_on_without_a_store_to_beat_in(store: Store) -> None:
    with store.write() as tx:
        heartbeats.drop(tx)

    heart = pulse(store)
    heart.beat("nothing was due")
    heart.end()


def add_row(store: Store, *, host: str, instance: str, kind: str = "relay") -> None:
    """The beat of a process that is not this one."""
    with store.write() as tx:
        tx.execute(
            insert(heartbeats).values(
                kind=kind,
                instance=instance,
                host=host,
                started_at=0,
                beat_at=after(0),
                did="it was killed",
                patience_ms=31_000,
            )
        )


@contextmanager
def running() -> Iterator[int]:
    """The id of a process of somebody else's, which ends with the block."""
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["{host}:{pid}:0a1b2c", "meshline-{pid}-0a1b2c@{host}"])
def test_who_was_killed_is_not_missed_once_its_successor_beats(store: Store, name: str) -> None:
    host = socket.gethostname()
    with running() as pid:
        before = name.format(host=host, pid=pid)
        add_row(store, host=host, instance=before)
        pulse(store).beat("it is another relay, beside one that runs")
        assert len(beats(store)) == 2

    successor = pulse(store)
    successor.beat("nothing was due")

    assert before not in {one.instance for one in beats(store)}
    assert "nothing was due" in {one.did for one in beats(store)}


def test_who_has_the_process_id_of_a_dead_one_in_a_new_container_takes_its_place(
    store: Store,
) -> None:
    host = socket.gethostname()
    add_row(store, host=host, instance=f"{host}:{os.getpid()}:0a1b2c")

    pulse(store).beat("nothing was due")

    assert [one.did for one in beats(store)] == ["nothing was due"]


def test_who_begins_takes_nobody_else_away(store: Store) -> None:
    with running() as pid:
        pass
    host = socket.gethostname()
    add_row(store, host=host, instance="celery@host")  # by hand, without our name: nobody knows
    add_row(store, host=host, instance=f"{host}:{pid}:0a1b2c", kind="keeper")
    add_row(store, host="elsewhere", instance=f"elsewhere:{pid}:0a1b2c")

    pulse(store).beat("nothing was due")

    assert len(beats(store)) == 4
