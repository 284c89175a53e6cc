"""A flood of one client delays another by less than two groups, and an index finds who is due."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.engine import Dialect

from benchmarks.fair.__main__ import MOST
from benchmarks.fair.playing import FLOOD, LATE, Play, publish, send
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.drive.claim import _select_due, _select_lines
from tests.leads import LIMITS

INDEX = "ix_events_workflow_id_due_at"


@pytest.mark.parametrize("stagger", [0.0, 0.5])
def test_a_flood_delays_another_client_by_less_than_two_groups(
    store: Store, stagger: float
) -> None:
    for client in (FLOOD, LATE):
        publish(store, client)
    send(store, FLOOD, range(150))
    play = Play(store, replace(LIMITS, group_size=5), 2, stagger)
    play.claim()
    play.go_on()

    waits = [play.wait_of(LATE, number) for number in range(5)]

    assert max(waits) < MOST
    assert max(waits) > 0  # the workers were busy


def test_a_client_alone_has_every_group(store: Store) -> None:
    publish(store, FLOOD)
    send(store, FLOOD, range(40))
    play = Play(store, replace(LIMITS, group_size=5), 2)

    play.claim()

    assert len(play._queue) + len(play._ends) == LIMITS.groups_in_flight


def test_who_is_due_is_found_by_an_index(store: Store) -> None:
    publish(store, FLOOD)
    send(store, FLOOD, range(50))
    with store.write() as tx:
        if tx.dialect.name != "sqlite":  # of a table this small it would read all
            tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
        lines = _plan(tx, _select_lines(tx.dialect.name), quiet_ms=0)
        due = _plan(tx, _select_due(tx.dialect.name), workflow=1, most=200)

    assert INDEX in lines
    assert INDEX in due
    assert "SCAN events\n" not in lines + due


def _plan(tx: Tx, statement: object, **values: int) -> str:
    dialect: Dialect = tx.dialect
    filled = statement.params(**values)  # type: ignore[attr-defined]
    text = str(filled.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN"
    rows = tx.exec_driver_sql(f"{explain} {text.replace('%', '%%')}").all()
    return "\n".join(str(row[-1]) for row in rows) + "\n"
