"""Who saw personal values of which event: one row of the audit an hour, however often."""

from __future__ import annotations

import threading

from sqlalchemy import func, select

from orchestrator.operations.note_seen import note_seen
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit
from orchestrator.store.desk import sightings
from orchestrator.store.desk.sightings import SEE
from tests.leads import accept_leads, publish_leads


def counts(store: Store) -> dict[tuple[str, str], int]:
    """Rows by actor and event."""
    columns = (audit.c.actor, audit.c.event_id)
    with store.read() as tx:
        rows = tx.execute(
            select(*columns, func.count()).where(audit.c.action == SEE).group_by(*columns)
        )
        return {(row[0], row[1]): row[2] for row in rows}


def test_each_actor_and_event_has_a_row_an_hour(store: Store) -> None:
    publish_leads(store)
    one, other = accept_leads(store, 2)

    note_seen(store, [one], actor="cli:ada")
    note_seen(store, [one, other], actor="cli:ada")
    note_seen(store, [one], actor="page:bob")

    assert counts(store) == {("cli:ada", one): 1, ("cli:ada", other): 1, ("page:bob", one): 1}


def test_an_hour_later_there_is_another(store: Store) -> None:
    publish_leads(store)
    (one,) = accept_leads(store, 1)
    note_seen(store, [one], actor="cli:ada")

    with store.write() as tx:
        assert sightings.add_sightings(tx, [one], actor="cli:ada", every=0) == 1


def test_the_same_look_twice_at_once_is_one_row(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 5)
    start = threading.Barrier(4)

    def look() -> None:
        start.wait()
        note_seen(store, ids, actor="cli:ada")

    looking = [threading.Thread(target=look) for _ in range(4)]
    for one in looking:
        one.start()
    for one in looking:
        one.join()

    assert counts(store) == {("cli:ada", one): 1 for one in ids}


def test_many_events_are_written_in_few_statements(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 1_200)

    note_seen(store, ids, actor="cli:ada")

    assert len(counts(store)) == 1_200


def test_an_event_that_is_gone_is_left_out(store: Store) -> None:
    assert note_seen(store, ["0" * 32], actor="cli:ada")

    assert counts(store) == {}
